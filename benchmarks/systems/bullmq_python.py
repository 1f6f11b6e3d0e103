"""BullMQ's own port to Python (PyPI ``bullmq``)."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from bullmq import Queue, Worker

from benchmarks.systems.description import Description, Way
from benchmarks.systems.driver import Coroutines, versions
from benchmarks.systems.handlers import Handlers
from benchmarks.systems.settings import kept, recovery, store

NAME = "bench"
JOB: dict[str, Any] = {"removeOnComplete": {"count": kept()}}
handlers = Handlers()


async def process(job: Any, token: str) -> None:
    n: int = job.data["n"]
    match job.name:
        case "noop":
            handlers.noop()
        case "timed":
            handlers.timed(n)
        case _:
            await handlers.pause(n)


async def work(concurrency: int) -> None:
    """Be a worker: there is no command that starts one."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    back = int(recovery(30) * 1_000)
    options: Any = {
        "connection": store(),
        "concurrency": concurrency,
        "lockDuration": back,
        "stalledInterval": back,
    }
    worker = Worker(NAME, process, options)
    await stop.wait()
    await worker.close(force=True)


def way(concurrency: int) -> Way:
    command = ["-m", "benchmarks.systems.bullmq_python", str(concurrency)]
    return Way(f"concurrency {concurrency}", command)


class Driver(Coroutines):
    _queue: Any

    def description(self) -> Description:
        return Description(
            version=versions("bullmq", "redis", "hiredis"),
            drain=[way(10), way(100), way(300)],
            latency=way(10),
            pauses=way(100),
            drained=4_000,
            notes=[
                "keeps a record of the last 1,000 completed jobs, with an event stream",
                "nothing is lost by default: jobs of a dead worker run again after 30 to 60 s",
            ],
        )

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        options: Any = {"connection": store()}
        self._queue = Queue(NAME, options)
        try:
            yield
        finally:
            await self._queue.close()

    async def add(self, task: str, value: int) -> None:
        await self._queue.add(task, {"n": value}, JOB)

    async def add_all(self, task: str, values: Sequence[int]) -> None:
        for start in range(0, len(values), 1_000):
            part = values[start : start + 1_000]
            await self._queue.addBulk([{"name": task, "data": {"n": n}, "opts": JOB} for n in part])

    async def count(self) -> int:
        counts = await self._queue.getJobCounts("waiting", "active")
        return sum(counts.values())


if __name__ == "__main__":
    asyncio.run(work(int(sys.argv[1])))
