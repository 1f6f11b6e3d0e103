"""taskiq, with its broker on Redis streams: the one of its brokers that acknowledges."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from taskiq_redis import RedisStreamBroker

from benchmarks.systems.description import Description, Way
from benchmarks.systems.driver import Coroutines, versions
from benchmarks.systems.handlers import Handlers
from benchmarks.systems.settings import recovery, store

handlers = Handlers()


def stream() -> RedisStreamBroker:
    return RedisStreamBroker(
        store(), idle_timeout=int(recovery(600) * 1_000), unacknowledged_lock_timeout=5
    )


broker = stream()


@broker.task(task_name="noop")
async def noop(n: int) -> None:
    handlers.noop()


@broker.task(task_name="timed")
async def timed(n: int) -> None:
    handlers.timed(n)


@broker.task(task_name="pause")
async def pause(n: int) -> None:
    await handlers.pause(n)


TASKS: dict[str, Any] = {"noop": noop, "timed": timed, "pause": pause}


def worker(jobs: int) -> Way:
    options = ["-w", "1", "--max-async-tasks", str(jobs)]
    quiet = ["--log-level", "WARNING"]
    command = ["-m", "taskiq", "worker", "benchmarks.systems.taskiq:broker", *options, *quiet]
    return Way(f"taskiq worker {' '.join(options)}", command)


class Driver(Coroutines):
    def description(self) -> Description:
        return Description(
            version=versions("taskiq", "taskiq-redis", "redis", "hiredis"),
            drain=[worker(100), worker(1_000)],
            latency=worker(100),
            pauses=worker(100),
            drained=6_000,
            bulk=False,
            notes=[
                "keeps no result; a job stays in its stream, run or not (no maxlen, the default)",
                "no bulk add: 100 coroutines add at once",
                "jobs of a dead worker come back after idle_timeout: 600 s by default; "
                "ListQueueBroker, its other broker, loses them",
            ],
        )

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        global broker
        broker = stream()  # its connections belong to one loop
        await broker.startup()
        self._redis: Any = Redis.from_url(store())
        try:
            yield
        finally:
            await self._redis.aclose()
            await broker.shutdown()

    async def add(self, task: str, value: int) -> None:
        await TASKS[task].kicker().with_broker(broker).kiq(value)

    async def count(self) -> int:
        groups = await self._redis.xinfo_groups(broker.queue_name)
        return sum(group["pending"] + (group["lag"] or 0) for group in groups)
