"""The parts of a worker, put together as a test needs them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from stoker import Stoker
from stoker.broker.base import Broker, Want
from stoker.job.model import JobRecord, Lease, NewJob, lease_of
from stoker.job.outcome import Done, Outcome
from stoker.worker.deadlines import Deadlines
from stoker.worker.executors import Executors
from stoker.worker.fetcher import Fetcher
from stoker.worker.finisher import Finisher
from stoker.worker.pace import Pace
from stoker.worker.reporter import Reporter
from stoker.worker.runner import Runner
from stoker.worker.slots import Room, Slots
from tests.unit.support import Watched, soon


class Heard(list[tuple[str, dict[str, Any]]]):
    """Events, in the order in which they were emitted."""

    def of(self, event: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self if name == event]


async def put(broker: Broker | Watched, count: int = 1, queue: str = "default") -> None:
    await broker.add([NewJob(queue, "work") for _ in range(count)])


async def claimed(broker: Broker | Watched, count: int = 1) -> list[JobRecord]:
    """Return that many new jobs, claimed."""
    await put(broker, count)
    return await broker.claim(Want({"default": count}, count, "w"))


def done(job: JobRecord) -> Done:
    return Done(lease_of(job), "null")


class Settling:
    """A finisher and a fetcher that run no jobs: those that come are only noted."""

    def __init__(
        self, broker: Watched, slots: Slots, *, burst: bool = True, pace: Pace | None = None
    ) -> None:
        self.broker = broker
        self.slots = slots
        self.held: dict[Lease, float] = {}
        self.started: list[JobRecord] = []
        self._came = asyncio.Event()
        real = cast(Broker, broker)
        self.finisher = Finisher(
            real, slots, pace or Pace(slots.total), self._want, self._start, self.held
        )
        self.fetcher = Fetcher(real, slots, self.finisher, self._want, self._start, burst=burst)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        """Run both; yields the fetcher's task."""
        loops = [asyncio.create_task(loop.run()) for loop in (self.finisher, self.fetcher)]
        try:
            yield loops[1]
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)

    @asynccontextmanager
    async def finishing(self) -> AsyncIterator[None]:
        """Run the finisher alone."""
        loop = asyncio.create_task(self.finisher.run())
        try:
            yield
        finally:
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)

    def hold(self, jobs: Sequence[JobRecord]) -> None:
        """Let claimed jobs have slots, as if they were running."""
        room = self.slots.reserve()
        assert room is not None
        self.slots.settle(room, jobs)
        self.held |= {lease_of(job): 0.0 for job in jobs}

    def end(self, *jobs: JobRecord) -> None:
        """End jobs, as the runner does."""
        for job in jobs:
            self.slots.leave(job.queue)
            self.finisher.put(done(job))

    async def settled(self) -> None:
        async with asyncio.timeout(10):
            while not self.finisher.idle:
                await self.finisher.next_idle()

    async def came(self, count: int) -> None:
        """Wait until so many jobs have come."""
        async with asyncio.timeout(10):
            while len(self.started) < count:
                self._came.clear()
                await self._came.wait()

    def _want(self, room: Room) -> Want:
        return Want(room.queues, room.count, "w")

    def _start(self, jobs: Sequence[JobRecord]) -> None:
        self.started += jobs
        self.held |= {lease_of(job): 0.0 for job in jobs}
        self._came.set()


class Running:
    """A runner with all that it uses, but for a finisher: outcomes are only noted."""

    def __init__(self, app: Stoker, broker: Watched, *, slots: int = 10, children: int = 1) -> None:
        self.slots = Slots(slots, {"default": slots}, children)
        self.pace = Pace(slots)
        self.held: dict[Lease, float] = {}
        self.outcomes: list[Outcome] = []
        self.nudges = 0
        self._news = asyncio.Event()
        self.broker = broker
        self.reporter = Reporter(cast(Broker, broker))
        deadlines = Deadlines(lambda run: run.stop("timeout"))
        self.executors = Executors(deadlines)
        self.runner = Runner(
            app.registry,
            self.executors,
            deadlines,
            self.slots,
            self.pace,
            cast(Finisher, self),
            self.reporter,
            self.held,
            max_stalls=3,
        )

    def put(self, outcome: Outcome) -> None:
        self.broker.calls.append(("put", (outcome,)))  # among the calls that came before it
        self.outcomes.append(outcome)
        self._news.set()

    def nudge(self) -> None:
        self.nudges += 1
        self._news.set()

    def start(self, *jobs: JobRecord) -> None:
        room = self.slots.reserve()
        assert room is not None
        self.slots.settle(room, jobs)
        self.runner.start(jobs)

    async def outcome(self, count: int = 1) -> Outcome:
        """Wait until there are so many outcomes; return the last of them."""
        await self._until(lambda: len(self.outcomes) >= count)
        return self.outcomes[count - 1]

    async def nudged(self) -> None:
        """Wait until whoever waits for room was told to look again."""
        await self._until(lambda: self.nudges > 0)

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._news.clear()
                await self._news.wait()

    def room(self) -> int:
        """Return how many jobs would be asked for."""
        room = self.slots.reserve()
        if room is None:
            return 0
        self.slots.settle(room)
        return room.queues["default"]

    async def run(self, *jobs: JobRecord) -> list[Outcome]:
        """Run jobs to their end and return their outcomes."""
        self.start(*jobs)
        await soon(self.runner.idle())
        return self.outcomes
