"""Stoker itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import apsw

from benchmarks.stamps import Stamps
from benchmarks.systems.base import System, Tuning
from benchmarks.systems.stoker_app import Tasks, make
from stoker import State
from stoker.config import BrokerURL, WorkerSettings

T = TypeVar("T")

_CHUNK = 20_000


class StokerSystem(System):
    """On one SQLite file."""

    name = "stoker"
    tunings = tuple(Tuning(f"-c {n}", ("-c", str(n))) for n in (100, 300, 1_000))
    prompt = Tuning("-c 10", ("-c", "10"))
    drained = 60_000
    asymmetries = (
        "a job is stored until it is through: a worker that dies loses none",
        "completed jobs are kept (the last 100,000), with events and counts",
        "arguments are checked against the task's types when they are added",
    )

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._url = BrokerURL.of_file(folder / "store.db").text

    @classmethod
    def version(cls) -> str:
        """Return its version and its store's."""
        return (
            f"{version('stoker')}, apsw {apsw.apsw_version()}, SQLite {apsw.sqlite_lib_version()}"
        )

    def _command(self, tuning: Tuning) -> list[str]:
        return ["stoker", "worker", "benchmarks.systems.stoker_worker:app", *tuning.options]

    def _environment(self) -> dict[str, str]:
        return {"STOKER_URL": self._url}

    def prepare(self, count: int, *, delayed: bool = False) -> None:
        """Store no-op jobs, and empty the write-ahead log into the database."""

        async def fill(tasks: Tasks) -> None:
            noop = tasks.noop.options(delay="1d") if delayed else tasks.noop
            for start in range(0, count, _CHUNK):
                await noop.enqueue_many({"n": n} for n in range(start, min(start + _CHUNK, count)))

        self._run(fill)  # closing the last connection empties the log

    def settled(self, count: int) -> bool:
        """Whether so many jobs are completed."""

        async def completed(tasks: Tasks) -> bool:
            counts = (await tasks.app.queue().stats()).counts
            return counts.get(State.COMPLETED, 0) >= count

        return self._run(completed)

    def add_many(self, count: int) -> float:
        """Add with ``enqueue_many``."""

        async def add(tasks: Tasks) -> float:
            calls = [{"n": n} for n in range(count)]
            began = time.perf_counter()
            await tasks.noop.enqueue_many(calls)
            return time.perf_counter() - began

        return self._run(add)

    def add_concurrently(self, callers: int, count: int) -> float:
        """Add from as many coroutines."""

        async def add(tasks: Tasks) -> float:
            async def caller() -> None:
                for n in range(count // callers):
                    await tasks.noop.enqueue(n)

            began = time.perf_counter()
            await asyncio.gather(*[caller() for _ in range(callers)])
            return time.perf_counter() - began

        return self._run(add)

    def add_one_by_one(self, count: int) -> float:
        """Add from one coroutine."""
        return self.add_concurrently(1, count)

    def send_steadily(self, rate: float, seconds: float) -> int:
        """Send from the loop of this process."""
        return self._run(lambda tasks: _send(tasks, rate, seconds))

    def run_in_process(self, rate: float, seconds: float, stamps: Stamps) -> int:
        """Send to a worker in the same loop."""

        async def both(tasks: Tasks) -> int:
            worker = await tasks.app.worker(WorkerSettings(concurrency=10))
            running = asyncio.create_task(worker.run())
            await asyncio.sleep(0.5)
            sent = await _send(tasks, rate, seconds)
            while stamps.count < sent:  # noqa: ASYNC110 - a few ms more are not measured
                await asyncio.sleep(0.01)
            worker.stop()
            await running
            return sent

        return self._run(both, stamps)

    def _run(self, work: Callable[[Tasks], Awaitable[T]], stamps: Stamps | None = None) -> T:
        async def opened() -> T:
            tasks = make(self._url, stamps)
            async with tasks.app:
                return await work(tasks)

        return asyncio.run(opened())


async def _send(tasks: Tasks, rate: float, seconds: float) -> int:
    count = round(rate * seconds)
    loop = asyncio.get_running_loop()
    began = loop.time()
    sending: list[asyncio.Task[object]] = []
    for n in range(count):
        await asyncio.sleep(began + n / rate - loop.time())
        sending.append(asyncio.create_task(tasks.timed.enqueue(time.monotonic_ns())))
    await asyncio.gather(*sending)
    return count
