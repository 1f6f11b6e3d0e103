"""Huey, on Redis or SQLite: small, mature, and quick for what it does."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from huey import RedisHuey, SqliteHuey

from benchmarks.systems.driver import (
    Blocking,
    Description,
    Handlers,
    Way,
    store,
    versions,
)

FILE = store().removeprefix("sqlite:///") if store().startswith("sqlite") else None
FULL = 2


def queue(*, sync: bool = True) -> Any:
    """Return a Huey; ``fsync`` is its word for ``synchronous=FULL``."""
    if FILE is None:
        return RedisHuey("bench", url=store(), results=False)
    return SqliteHuey("bench", filename=FILE, fsync=sync, results=False)


huey: Any = queue()
handlers = Handlers()


@huey.task(name="noop")
def noop(n: int) -> None:
    handlers.noop()


@huey.task(name="timed")
def timed(n: int) -> None:
    handlers.timed(n)


@huey.task(name="pause")
def pause(n: int) -> None:
    handlers.block(n)


TASKS: dict[str, Any] = {"noop": noop, "timed": timed, "pause": pause}
_PROMPT = ("--delay", "0.001", "--max-delay", "0.01", "--backoff", "1.15")


def worker(kind: str, workers: int) -> Way:
    options = ["-k", kind, "-w", str(workers)]
    quiet = ["--quiet", "--no-periodic", "--disable-health-check"]
    command = ["huey.bin.huey_consumer", "benchmarks.systems.huey.huey", *options, *_PROMPT, *quiet]
    return Way(f"huey_consumer {' '.join(options)}", ["-m", *command])


class Driver(Blocking):
    def description(self) -> Description:
        many = "greenlet" if find_spec("gevent") else "thread"
        return Description(
            version=versions("huey", *(["redis", "hiredis"] if FILE is None else [])),
            drain=[
                *(worker("thread", n) for n in (1, 4)),
                worker("process", 1),
                *(worker("greenlet", n) for n in (4,) if find_spec("gevent")),
            ],
            latency=worker("thread", 2),
            pauses=worker(many, 100),
            drained=10_000,
            bulk=False,
            notes=[
                "keeps no record: a job is deleted when a worker takes it",
                "a worker that dies loses the jobs it was running; there is no setting against it",
                "no result (results=False), no bulk add",
                "on SQLite it polls for jobs, here every 1 to 10 ms (its default is 0.1 to 10 s)",
            ],
        )

    def add(self, task: str, value: int) -> None:
        TASKS[task](value)

    def left(self) -> int:
        if FILE is not None:
            synchronous = huey.storage.conn.execute("PRAGMA synchronous").fetchone()[0]
            assert synchronous == FULL, "not FULL: the comparison would not be fair"
        return huey.pending_count()

    def prepare(self, task: str, count: int, delayed: bool = False) -> None:
        if FILE is None:
            super().prepare(task, count, delayed)
        else:
            self._fill(FILE, task, range(count))

    def _fill(self, file: str, task: str, values: Sequence[int]) -> None:
        """Store without syncing, then empty the write-ahead log into the database."""
        quick = queue(sync=False)
        for n in values:
            quick.enqueue(TASKS[task].s(n))
        quick.storage.close()
        connection = sqlite3.connect(file)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.close()
