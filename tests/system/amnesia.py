"""A disk that forgets: what SQLite writes is recorded, and a power cut at any point replayed.

Between two syncs a disk may keep any of the sectors that were written, in any order, and lose the
others; what was synced it keeps. So a *cut* is a place in the recording, and its *image* is all
that was synced before it and, of the rest, sectors drawn at random.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import apsw
import pytest

from stoker.broker.sqlite import files

SECTOR = 512
SHARED_MEMORY = "-shm"


class Op(NamedTuple):
    """One thing that happened to a file, or one that was acknowledged."""

    kind: Literal["create", "write", "truncate", "sync", "delete", "acknowledged"]
    name: str
    offset: int = 0
    data: bytes = b""


Recording = list[Op]


class _File(apsw.VFSFile):
    def __init__(self, recording: Recording, name: Any, flags: Any) -> None:
        super().__init__("unix", name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._name = Path(path).name if path else ""
        self._recording = recording
        if self._name:
            recording.append(Op("create", self._name))

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's names
        super().xWrite(data, offset)
        if self._name:
            self._recording.append(Op("write", self._name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        super().xTruncate(newsize)
        self._recording.append(Op("truncate", self._name, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802
        # The real disk is not bothered: only what the recording says counts.
        self._recording.append(Op("sync", self._name))


class _Disk(apsw.VFS):
    def __init__(self, recording: Recording) -> None:
        super().__init__("amnesia", "unix", makedefault=True)
        self._recording = recording

    def xOpen(self, name: Any, flags: Any) -> apsw.VFSFile:  # noqa: N802
        return _File(self._recording, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(filename, syncdir)
        self._recording.append(Op("delete", Path(filename).name))


@contextmanager
def recorded() -> Iterator[Recording]:
    """Record all that is written to databases that are opened, and closed, inside of it."""
    recording: Recording = []
    disk = _Disk(recording)

    def sync(descriptor: int) -> None:  # what is synced past SQLite
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        recording.append(Op("sync", name))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "sync", sync)
        try:
            yield recording
        finally:
            disk.unregister()


class _Platter:
    """What is certainly on the disk of one file, and what may be."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.pending: list[Op] = []

    def image(self, rng: random.Random) -> bytes:
        content = bytearray(self.kept)
        share = rng.choice([0.0, 0.2, 0.5, 0.8, 1.0])
        for op in self.pending:
            if op.kind == "truncate":
                if rng.random() < share:
                    _truncate(content, op.offset)
                continue
            for start in range(0, len(op.data), SECTOR):
                if rng.random() < share:
                    _write(content, op.offset + start, op.data[start : start + SECTOR])
        return bytes(content)

    def sync(self) -> None:
        for op in self.pending:
            if op.kind == "truncate":
                _truncate(self.kept, op.offset)
            else:
                _write(self.kept, op.offset, op.data)
        self.pending.clear()


def cut(recording: Recording, at: int, rng: random.Random, folder: Path) -> None:
    """Leave in ``folder`` what a power cut just before operation number ``at`` leaves."""
    platters: dict[str, _Platter] = {}
    certain: set[str] = set()
    for op in recording[:at]:
        match op.kind:
            case "create":
                platters.setdefault(op.name, _Platter())
            case "sync":
                platters[op.name].sync()
                # SQLite syncs the folder with a new file's first sync, so its names are certain.
                certain |= platters.keys()
            case "delete":
                platters.pop(op.name, None)
                certain.discard(op.name)
            case "write" | "truncate":
                platters[op.name].pending.append(op)
            case "acknowledged":
                pass
    for name, platter in platters.items():
        if not name.endswith(SHARED_MEMORY) and (name in certain or rng.random() < 0.5):
            (folder / name).write_bytes(platter.image(rng))


def _write(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def _truncate(content: bytearray, size: int) -> None:
    del content[size:]
