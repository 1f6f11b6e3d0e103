"""What really happened: one line for each fact, written outside of the broker by who saw it.

A line is appended with one ``write`` and synced before its writer goes on, so that neither a killed
process nor a full queue of threads can lose or mix one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One fact about a job: it was added, a handler began or ended with it, or saw something."""

    kind: str
    job: str
    at: float
    pid: int
    worker: str = ""
    token: str = ""
    claim: int = 0
    """Which of the job's claims this is, 1 for the first."""
    attempt: int = 0
    text: str = ""


class Lines(Generic[T]):
    """A file of JSON lines that grows; each look reads only what is new."""

    def __init__(self, path: Path, type: type[T]) -> None:
        self.path = path
        self._decode = msgspec.json.Decoder(type).decode
        self._read = 0
        self._known: list[T] = []

    def all(self) -> list[T]:
        """Return all whole lines that are there by now."""
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._read)
                new = file.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._read += len(whole)
            self._known += [self._decode(line) for line in whole.splitlines()]
        return self._known

    def __iter__(self) -> Iterator[T]:
        return iter(self.all())


class Writer:
    """Appends lines, from any thread and process."""

    def __init__(self, path: Path, *, sync: bool = True) -> None:
        self._sync = sync
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, line: Any) -> None:
        os.write(self._file, msgspec.json.encode(line) + b"\n")
        if self._sync:
            os.fsync(self._file)

    def entry(self, kind: str, job: str, **fields: Any) -> None:
        self.write(Entry(kind, job, time.time(), os.getpid(), **fields))
