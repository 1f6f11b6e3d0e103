"""What a scenario asks of a system under test."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, NamedTuple

from benchmarks.processes import WorkerProcess
from benchmarks.stamps import FOLDER


class Tuning(NamedTuple):
    """One way to start a worker."""

    label: str
    options: tuple[str, ...]


class System(ABC):
    """A job system with a store of its own in ``folder``, which is empty at first.

    It has two tasks: ``noop(n)`` ticks a stamp and returns nothing, ``timed(sent)`` notes how long
    after ``sent`` it was started. What is measured goes through the calls that its users make.
    """

    name: ClassVar[str]
    tunings: ClassVar[tuple[Tuning, ...]]
    """Ways to start one worker for throughput, of which the fastest is taken."""
    prompt: ClassVar[Tuning]
    """The way to start one for latency."""
    drained: ClassVar[int]
    """Jobs to drain: a few seconds' worth."""
    asymmetries: ClassVar[tuple[str, ...]]
    """What it does more or less than the others, for the reader of the table."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stamps = folder / "stamps"
        self.stamps.mkdir(parents=True)

    def worker(self, tuning: Tuning) -> WorkerProcess:
        """Return one worker, to be started."""
        environment = {FOLDER: str(self.stamps), **self._environment()}
        return WorkerProcess(self._command(tuning), environment, self.folder / "worker.log")

    def store_bytes(self) -> int:
        """Return what the store takes on disk, everything included."""
        return sum(path.stat().st_size for path in self.folder.glob("store*"))

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """Return its version and its store's."""

    @abstractmethod
    def _command(self, tuning: Tuning) -> list[str]:
        """Return the arguments for ``python -m``."""

    @abstractmethod
    def _environment(self) -> dict[str, str]:
        """Return what the worker finds its store by."""

    # Preparing, not measured

    @abstractmethod
    def prepare(self, count: int, *, delayed: bool = False) -> None:
        """Store ``count`` no-op jobs, as fast as can be, and put the store in order."""

    @abstractmethod
    def settled(self, count: int) -> bool:
        """Whether ``count`` jobs are through, for the store too."""

    # Measured; each returns the seconds it took

    @abstractmethod
    def add_many(self, count: int) -> float:
        """Add jobs in bulk, if it can."""

    @abstractmethod
    def add_concurrently(self, callers: int, count: int) -> float:
        """Add jobs one at a time from many callers at once, ``count`` in all."""

    @abstractmethod
    def add_one_by_one(self, count: int) -> float:
        """Add jobs one at a time, each when the one before is stored."""

    # Measured by the stamps

    @abstractmethod
    def send_steadily(self, rate: float, seconds: float) -> int:
        """Send timed jobs at a steady rate, whether the ones before were stored or not.

        Return how many.
        """
