"""What handlers note while they run, in memory that the measuring process shares.

Counting must cost next to nothing in the worker: a note is two writes into a mapped file, which
outlive the process however it ends. Each process has a file of its own; times are of the machine's
monotonic clock, the same in all. The marks are one file: a byte for each numbered job.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from pathlib import Path
from typing import NamedTuple

FOLDER = "BENCH_STAMPS"
"""The environment variable that says where the files are."""

_COUNT, _FIRST, _LAST, _HEAD = 0, 1, 2, 3
_MOST_VALUES = 100_000
_BYTES = 8 * (_HEAD + _MOST_VALUES)
_MARKS = "marks"
MOST_MARKS = 1_000_000


class Stamps:
    """A process's own file."""

    def __init__(self) -> None:
        self._open()
        os.register_at_fork(after_in_child=self._open)

    def tick(self) -> None:
        """Note that a job starts."""
        with self._lock:
            self._tick(time.monotonic_ns())

    def note(self, sent: int) -> None:
        """Note that a job starts that was sent at ``sent``."""
        now = time.monotonic_ns()
        with self._lock:
            if self.count < _MOST_VALUES:
                self._cells[_HEAD + self.count] = now - sent
            self._tick(now)

    def mark(self, n: int) -> None:
        """Note that the job of this number is through."""
        self._marks[n] = min(255, self._marks[n] + 1)
        self.tick()

    def _tick(self, now: int) -> None:
        cells = self._cells
        if not self.count:
            cells[_FIRST] = now
        self.count += 1
        cells[_LAST] = now
        cells[_COUNT] = self.count

    def _open(self) -> None:
        self.count = 0
        self._lock = threading.Lock()  # workers may be threads
        folder = Path(os.environ[FOLDER])
        with (folder / f"{os.getpid()}.stamps").open("w+b") as file:
            file.truncate(_BYTES)
            self._cells = memoryview(mmap.mmap(file.fileno(), _BYTES)).cast("q")
        with (folder / _MARKS).open("r+b") as file:
            self._marks = mmap.mmap(file.fileno(), MOST_MARKS)


def prepare(folder: Path) -> None:
    """Make the folder, with no job marked."""
    folder.mkdir(parents=True)
    with (folder / _MARKS).open("wb") as file:
        file.truncate(MOST_MARKS)


class Seen(NamedTuple):
    """What all processes have noted so far. Times are in seconds."""

    count: int
    first: float
    last: float

    @property
    def rate(self) -> float:
        """Jobs a second between the first start and the last."""
        return (self.count - 1) / (self.last - self.first) if self.count > 1 else 0.0


class Marked(NamedTuple):
    """What became of numbered jobs."""

    never: int
    twice: int
    """Run more than once."""


def seen(folder: Path) -> Seen:
    """Read what has been noted."""
    heads = [head for head in _heads(folder) if head[_COUNT]]
    if not heads:
        return Seen(0, 0.0, 0.0)
    return Seen(
        sum(head[_COUNT] for head in heads),
        min(head[_FIRST] for head in heads) / 1e9,
        max(head[_LAST] for head in heads) / 1e9,
    )


def processes(folder: Path) -> int:
    """Return how many have run a job."""
    return sum(head[_COUNT] > 0 for head in _heads(folder))


def marked(folder: Path, count: int) -> Marked:
    """Read which of ``count`` numbered jobs are through."""
    path = folder / _MARKS
    marks = path.read_bytes()[:count]
    return Marked(marks.count(0), count - marks.count(0) - marks.count(1))


def latencies(folder: Path) -> list[float]:
    """Return how long after it was sent each job started, in milliseconds."""
    values: list[float] = []
    for path in folder.glob("*.stamps"):
        cells = memoryview(path.read_bytes()).cast("q")
        values += [ns / 1e6 for ns in cells[_HEAD : _HEAD + min(cells[_COUNT], _MOST_VALUES)]]
    return values


def _heads(folder: Path) -> list[tuple[int, ...]]:
    heads: list[tuple[int, ...]] = []
    for path in folder.glob("*.stamps"):
        with path.open("rb") as file:
            raw = file.read(8 * _HEAD)
        if len(raw) == 8 * _HEAD:  # else it is only just being made
            heads.append(tuple(memoryview(raw).cast("q")))
    return heads
