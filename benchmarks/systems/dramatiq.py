"""Dramatiq, with its Redis broker."""

from __future__ import annotations

import time
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks.systems.description import Description, Way
from benchmarks.systems.driver import Blocking, versions
from benchmarks.systems.handlers import PAUSE_SECONDS, Handlers
from benchmarks.systems.settings import hurried, recovery, store

MAINTENANCE = {"maintenance_chance": 100_000} if hurried() else {}  # in a million calls

broker: Any = RedisBroker(url=store(), heartbeat_timeout=int(recovery(60) * 1_000), **MAINTENANCE)
dramatiq.set_broker(broker)
handlers = Handlers()


@dramatiq.actor(actor_name="noop")
def noop(n: int) -> None:
    handlers.noop()


@dramatiq.actor(actor_name="timed")
def timed(n: int) -> None:
    handlers.timed(n)


@dramatiq.actor(actor_name="pause")
def pause(n: int) -> None:
    time.sleep(PAUSE_SECONDS)
    handlers.paused(n)


TASKS: dict[str, Any] = {"noop": noop, "timed": timed, "pause": pause}


def worker(threads: int, prefetch: int = 0) -> Way:
    command = ["-m", "dramatiq", "-p", "1", "-t", str(threads), "benchmarks.systems.dramatiq"]
    label = f"dramatiq -p 1 -t {threads}" + (f", prefetch {prefetch}" if prefetch else "")
    return Way(label, command, {"dramatiq_queue_prefetch": str(prefetch)})


class Driver(Blocking):
    def description(self) -> Description:
        return Description(
            version=versions("dramatiq", "redis", "hiredis"),
            drain=[worker(1), worker(8), worker(8, prefetch=1_000)],
            latency=worker(8),
            pauses=worker(100),
            drained=8_000,
            bulk=False,
            notes=[
                "keeps no record of a job, no result; no bulk add",
                "an idle worker polls, with a pause that grows to 1 s",
                "jobs of a dead worker come back 60 s after its last heartbeat, when some call "
                "happens to do the maintenance: one in a thousand, for kill -9 here one in ten",
            ],
        )

    def add(self, task: str, value: int) -> None:
        TASKS[task].send(value)

    def left(self) -> int:
        return broker.do_qsize("default")
