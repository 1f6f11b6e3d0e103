"""The half of a system that runs where that system is installed.

A system is one program in this folder, in its own language and environment. The benchmark starts
it, writes requests to its standard input, one JSON object a line, and reads as many answers:
``{"do": "add_many", "args": {"count": 1000}}`` is answered by ``{"value": 0.31}`` or by
``{"error": "…"}``. Workers are processes of their own, started by the command that it names.

There are three tasks, each with one whole number: ``noop`` ticks a stamp, ``timed`` notes how long
ago it was sent, ``pause`` waits for 10 ms and then marks its number.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import ClassVar

from benchmarks.systems.description import Description

_CHUNK = 10_000
TURNING_SECONDS = 0.002
"""The last of the time until a job is due is spent turning round, in every system's own language: a
loop's timers are up to a millisecond late, which would be counted as the system's latency."""


class Driver(ABC):
    """Answers the benchmark's requests."""

    requests: ClassVar[tuple[str, ...]] = (
        "describe", "prepare", "left", "add_many", "add_concurrently", "add_one_by_one",
        "send_steadily",
    )  # fmt: skip

    @abstractmethod
    def description(self) -> Description:
        """Describe the system."""

    @abstractmethod
    def prepare(self, task: str, count: int, delayed: bool = False) -> None:
        """Store jobs, numbered from 0, and put the store in order; not measured."""

    @abstractmethod
    def left(self) -> int:
        """Return how many jobs the store still holds as waiting or running."""

    @abstractmethod
    def add_many(self, count: int) -> float:
        """Add no-op jobs in bulk, if it can. Return the seconds it took, as the next two do."""

    @abstractmethod
    def add_concurrently(self, callers: int, count: int) -> float:
        """Add no-op jobs one a call from many callers at once, ``count`` in all."""

    @abstractmethod
    def add_one_by_one(self, count: int) -> float:
        """Add no-op jobs one a call, each when the one before is stored."""

    @abstractmethod
    def send_steadily(self, rate: float, seconds: float) -> int:
        """Add timed jobs when each is due, whether the ones before are stored or not.

        Time is counted from when each was due: a slow call delays the next, and hides nothing.
        Return how many.
        """

    def describe(self) -> dict[str, object]:
        """Describe the system as plain data."""
        return asdict(self.description())


class Blocking(Driver):
    """A system whose calls block: many callers are threads."""

    @abstractmethod
    def add(self, task: str, value: int) -> None:
        """Add a job."""

    def add_all(self, task: str, values: Sequence[int]) -> None:
        """Add many jobs: with one call if there is such a call."""
        for value in values:
            self.add(task, value)

    def prepare(self, task: str, count: int, delayed: bool = False) -> None:
        assert not delayed, "not for this system"
        for chunk in chunks(count):
            self.add_all(task, chunk)

    def add_many(self, count: int) -> float:
        self.left()  # connects
        began = time.perf_counter()
        self.add_all("noop", range(count))
        return time.perf_counter() - began

    def add_one_by_one(self, count: int) -> float:
        self.left()
        began = time.perf_counter()
        for n in range(count):
            self.add("noop", n)
        return time.perf_counter() - began

    def add_concurrently(self, callers: int, count: int) -> float:
        ready = threading.Barrier(callers + 1)

        def caller() -> None:
            ready.wait()
            for n in range(count // callers):
                self.add("noop", n)

        threads = [threading.Thread(target=caller) for _ in range(callers)]
        for thread in threads:
            thread.start()
        ready.wait()
        began = time.perf_counter()
        for thread in threads:
            thread.join()
        return time.perf_counter() - began

    def send_steadily(self, rate: float, seconds: float) -> int:
        self.left()
        forget_what_is_loaded()
        count = round(rate * seconds)
        for due in instants(rate, count):
            for wait in waits_until(due):
                if wait:  # to sleep for 0 takes a thread 50 µs and more
                    time.sleep(wait)
            self.add("timed", due)
        return count


class Coroutines(Driver):
    """A system whose calls are awaited. It is opened for each request, outside what is timed."""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Connect, and disconnect in the end."""
        yield

    @abstractmethod
    async def add(self, task: str, value: int) -> None:
        """Add a job."""

    async def add_all(self, task: str, values: Sequence[int]) -> None:
        """Add many jobs: with one call if there is such a call, else from 100 coroutines."""
        rest = iter(values)

        async def caller() -> None:
            for value in rest:
                await self.add(task, value)

        await asyncio.gather(*[caller() for _ in range(100)])

    @abstractmethod
    async def count(self) -> int:
        """Return how many jobs the store still holds as waiting or running."""

    def prepare(self, task: str, count: int, delayed: bool = False) -> None:
        assert not delayed, "not for this system"

        async def fill() -> None:
            for chunk in chunks(count):
                await self.add_all(task, chunk)

        self.run(fill)

    def left(self) -> int:
        found: list[int] = []

        async def look() -> None:
            found.append(await self.count())

        self.run(look)
        return found[0]

    def add_many(self, count: int) -> float:
        return self.run(lambda: self.add_all("noop", range(count)))

    def add_one_by_one(self, count: int) -> float:
        return self.add_concurrently(1, count)

    def add_concurrently(self, callers: int, count: int) -> float:
        async def caller() -> None:
            for n in range(count // callers):
                await self.add("noop", n)

        async def all_of_them() -> None:
            await asyncio.gather(*[caller() for _ in range(callers)])

        return self.run(all_of_them)

    def send_steadily(self, rate: float, seconds: float) -> int:
        count = round(rate * seconds)
        self.run(lambda: self.send(rate, count))
        return count

    async def send(self, rate: float, count: int) -> None:
        """Add timed jobs when each is due."""
        forget_what_is_loaded()
        sending: list[asyncio.Task[None]] = []
        for due in instants(rate, count):
            for wait in waits_until(due):
                await asyncio.sleep(wait)
            sending.append(asyncio.create_task(self.add("timed", due)))
        await asyncio.gather(*sending)

    def run(self, work: Callable[[], Awaitable[None]]) -> float:
        """Do something with an open system; return the seconds it took."""

        async def timed() -> float:
            async with self.opened():
                await self.count()  # connects
                began = time.perf_counter()
                await work()
                return time.perf_counter() - began

        return asyncio.run(timed())


def forget_what_is_loaded() -> None:
    """Spare the collector the modules of a process that has only just begun.

    A server has long been through them. Here it would come upon all of them at once, in the middle
    of one job or the other: up to 40 ms, whatever the system.
    """
    gc.collect()
    gc.freeze()


def versions(*packages: str) -> str:
    """Return the versions of these distributions; the first is the system itself."""
    first, *others = packages
    found = [version(first)]
    for package in others:
        with suppress(PackageNotFoundError):
            found.append(f"{package} {version(package)}")
    return ", ".join(found)


def instants(rate: float, count: int) -> Iterator[int]:
    """Yield when each of ``count`` jobs is due at ``rate`` a second, in monotonic nanoseconds."""
    began = time.monotonic_ns()
    for n in range(count):
        yield began + round(n / rate * 1e9)


def waits_until(due: int) -> Iterator[float]:
    """Yield how long to sleep each time, until an instant has come: 0 at last, again and again."""
    ahead = (due - time.monotonic_ns()) / 1e9 - TURNING_SECONDS
    if ahead > 0:
        yield ahead
    while time.monotonic_ns() < due:
        yield 0.0


def chunks(count: int, size: int = _CHUNK) -> list[range]:
    """Return the numbers below ``count``, in parts."""
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def serve(driver: Driver) -> None:
    """Answer requests until there are no more. Whatever else is printed goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        assert request["do"] in driver.requests, request
        try:
            answer = {"value": getattr(driver, request["do"])(**request["args"])}
        except Exception as error:  # whatever it is, the benchmark says so and goes on
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)
