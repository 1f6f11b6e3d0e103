"""SAQ, on Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from saq import Queue

from benchmarks.systems.description import Description, Way
from benchmarks.systems.driver import Coroutines, versions
from benchmarks.systems.handlers import Handlers
from benchmarks.systems.settings import AT_ONCE, at_once, recovery, store

handlers = Handlers()


async def noop(context: object, *, n: int) -> None:
    handlers.noop()


async def timed(context: object, *, n: int) -> None:
    handlers.timed(n)


async def pause(context: object, *, n: int) -> None:
    await handlers.pause(n)


queue: Any = Queue.from_url(store())
settings = {
    "queue": queue,
    "functions": [noop, timed, pause],
    "concurrency": at_once(),
    "timers": {"sweep": 1},
}


def worker(jobs: int) -> Way:
    command = ["-m", "saq", "--quiet", "benchmarks.systems.saq.settings"]
    return Way(f"saq, concurrency={jobs}", command, {AT_ONCE: str(jobs)})


class Driver(Coroutines):
    def description(self) -> Description:
        return Description(
            version=versions("saq", "redis", "hiredis"),
            drain=[worker(10), worker(100)],
            latency=worker(10),
            pauses=worker(100),
            drained=4_000,
            bulk=False,
            notes=[
                "keeps results for 600 s (the default); no bulk add: 100 coroutines add at once",
                "jobs have retries=3: by default (1) the jobs of a dead worker are aborted; they "
                "count as stuck after timeout (10 s by default) and are swept each 60 s, one after "
                "another, up to 5 s for each",
            ],
        )

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        global queue
        queue = Queue.from_url(store())  # a queue cannot be connected twice
        await queue.connect()
        try:
            yield
        finally:
            await queue.disconnect()

    async def add(self, task: str, value: int) -> None:
        await queue.enqueue(task, n=value, retries=3, timeout=int(recovery(10)))

    async def count(self) -> int:
        return await queue.count("queued") + await queue.count("active")
