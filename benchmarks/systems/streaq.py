"""streaq."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from streaq import Worker

from benchmarks.systems.description import Description, Way
from benchmarks.systems.driver import Coroutines, versions
from benchmarks.systems.handlers import Handlers
from benchmarks.systems.settings import AT_ONCE, at_once, recovery, store

handlers = Handlers()


def tasks() -> tuple[Any, dict[str, Any]]:
    """Return a worker and its tasks."""
    worker: Any = Worker(
        redis_url=store(),
        concurrency=at_once(),
        idle_timeout=recovery(60),
        anyio_kwargs={"use_uvloop": True},
    )

    @worker.task(name="noop")
    async def noop(n: int) -> None:
        handlers.noop()

    @worker.task(name="timed")
    async def timed(n: int) -> None:
        handlers.timed(n)

    @worker.task(name="pause")
    async def pause(n: int) -> None:
        await handlers.pause(n)

    return worker, {"noop": noop, "timed": timed, "pause": pause}


worker = tasks()[0]


def way(jobs: int) -> Way:
    command = ["-m", "streaq", "run", "benchmarks.systems.streaq:worker"]
    return Way(f"streaq run, concurrency={jobs}", command, {AT_ONCE: str(jobs)})


class Driver(Coroutines):
    def description(self) -> Description:
        return Description(
            version=versions("streaq", "coredis"),
            drain=[way(16), way(100), way(1_000)],
            latency=way(16),
            pauses=way(100),
            drained=6_000,
            notes=[
                "keeps results for 300 s (the default)",
                "jobs of a dead worker come back after idle_timeout: 60 s by default",
            ],
        )

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        self._worker, self._tasks = tasks()  # its connections belong to one loop
        async with self._worker:
            yield

    async def add(self, task: str, value: int) -> None:
        await self._tasks[task].enqueue(value)

    async def add_all(self, task: str, values: Sequence[int]) -> None:
        enqueue = self._tasks[task].enqueue
        for start in range(0, len(values), 1_000):
            await self._worker.enqueue_many([enqueue(n) for n in values[start : start + 1_000]])

    async def count(self) -> int:
        return await self._worker.queue_size()
