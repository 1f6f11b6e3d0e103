"""The demo's working folder: begun anew, or gone on with; by one demo at a time."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path


class NotOurs(Exception):
    """There is a folder of that name, and it was not made by the demo."""


class Busy(Exception):
    """Another demo is at work in the folder."""


@dataclass(frozen=True)
class Size:
    """What the samples depend on."""

    uploads: int
    seed: int


class Folder:
    """Holds whatever the settings do not put elsewhere; a note in it says that it is the demo's.

    The note is the first thing written and is never removed: wherever a run was cut off, the next
    one knows the folder again. It is also what is locked.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "worker.log"
        self._note = path / "demo.json"

    @contextmanager
    def taken(self) -> Iterator[int]:
        """Work in it, alone; the lock goes on for as long as any process has the number's file.

        Raises ``NotOurs``, ``Busy`` or ``OSError``.
        """
        if self.path.exists() and not self.path.is_dir():
            raise NotOurs(f"{self.path} is not a folder")
        if self.path.is_dir() and any(self.path.iterdir()) and not self._note.is_file():
            raise NotOurs(f"{self.path} is not empty, and not from an earlier run of the demo")
        self.path.mkdir(parents=True, exist_ok=True)
        with self._note.open("ab") as note:
            try:
                fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy(
                    f"another demo is at work in {self.path}, or the worker of one that was killed"
                ) from None
            yield note.fileno()

    def kept(self) -> Size | None:
        """Return the samples of an earlier run, if they are complete."""
        try:
            return Size(**json.loads(self._note.read_text(encoding="utf-8")))
        except (ValueError, TypeError):  # empty, or cut off while it was written
            return None

    def clear(self) -> None:
        """Empty it, but for the note, which then promises no samples."""
        os.truncate(self._note, 0)
        for path in self.path.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path != self._note:
                path.unlink()
        (self.path / ".gitignore").write_text("*\n", encoding="utf-8")

    def filled(self, size: Size) -> None:
        """Note that all samples are there."""
        self._note.write_text(json.dumps(asdict(size)), encoding="utf-8")
