"""Huey, which also keeps its jobs in an SQLite file: mature, and quick for what it does."""

from __future__ import annotations

import sqlite3
import threading
import time
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from benchmarks.systems.base import System, Tuning
from benchmarks.systems.huey_app import Tasks, make

_QUIET = ("--quiet", "--no-periodic", "--disable-health-check")
_PROMPT = ("--delay", "0.001", "--max-delay", "0.01", "--backoff", "1.15")


def _tuning(kind: str, workers: int) -> Tuning:
    options = ("--worker-type", kind, "--workers", str(workers), *_PROMPT, *_QUIET)
    return Tuning(f"-k {kind} -w {workers}", options)


class HueySystem(System):
    """With ``SqliteHuey(fsync=True, results=False)``."""

    name = "huey"
    tunings = (
        *(_tuning("thread", n) for n in (1, 2, 4)),
        *(_tuning("process", n) for n in (1, 2, 4)),
        *(_tuning("greenlet", n) for n in (4,) if find_spec("gevent")),
    )
    prompt = _tuning("thread", 2)
    drained = 10_000
    asymmetries = (
        "a job is deleted when a worker takes it: a worker that dies loses what it ran",
        "no history, no result (results=False), no events; handlers are plain functions",
        "it has no bulk add: jobs are added one after another",
        "it asks for jobs by polling, here every 1 to 10 ms (its default is 0.1 to 10 s)",
    )

    @classmethod
    def version(cls) -> str:
        """Return its version and its store's."""
        return f"{version('huey')}, sqlite3 with SQLite {sqlite3.sqlite_version}"

    def _command(self, tuning: Tuning) -> list[str]:
        return [
            "huey.bin.huey_consumer", "benchmarks.systems.huey_worker.huey", *tuning.options
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        return {"BENCH_HUEY": self._path}

    @property
    def _path(self) -> str:
        return str(self.folder / "store.db")

    def prepare(self, count: int, *, delayed: bool = False) -> None:
        """Store no-op jobs without syncing, then empty the write-ahead log into the database."""
        tasks = make(self._path, fsync=False)
        for n in range(count):
            if delayed:
                tasks.noop.schedule((n,), delay=86_400)
            else:
                tasks.noop(n)
        tasks.huey.storage.close()
        connection = sqlite3.connect(self._path)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.close()

    def settled(self, count: int) -> bool:
        """Whether all are through: a job is gone before it is run, and nothing is stored after."""
        return True

    def add_many(self, count: int) -> float:
        """Add one after another, since it has no other way."""
        return self.add_one_by_one(count)

    def add_concurrently(self, callers: int, count: int) -> float:
        """Add from as many threads."""
        tasks = self._open()

        def caller() -> None:
            for n in range(count // callers):
                tasks.noop(n)

        threads = [threading.Thread(target=caller) for _ in range(callers)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - began
        tasks.huey.storage.close()
        return seconds

    def add_one_by_one(self, count: int) -> float:
        """Add from one thread."""
        tasks = self._open()
        began = time.perf_counter()
        for n in range(count):
            tasks.noop(n)
        seconds = time.perf_counter() - began
        tasks.huey.storage.close()
        return seconds

    def send_steadily(self, rate: float, seconds: float) -> int:
        """Send from one thread; a call that is slow delays the next, but not what it notes."""
        tasks = self._open()
        count = round(rate * seconds)
        began = time.monotonic()
        for n in range(count):
            time.sleep(max(0.0, began + n / rate - time.monotonic()))
            tasks.timed(time.monotonic_ns())
        tasks.huey.storage.close()
        return count

    def _open(self) -> Tasks:
        tasks = make(self._path)
        storage: Any = tasks.huey.storage
        synchronous = storage.conn.execute("PRAGMA synchronous").fetchone()[0]
        assert synchronous == 2, "not FULL: the comparison would not be fair"
        return tasks
