"""One run: the server, the folder, and every system's turn in every scenario."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.peers.cells import Grid, Measured, fail, put
from benchmarks.processes import BenchmarkError
from benchmarks.redis import Cost, Redis
from benchmarks.systems import Kind, System, Way


class Scenario(NamedTuple):
    """Something to be measured of one system, and the columns that it fills."""

    measure: Callable[[Run, Kind], Measured]
    columns: tuple[str, ...]
    rounds: int | None = None
    """How often at the most; ``None``: as often as is asked for."""
    only: tuple[str, ...] = ()
    """The systems that it is for; empty: all."""


class Run:
    """What scenarios are measured with."""

    def __init__(
        self,
        folder: Path,
        redis: Redis | None,
        *,
        scale: float = 1.0,
        recovery: float = 2.0,
        patience: float = 75.0,
    ) -> None:
        self.folder = folder
        self.redis = redis
        self.recovery = recovery
        """Seconds after which every system is told to take a dead worker's jobs back."""
        self.patience = patience
        """Seconds after which jobs that have not come back are lost."""
        self.ways: dict[str, Way] = {}
        """The fastest way to start each system's worker, once it has been looked for."""
        self._scale = scale

    def scaled(self, count: int, least: int = 100) -> int:
        """Return how many jobs to take where a whole run takes ``count``."""
        return max(least, round(count * self._scale))

    @contextmanager
    def opened(self, kind: Kind, recovery: float | None = None) -> Iterator[System]:
        """Give a system an empty store, and remove it afterwards."""
        folder = self.folder / kind.name
        system = System(kind, folder, self._url(kind, folder), recovery=recovery)
        try:
            yield system
        finally:
            system.close()
            shutil.rmtree(folder, ignore_errors=True)

    def cost(self, kind: Kind) -> Cost:
        """Return what the server has used; nothing where the store is a file."""
        return self.redis.cost() if self.redis and kind.store == "redis" else Cost(0.0, 0)

    def settle(self, kind: Kind) -> None:
        """Wait until the server is through with what it does by itself behind many adds."""
        if self.redis and kind.store == "redis":
            self.redis.settle()

    def _url(self, kind: Kind, folder: Path) -> str:
        if kind.store == "sqlite":
            return f"sqlite:///{folder / 'store.db'}"
        assert self.redis is not None
        self.redis.empty()
        return self.redis.url


def measure(
    run: Run,
    kinds: Sequence[Kind],
    scenarios: Sequence[tuple[str, Scenario]],
    rounds: int,
    say: Callable[[str], None],
    lock: Path | None = None,
) -> Grid:
    """Measure each system in each scenario, in turns, so that a busy moment hits all alike."""
    grid: Grid = {}
    broken: set[tuple[str, str]] = set()
    for n in range(rounds):
        for name, scenario in scenarios:
            for kind in turns(kinds, n):
                mine = not scenario.only or kind.name in scenario.only
                if not mine or n >= (scenario.rounds or rounds) or (kind.name, name) in broken:
                    continue
                say(f"round {n + 1} of {rounds}, {name}: {kind.name}")
                try:
                    with _alone(lock):
                        put(grid, kind.name, scenario.measure(run, kind))
                except (BenchmarkError, OSError) as error:
                    broken.add((kind.name, name))
                    say(f"  could not be measured: {error}")
                    fail(grid, kind.name, scenario.columns, str(error))
    return grid


def turns(kinds: Sequence[Kind], n: int) -> list[Kind]:
    """Return them in this round's order: it begins elsewhere, and every other is reversed."""
    if not kinds:
        return []
    start = n * 5 % len(kinds)
    order = [*kinds[start:], *kinds[:start]]
    return order if n % 2 == 0 else order[::-1]


@contextmanager
def _alone(lock: Path | None) -> Iterator[None]:
    """Hold a lock that others who load this machine hold too."""
    if lock is None:
        yield
        return
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
