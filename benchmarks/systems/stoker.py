"""Stoker itself, on the store that the URL names."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from benchmarks.systems.description import Description, Way
from benchmarks.systems.driver import Coroutines, chunks, versions
from benchmarks.systems.handlers import Handlers
from benchmarks.systems.settings import kept, recovery, store
from stoker import State, Stoker
from stoker.config import WorkerSettings

SCHEME = store().partition(":")[0]
CLIENTS = {"sqlite": ("apsw",), "redis": ("redis", "hiredis")}

app = Stoker(store())
handlers = Handlers()


@app.task(keep_completed=kept())
async def noop(n: int) -> None:
    handlers.noop()


@app.task(keep_completed=kept())
async def timed(n: int) -> None:
    handlers.timed(n)


@app.task(keep_completed=kept())
async def pause(n: int) -> None:
    await handlers.pause(n)


TASKS = {"noop": noop, "timed": timed, "pause": pause}


def worker(jobs: int, *options: str) -> Way:
    label = " ".join(["stoker worker -c", str(jobs), *options])
    command = ["stoker", "worker", "benchmarks.systems.stoker:app", "-c", str(jobs), *options]
    return Way(label, ["-m", *command])


def engine() -> list[str]:
    """Return the version of what the broker brings along."""
    if SCHEME != "sqlite":
        return []
    import apsw

    return [f"SQLite {apsw.sqlite_lib_version()}"]


class Driver(Coroutines):
    requests = (*Coroutines.requests, "run_in_one_process")

    def description(self) -> Description:
        return Description(
            version=", ".join([versions("stoker", *CLIENTS.get(SCHEME, ())), *engine()]),
            drain=[worker(n) for n in (100, 300, 1_000)],
            latency=worker(10),
            pauses=worker(100),
            kill=worker(100, "--lease", f"{recovery(30):.0f}s"),
            drained=60_000,
            notes=[
                "keeps a record of each job, with events and counts",
                "nothing is lost by default: jobs of a dead worker run again after 30 s",
                "checks arguments against the task's types when they are added",
            ],
        )

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with app:
            yield

    async def add(self, task: str, value: int) -> None:
        await TASKS[task].enqueue(value)

    async def add_all(self, task: str, values: Sequence[int]) -> None:
        await TASKS[task].enqueue_many({"n": n} for n in values)

    async def count(self) -> int:
        counts = (await app.queue().stats()).counts
        return counts.get(State.WAITING, 0) + counts.get(State.ACTIVE, 0)

    def prepare(self, task: str, count: int, delayed: bool = False) -> None:
        chosen = TASKS[task].options(delay="1d") if delayed else TASKS[task]

        async def fill() -> None:
            for chunk in chunks(count):
                await chosen.enqueue_many({"n": n} for n in chunk)

        self.run(fill)  # closing the last connection to a SQLite file empties its log

    def run_in_one_process(self, rate: float, seconds: float) -> int:
        """Send timed jobs to a worker in the same loop. Return how many."""
        count = round(rate * seconds)

        async def both() -> None:
            inside = await app.worker(WorkerSettings(concurrency=10))
            running = asyncio.create_task(inside.run())
            await asyncio.sleep(0.5)
            await self.send(rate, count)
            until = time.monotonic() + 10
            while handlers.stamps.count < count and time.monotonic() < until:  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # a few ms more are not measured
            inside.stop()
            await running

        self.run(both)
        return count
