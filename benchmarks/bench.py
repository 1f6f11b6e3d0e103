"""What the scenarios share: how much, how often, where, against whom, and the measuring itself."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

from benchmarks import raw, stamps
from benchmarks.processes import BenchmarkError, WorkerProcess, wait_until
from benchmarks.systems import Kind, System, Way

T = TypeVar("T")

MOST_SECONDS = 8.0
"""A drain is cut off after this long; its rate is that of the jobs run until then."""
START_SECONDS = 30.0
KEPT = 100_000
"""Completed jobs to keep, where a system does: Stoker's default."""


class Drained(NamedTuple):
    """How a worker emptied a store."""

    jobs: int
    rate: float
    """Jobs a second from the first start to the last finish."""
    cpu_seconds: float
    """Of the worker, without its start-up."""


class Bench:
    """One run of the benchmark."""

    def __init__(
        self,
        folder: Path,
        ours: Kind,
        peer: Kind | None,
        *,
        scale: float,
        repeat: int,
        say: Callable[[str], None],
    ) -> None:
        self.folder = folder
        self.ours = ours
        self.peer = peer
        self.repeat = repeat
        self.say = say
        self._scale = scale
        self._best: dict[str, Way] = {}
        self._raw: dict[tuple[object, ...], float] = {}

    def scaled(self, count: int, least: int = 100) -> int:
        """Return the number of jobs to take for a figure that usually takes ``count``."""
        return max(least, round(count * self._scale))

    @contextmanager
    def opened(self, kind: Kind) -> Iterator[System]:
        """Give a system an empty folder, and remove it afterwards."""
        folder = self.folder / kind.name
        system = System(kind, folder, f"sqlite:///{folder / 'store.db'}", keep=KEPT)
        try:
            yield system
        finally:
            system.close()
            shutil.rmtree(folder, ignore_errors=True)

    def each(self, what: str, measure: Callable[[Kind], T]) -> tuple[list[T], list[T]]:
        """Measure ours and the peer in turns, ``repeat`` times; return both."""
        ours: list[T] = []
        peers: list[T] = []
        sides = [(self.ours, ours)] + ([(self.peer, peers)] if self.peer else [])
        for n in range(self.repeat):
            for kind, into in sides if n % 2 == 0 else sides[::-1]:
                self.say(f"{what}: {kind.name}, run {n + 1} of {self.repeat}")
                into.append(measure(kind))
        return ours, peers

    # Draining

    def best(self, kind: Kind) -> Way:
        """Return the fastest way to start one worker, found by trying."""
        if kind.name not in self._best:
            ways, count = kind.description.drain, kind.description.drained // 3
            rates: list[float] = []
            for way in ways:
                self.say(f"looking for the fastest worker: {kind.name} {way.label}")
                rates.append(self.drain(kind, way, count, MOST_SECONDS / 3).rate)
            self._best[kind.name] = ways[rates.index(max(rates))]
        return self._best[kind.name]

    def drain(self, kind: Kind, way: Way, count: int, seconds: float = MOST_SECONDS) -> Drained:
        """Let one worker empty a store of ``count`` jobs."""
        count = self.scaled(count, 1_000)
        with self.opened(kind) as system:
            system.prepare(count)
            with system.worker(way) as worker:
                return drain(system, worker, count, seconds)

    # The machine's limits

    def raw_inserts(self, transactions: int, batch: int) -> float:
        """Return the rate of plain inserts, measured once in a run."""
        return self._limit(raw.inserts, transactions, batch)

    def raw_drains(self, transactions: int, batch: int) -> float:
        """Return the rate of plain finishing and claiming, measured once in a run."""
        return self._limit(raw.drains, transactions, batch)

    def _limit(
        self, measure: Callable[[Path, int, int], float], transactions: int, batch: int
    ) -> float:
        key = (measure.__name__, batch)
        if key not in self._raw:
            self.say(f"the machine's own limit: {measure.__name__}, {batch} a commit")
            count = self.scaled(transactions, 50)
            runs = [measure(self.folder, count, batch) for _ in range(self.repeat)]
            self._raw[key] = statistics.median(runs)
        return self._raw[key]


def drain(system: System, worker: WorkerProcess, count: int, seconds: float) -> Drained:
    """Wait for a worker that has just been started to run ``count`` jobs."""

    def noted() -> int:
        return stamps.seen(system.stamps).count

    if not wait_until(lambda: noted() > 0, worker, START_SECONDS):
        raise BenchmarkError(f"{system.name} ran nothing within {START_SECONDS:.0f} s")
    before = worker.usage().cpu_seconds, noted()
    whole = wait_until(lambda: noted() >= count, worker, seconds)
    if whole:
        wait_until(lambda: system.left() == 0, worker, START_SECONDS)
    ended = time.monotonic()
    after = worker.usage().cpu_seconds
    run = stamps.seen(system.stamps)
    last = ended if whole else run.last
    cpu = (after - before[0]) / max(1, run.count - before[1]) * run.count
    return Drained(run.count, (run.count - 1) / (last - run.first), cpu)


def rates(count: int, seconds: Sequence[float]) -> tuple[float, ...]:
    """Return jobs a second."""
    return tuple(count / each for each in seconds)
