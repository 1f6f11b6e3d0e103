"""RQ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis import Redis
from rq import Queue, Retry
from rq.serializers import JSONSerializer

from benchmarks.systems.description import Description, Way
from benchmarks.systems.driver import Blocking, versions
from benchmarks.systems.handlers import Handlers
from benchmarks.systems.settings import recovery, store

REDIS_URL = store()  # `rq -c` reads it here
handlers = Handlers()
SERIALIZER = "rq.serializers.JSONSerializer"


def noop(n: int) -> None:
    handlers.noop()


def timed(n: int) -> None:
    handlers.timed(n)


def pause(n: int) -> None:
    handlers.block(n)


TASKS = {"noop": noop, "timed": timed, "pause": pause}
OPTIONS: dict[str, Any] = {"timeout": int(recovery(180)), "retry": Retry(max=3)}


def worker(*options: str) -> Way:
    quiet = ["-q", "--disable-job-desc-logging"]
    common = ["-c", "benchmarks.systems.rq", "-S", SERIALIZER, "-w", "rq.worker.SimpleWorker"]
    command = ["-m", "rq.cli", "worker", *common, *quiet, *options, "bench"]
    return Way(" ".join(["rq worker -w SimpleWorker", *options]), command)


def pool(workers: int) -> Way:
    common = ["-c", "benchmarks.systems.rq", "-S", SERIALIZER, "-w", "rq.worker.SimpleWorker", "-q"]
    command = ["-m", "rq.cli", "worker-pool", *common, "-n", str(workers), "bench"]
    return Way(f"rq worker-pool -w SimpleWorker -n {workers}", command)


class Driver(Blocking):
    def __init__(self) -> None:
        self._queue: Any = Queue(
            "bench", connection=Redis.from_url(store()), serializer=JSONSerializer
        )

    def description(self) -> Description:
        return Description(
            version=versions("rq", "redis", "hiredis"),
            drain=[worker()],
            latency=worker(),
            pauses=pool(8),
            kill=worker("--maintenance-interval", "1", "--worker-ttl", "20"),
            drained=2_000,
            notes=[
                "SimpleWorker: the default forks for each job, which is several times slower",
                "a process runs one job at a time: for the jobs that wait there are 8 processes",
                "keeps results for 500 s; jobs have Retry(max=3), or a dead worker's would fail; "
                "they come back a minute after their timeout (180 s by default), and an idle "
                "worker looks for them about every 600 s, for kill -9 here every 5 s",
            ],
        )

    def add(self, task: str, value: int) -> None:
        self._queue.enqueue_call(TASKS[task], args=(value,), **OPTIONS)

    def add_all(self, task: str, values: Sequence[int]) -> None:
        prepare = self._queue.prepare_data
        self._queue.enqueue_many([prepare(TASKS[task], args=(n,), **OPTIONS) for n in values])

    def left(self) -> int:
        started = self._queue.started_job_registry
        return self._queue.count + self._queue.connection.zcard(started.key)
