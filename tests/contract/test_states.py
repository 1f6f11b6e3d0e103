"""The life cycle: every operation from every state, held against the table of moves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import pytest

from stoker.broker.base import Broker, Patch
from stoker.job.model import JobRecord, Keep
from stoker.job.states import FINISHED, TRANSITIONS, State
from tests.contract.support import (
    LEASE_MS,
    Clock,
    counts,
    done,
    exists,
    failed,
    get,
    new,
    put,
    recover_all,
    released,
    retried,
    settle,
    snoozed,
    some,
    state_of,
    take,
    take_one,
)

DELAY_MS = 1_000

Move = Callable[[Broker, Clock, JobRecord], Awaitable[object]]
"""Does an operation to the job "a", of which a worker holds this record or held it last."""


async def bring(broker: Broker, state: State | None) -> JobRecord:
    """Bring the job "a" to a state; return it as a worker got it, with the token of that time.

    Every job was claimed before, so that there is a lease to show, if only a stale one.
    """
    await put(broker, new(id="a"))
    job = await take_one(broker)
    match state:
        case State.WAITING:
            await settle(broker, released(job))
        case State.DELAYED:
            await settle(broker, snoozed(job, DELAY_MS))
        case State.COMPLETED:
            await settle(broker, done(job))
        case State.FAILED:
            await settle(broker, failed(job))
        case State.ACTIVE:
            pass
        case None:
            await broker.remove(some("a"), force=True)
    assert await state_of(broker, "a") == state
    return job


async def promote(broker: Broker, clock: Clock, job: JobRecord) -> None:
    """Let the due time come, and somebody claim a more urgent job."""
    clock.advance(DELAY_MS)
    await put(broker, new("urgent", id="urgent", lifo=True))
    assert (await take_one(broker)).id == "urgent"


async def expire(broker: Broker, clock: Clock, max_stalls: int) -> None:
    clock.advance(LEASE_MS + 1)
    await recover_all(broker, max_stalls=max_stalls)


MOVES: Mapping[str, Sequence[Move]] = {
    "add": (
        lambda broker, clock, job: broker.add([new(id="a")]),
        lambda broker, clock, job: broker.add([new(id="a", delay_ms=DELAY_MS)]),
    ),
    "promote": (promote,),
    "claim": (lambda broker, clock, job: take(broker),),
    "finish: Done": (
        lambda broker, clock, job: settle(broker, done(job)),
        lambda broker, clock, job: settle(broker, done(job, keep=Keep(count=0))),
    ),
    "finish: Failed": (
        lambda broker, clock, job: settle(broker, failed(job)),
        lambda broker, clock, job: settle(broker, failed(job, "crashed", keep=Keep(count=0))),
    ),
    "finish: Retried": (
        lambda broker, clock, job: settle(broker, retried(job)),
        lambda broker, clock, job: settle(broker, retried(job, DELAY_MS)),
    ),
    "finish: Snoozed": (
        lambda broker, clock, job: settle(broker, snoozed(job)),
        lambda broker, clock, job: settle(broker, snoozed(job, DELAY_MS)),
    ),
    "finish: Released": (
        lambda broker, clock, job: settle(broker, released(job)),
        lambda broker, clock, job: settle(broker, released(job, crashed=True)),
    ),
    "recover": (
        lambda broker, clock, job: expire(broker, clock, max_stalls=3),
        lambda broker, clock, job: expire(broker, clock, max_stalls=0),
    ),
    "requeue": (lambda broker, clock, job: broker.requeue(some("a")),),
    "cancel": (lambda broker, clock, job: broker.cancel(some("a"), "no"),),
    "update": (
        lambda broker, clock, job: broker.update("q", "a", Patch(delay_ms=5 * DELAY_MS)),
        lambda broker, clock, job: broker.update("q", "a", Patch(delay_ms=0)),
    ),
    "remove": (lambda broker, clock, job: broker.remove(some("a"), force=True),),
}
"""For each operation of the table, ways to do it that together make all its moves."""

STATES = (None, *State)

operations = pytest.mark.parametrize("operation", TRANSITIONS)


def test_every_operation_of_the_table_is_walked() -> None:
    assert set(MOVES) == set(TRANSITIONS)


@operations
@pytest.mark.parametrize("before", STATES, ids=lambda state: state or "not stored")
async def test_an_operation_makes_the_moves_of_the_table_and_no_others(
    broker: Broker, clock: Clock, operation: str, before: State | None
) -> None:
    allowed = TRANSITIONS[operation].get(before, frozenset())

    reached = set()
    for move in MOVES[operation]:
        job = await bring(broker, before)
        stored = await get(broker, "a") if before else None
        await move(broker, clock, job)
        reached.add(await state_of(broker, "a"))
        if before and not allowed:
            assert await get(broker, "a") == stored
        await broker.remove(some("a", "urgent"), force=True)

    assert reached - {before} == allowed


@operations
async def test_the_counts_follow_each_move(broker: Broker, clock: Clock, operation: str) -> None:
    for before in TRANSITIONS[operation]:
        for move in MOVES[operation]:
            job = await bring(broker, before)
            await move(broker, clock, job)
            await broker.remove(some("urgent"), force=True)

            after = await state_of(broker, "a")

            assert await counts(broker) == ({} if after is None else {after: 1})
            await broker.remove(some("a"), force=True)


@operations
@pytest.mark.parametrize("before", State)
async def test_only_a_running_job_has_a_token_and_only_a_finished_one_an_end(
    broker: Broker, clock: Clock, operation: str, before: State
) -> None:
    for move in MOVES[operation]:
        job = await bring(broker, before)
        await move(broker, clock, job)

        if await exists(broker, "a"):
            stored = await get(broker, "a")
            assert (stored.token is not None) == (stored.state is State.ACTIVE)
            assert (stored.finished_at is not None) == (stored.state in FINISHED)
            assert stored.state is not State.DELAYED or stored.due_at is not None
        await broker.remove(some("a", "urgent"), force=True)
