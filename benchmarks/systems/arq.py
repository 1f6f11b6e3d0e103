"""arq."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from arq import create_pool
from arq.connections import RedisSettings

from benchmarks.systems.description import Description, Way
from benchmarks.systems.driver import Coroutines, versions
from benchmarks.systems.handlers import Handlers
from benchmarks.systems.settings import AT_ONCE, at_once, recovery, store

SETTINGS = RedisSettings.from_dsn(store())
QUEUE = "arq:queue"
handlers = Handlers()


async def noop(context: object, n: int) -> None:
    handlers.noop()


async def timed(context: object, n: int) -> None:
    handlers.timed(n)


async def pause(context: object, n: int) -> None:
    await handlers.pause(n)


class WorkerSettings:
    functions = (noop, timed, pause)
    redis_settings = SETTINGS
    max_jobs = at_once()
    poll_delay = 0.001
    job_timeout = max(1.0, recovery(310) - 10)  # it adds 10 s


def worker(jobs: int) -> Way:
    command = ["-m", "arq", "benchmarks.systems.arq.WorkerSettings"]
    return Way(f"arq, max_jobs={jobs}", command, {AT_ONCE: str(jobs)})


class Driver(Coroutines):
    _pool: Any

    def description(self) -> Description:
        return Description(
            version=versions("arq", "redis", "hiredis"),
            drain=[worker(10), worker(100), worker(1_000)],
            latency=worker(10),
            pauses=worker(100),
            drained=3_000,
            bulk=False,
            notes=[
                "asks for jobs by polling, here every ms (its default is 500)",
                "keeps results for 1 h (the default); no bulk add: 100 coroutines add at once",
                "jobs of a dead worker come back after job_timeout + 10 s: 310 s by default",
            ],
        )

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        self._pool = await create_pool(SETTINGS)
        try:
            yield
        finally:
            await self._pool.aclose()

    async def add(self, task: str, value: int) -> None:
        await self._pool.enqueue_job(task, value)

    async def count(self) -> int:
        return await self._pool.zcard(QUEUE)
