"""Huey's tasks. Its consumer imports ``huey_worker``, whose store is named by the environment."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from huey import SqliteHuey

from benchmarks.stamps import Stamps


class Tasks(NamedTuple):
    """A Huey and its tasks."""

    huey: SqliteHuey
    noop: Any
    timed: Any


def make(path: str, stamps: Stamps | None = None, *, fsync: bool = True) -> Tasks:
    """Return the tasks. ``fsync`` is Huey's word for ``synchronous=FULL``."""
    huey = SqliteHuey(filename=path, fsync=fsync, results=False)
    lock = threading.Lock()  # its workers may be threads

    @huey.task(name="noop")
    def noop(n: int) -> None:
        assert stamps is not None
        with lock:
            stamps.tick()

    @huey.task(name="timed")
    def timed(sent: int) -> None:
        assert stamps is not None
        with lock:
            stamps.note(sent)

    return Tasks(huey, noop, timed)
