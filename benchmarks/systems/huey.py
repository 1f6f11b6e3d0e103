"""Huey, on Redis or SQLite: small, mature, and quick for what it does."""

from __future__ import annotations

import os
import sqlite3
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from huey import RedisHuey, SqliteHuey

from benchmarks.systems.description import Description, Way
from benchmarks.systems.driver import Blocking, versions
from benchmarks.systems.handlers import Handlers
from benchmarks.systems.settings import store

if "BENCH_GREENLETS" in os.environ:
    # Only where greenlets are measured is gevent there. The consumer does not do it by itself.
    import_module("gevent.monkey").patch_all()

FILE = store().removeprefix("sqlite:///") if store().startswith("sqlite") else None
FULL = 2


def queue() -> Any:
    """Return a Huey; ``fsync`` is its word for ``synchronous=FULL``."""
    if FILE is None:
        return RedisHuey("bench", url=store(), results=False)
    return SqliteHuey("bench", filename=FILE, fsync=True, results=False)


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
    environment = {"BENCH_GREENLETS": "1"} if kind == "greenlet" else {}
    return Way(f"huey_consumer {' '.join(options)}", ["-m", *command], environment)


class Driver(Blocking):
    def description(self) -> Description:
        many = "greenlet" if find_spec("gevent") else "thread"
        return Description(
            version=versions("huey", "redis", "hiredis")
            if FILE is None
            else f"{versions('huey')}, SQLite {sqlite3.sqlite_version}",
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
            return
        connection = huey.storage.conn
        connection.execute("PRAGMA synchronous = OFF")  # to store quickly; it is not measured
        super().prepare(task, count, delayed)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.execute("PRAGMA synchronous = FULL")
