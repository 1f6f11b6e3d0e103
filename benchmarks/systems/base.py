"""A system under test, as the scenarios see it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from benchmarks import stamps
from benchmarks.environments import Environment
from benchmarks.processes import DriverProcess, WorkerProcess
from benchmarks.systems.description import Description, Way
from benchmarks.systems.settings import KEEP, RECOVERY, STORE


@dataclass(frozen=True, eq=False)
class Kind:
    """A system, on one kind of store: where it is installed, and its program."""

    name: str
    store: Literal["redis", "sqlite"]
    program: tuple[str, ...]
    """Arguments for its interpreter: it serves the requests that ``driver.py`` explains."""
    installed: Callable[[], Environment]

    @cached_property
    def environment(self) -> Environment:
        """Where it is installed; the first call installs it."""
        return self.installed()

    @cached_property
    def description(self) -> Description:
        """What it says of itself."""
        nowhere = {"redis": "redis://127.0.0.1:1", "sqlite": "sqlite:///nowhere.db"}[self.store]
        driver = self.driver({STORE: nowhere}, Path(os.devnull))
        try:
            return described(driver.ask("describe", within=60))
        finally:
            driver.close()

    def driver(self, variables: dict[str, str], log: Path) -> DriverProcess:
        """Start its program."""
        program, own = self.environment
        return DriverProcess([program, *self.program], {**own, **variables}, log)


def described(said: Mapping[str, Any]) -> Description:
    """Read a program's answer to ``describe``."""
    ways = {
        "drain": [Way(**each) for each in said["drain"]],
        **{name: Way(**said[name]) for name in ("latency", "pauses")},
        "kill": Way(**said["kill"]) if said["kill"] else None,
    }
    return Description(**{**said, **ways})


class System:
    """A system at work on an empty store."""

    def __init__(
        self,
        kind: Kind,
        folder: Path,
        url: str,
        *,
        keep: int = 1_000,
        recovery: float | None = None,
    ) -> None:
        self.kind = kind
        self.name = kind.name
        self.folder = folder
        self.stamps = folder / "stamps"
        stamps.prepare(self.stamps)
        self._variables = {stamps.FOLDER: str(self.stamps), STORE: url, KEEP: str(keep)}
        if recovery is not None:
            self._variables[RECOVERY] = f"{recovery:g}"
        self._driver: DriverProcess | None = None

    def ask(self, do: str, **args: Any) -> Any:
        """Have its program do something."""
        if self._driver is None:
            self._driver = self.kind.driver(self._variables, self.folder / "driver.log")
        return self._driver.ask(do, **args)

    def close(self) -> None:
        """End its program."""
        if self._driver is not None:
            self._driver.close()

    def worker(self, way: Way) -> WorkerProcess:
        """Return one worker, to be started."""
        program, own = self.kind.environment
        environment = {**own, **self._variables, **way.environment}
        return WorkerProcess([program, *way.command], environment, self.folder / "worker.log")

    def survivor(self) -> Way:
        """Return the way to start a worker that takes a dead one's jobs back."""
        description = described(self.ask("describe"))  # it depends on the recovery time
        return description.kill or description.pauses

    def store_bytes(self) -> int:
        """Return what an SQLite store takes on disk, everything included."""
        return sum(path.stat().st_size for path in self.folder.glob("store*"))

    def prepare(self, count: int, task: str = "noop", *, delayed: bool = False) -> None:
        """Store ``count`` jobs, numbered from 0, and put the store in order; not measured."""
        more = {"delayed": True} if delayed else {}
        self.ask("prepare", task=task, count=count, **more)

    def left(self) -> int:
        """Return how many jobs the store still holds as waiting or running."""
        return self.ask("left")

    def add_many(self, count: int) -> float:
        """Add jobs in bulk, if it can. Return the seconds it took, as the next two do."""
        return self.ask("add_many", count=count)

    def add_concurrently(self, callers: int, count: int) -> float:
        """Add jobs one a call from many callers at once, ``count`` in all."""
        return self.ask("add_concurrently", callers=callers, count=count)

    def add_one_by_one(self, count: int) -> float:
        """Add jobs one a call, each when the one before is stored."""
        return self.ask("add_one_by_one", count=count)

    def send_steadily(self, rate: float, seconds: float) -> int:
        """Add timed jobs when each is due, whether the ones before are stored or not."""
        return self.ask("send_steadily", rate=rate, seconds=seconds)
