"""Celery, with Redis as its broker."""

from __future__ import annotations

import time
from typing import Any

import redis
from celery import Celery

from benchmarks.systems.description import Description, Way
from benchmarks.systems.driver import Blocking, versions
from benchmarks.systems.handlers import PAUSE_SECONDS, Handlers
from benchmarks.systems.settings import hurried, recovery, store

app: Any = Celery("bench", broker=store())
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=128,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": recovery(3_600),
        "max_connections": 200,  # each greenlet acknowledges; with the default of 10 some fail
        **({"unacked_restore_interval": 1, "unacked_restore_throttle": 1} if hurried() else {}),
    },
)
handlers = Handlers()


@app.task(name="noop")
def noop(n: int) -> None:
    handlers.noop()


@app.task(name="timed")
def timed(n: int) -> None:
    handlers.timed(n)


@app.task(name="pause")
def pause(n: int) -> None:
    time.sleep(PAUSE_SECONDS)
    handlers.paused(n)


TASKS = {"noop": noop, "timed": timed, "pause": pause}


def worker(pool: str, jobs: int) -> Way:
    options = ["-P", pool, "-c", str(jobs)]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "ERROR"]
    command = ["-m", "celery", "-A", "benchmarks.systems.celery", "worker", *options, *quiet]
    return Way(f"celery worker {' '.join(options)}", command)


class Driver(Blocking):
    def description(self) -> Description:
        return Description(
            version=versions("celery", "kombu", "redis", "hiredis"),
            drain=[worker("solo", 1), worker("prefork", 1), worker("gevent", 100)],
            latency=worker("prefork", 1),
            pauses=worker("gevent", 100),
            kill=worker("prefork", 8),
            drained=4_000,
            bulk=False,
            notes=[
                "keeps no record of a job (task_ignore_result)",
                "set up as safe: task_acks_late and task_reject_on_worker_lost; by default a job "
                "is acknowledged before it runs, and lost with its worker",
                "jobs of a dead worker come back after visibility_timeout, 1 h by default, and are "
                "looked for about each 100 s, for kill -9 here each second and with prefork: a "
                "gevent worker did not take them back while it ran",
                "worker_prefetch_multiplier=128; gossip, mingle and heartbeat off; no bulk add",
            ],
        )

    def __init__(self) -> None:
        self._redis = redis.Redis.from_url(store())

    def add(self, task: str, value: int) -> None:
        TASKS[task].delay(value)

    def left(self) -> int:
        client: Any = self._redis
        return client.llen("celery") + client.hlen("unacked")
