"""Tiny builders and readers, so that a test says only what matters to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from stoker.broker.base import Broker, Page, Select, Swept, Want
from stoker.failure import Failure, Reason
from stoker.job.model import JobRecord, Keep, Lease, NewJob
from stoker.job.outcome import Done, Failed, Outcome, Released, Retried, Snoozed
from stoker.job.states import State
from tests.contract.clocks import Clock as Clock  # tests take it from here

T = TypeVar("T")
Opener = Callable[[], Awaitable[Broker]]

LEASE_MS = 30_000
"""How long a lease lasts where a test does not say otherwise."""


# Builders


def new(name: str = "noop", queue: str = "q", **fields: Any) -> NewJob:
    return NewJob(queue, name, **fields)


def many(count: int, queue: str = "q", **fields: Any) -> list[NewJob]:
    """Return jobs named ``"0"``, ``"1"``, …"""
    return [new(str(number), queue, **fields) for number in range(count)]


def want(
    queues: str | Mapping[str, int] = "q",
    count: int = 1,
    *,
    worker: str = "w",
    lease_ms: int = LEASE_MS,
) -> Want:
    """Return a want of ``count`` jobs in all, of one queue or as said for each queue."""
    each = {queues: count} if isinstance(queues, str) else queues
    return Want(each, count, worker, lease_ms)


def lease(job: JobRecord) -> Lease:
    assert job.token is not None, f"job {job.id} is not claimed"
    return Lease(job.queue, job.id, job.token)


def done(job: JobRecord, value: str = '"ok"', keep: Keep = Keep()) -> Done:  # noqa: B008
    return Done(lease(job), value, keep)


def failed(job: JobRecord, reason: Reason = "error", keep: Keep = Keep()) -> Failed:  # noqa: B008
    return Failed(lease(job), Failure(reason, "Boom: it broke"), keep)


def retried(job: JobRecord, delay_ms: int = 0) -> Retried:
    return Retried(lease(job), Failure("error", "Boom: it broke"), delay_ms)


def snoozed(job: JobRecord, delay_ms: int = 0) -> Snoozed:
    return Snoozed(lease(job), delay_ms)


def released(job: JobRecord, *, crashed: bool = False) -> Released:
    return Released(lease(job), crashed)


def some(*ids: str, queue: str = "q", **fields: Any) -> Select:
    """Select jobs by their ids."""
    return Select(queue, ids=ids, **fields)


def every(state: State, queue: str = "q", **fields: Any) -> Select:
    """Select all jobs of a state."""
    return Select(queue, state=state, **fields)


# Doing and reading


async def put(broker: Broker, *jobs: NewJob) -> list[str]:
    """Add jobs that must not be duplicates; return their ids."""
    answers = await broker.add(jobs)
    assert not any(answer.duplicate for answer in answers)
    return [answer.id for answer in answers]


async def take(broker: Broker, count: int = 1, queue: str = "q", **fields: Any) -> list[JobRecord]:
    return await broker.claim(want(queue, count, **fields))


async def take_one(broker: Broker, queue: str = "q", **fields: Any) -> JobRecord:
    [job] = await take(broker, 1, queue, **fields)
    return job


async def drain(broker: Broker, queue: str = "q", at_once: int = 1_000) -> list[JobRecord]:
    """Claim until there is nothing left: one claim may give less than there is."""
    taken: list[JobRecord] = []
    while jobs := await take(broker, at_once, queue):
        taken += jobs
    return taken


async def settle(broker: Broker, *outcomes: Outcome) -> frozenset[Lease]:
    """Finish without wanting more; return the leases that were lost."""
    answer = await broker.finish(outcomes)
    assert not answer.jobs
    return answer.lost


async def get(broker: Broker, id: str, queue: str = "q") -> JobRecord:
    detail = await broker.detail(queue, id)
    assert detail is not None, f"job {id} is gone"
    return detail.job


async def state_of(broker: Broker, id: str, queue: str = "q") -> State | None:
    detail = await broker.detail(queue, id)
    return None if detail is None else detail.job.state


async def exists(broker: Broker, id: str, queue: str = "q") -> bool:
    return await broker.detail(queue, id) is not None


async def counts(broker: Broker, queue: str = "q") -> dict[State, int]:
    """Return how many jobs there are in each state that has any."""
    return {
        state: count
        for stats in await broker.queues([queue])
        for state, count in stats.counts.items()
        if count
    }


async def pages(broker: Broker, select: Select) -> list[Page]:
    """Follow the cursors of ``find`` to the end."""
    found = [await broker.find(select)]
    while found[-1].next is not None:
        found.append(await broker.find(msgspec.structs.replace(select, after=found[-1].next)))
    assert all(len(page.jobs) <= select.limit for page in found)
    return found


async def find(broker: Broker, select: Select) -> list[JobRecord]:
    """Return all that is selected, from as many pages as it takes."""
    return [job for page in await pages(broker, select) for job in page.jobs]


async def sweep(call: Callable[[Select], Awaitable[Swept]], select: Select) -> list[list[str]]:
    """Repeat a bulk operation to its end; return the ids that each chunk changed."""
    swept = await call(select)
    chunks = [list(swept.ids)]
    while swept.next is not None:
        swept = await call(msgspec.structs.replace(select, after=swept.next))
        chunks.append(list(swept.ids))
    assert all(len(chunk) <= select.limit for chunk in chunks)
    return chunks


async def recover_all(broker: Broker, queue: str = "q", max_stalls: int = 3) -> list[str]:
    """Recover, a bounded piece at a time, until there is nothing left to take back."""
    taken: list[str] = []
    while piece := await broker.recover([queue], max_stalls):
        taken += piece
    return taken


def ids(jobs: Sequence[JobRecord]) -> list[str]:
    return [job.id for job in jobs]


def names(jobs: Sequence[JobRecord]) -> list[str]:
    return [job.name for job in jobs]


def failure(job: JobRecord) -> Failure:
    assert job.failure is not None, f"job {job.id} has no failure"
    return msgspec.json.decode(job.failure, type=Failure)


# Waiting


async def soon(waiting: Awaitable[T]) -> T:
    """Wait for what has to happen; the time is far above what any broker needs."""
    return await asyncio.wait_for(waiting, 10)


async def looked(broker: Broker, *others: Broker) -> None:
    """Let calls begun before this one look at the store, so that they are waiting by now."""
    for one in (broker, *others) * 5:
        await one.queues()


async def in_threads(*work: Callable[[], Coroutine[Any, Any, T]]) -> list[T]:
    """Run each in a thread with an event loop of its own, all at once, and return their results."""
    start = threading.Barrier(len(work))

    def run(one: Callable[[], Coroutine[Any, Any, T]]) -> T:
        start.wait()
        return asyncio.run(one())

    return await soon(asyncio.gather(*(asyncio.to_thread(run, one) for one in work)))
