"""Leases: only who holds a job may write to it, and "lost" is an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
import pytest

from stoker.broker.base import Broker
from stoker.job.model import JobRecord, Keep, Lease
from stoker.job.outcome import Outcome
from stoker.job.states import State
from tests.contract.support import (
    LEASE_MS,
    Clock,
    counts,
    done,
    failed,
    get,
    lease,
    many,
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

# How a worker can lose the job it holds

Loss = Callable[[Broker, Clock, JobRecord], Awaitable[object]]


async def finished(broker: Broker, clock: Clock, job: JobRecord) -> None:
    await settle(broker, done(job))


async def handed_back(broker: Broker, clock: Clock, job: JobRecord) -> None:
    await settle(broker, released(job))


async def claimed_anew(broker: Broker, clock: Clock, job: JobRecord) -> None:
    await settle(broker, released(job))
    await take_one(broker)


async def delayed(broker: Broker, clock: Clock, job: JobRecord) -> None:
    await settle(broker, snoozed(job, 5_000))


async def recovered(broker: Broker, clock: Clock, job: JobRecord) -> None:
    clock.advance(LEASE_MS + 1)
    await recover_all(broker)


async def recovered_and_claimed_anew(broker: Broker, clock: Clock, job: JobRecord) -> None:
    await recovered(broker, clock, job)
    await take_one(broker)


async def given_up(broker: Broker, clock: Clock, job: JobRecord) -> None:
    clock.advance(LEASE_MS + 1)
    await recover_all(broker, max_stalls=0)


async def cancelled(broker: Broker, clock: Clock, job: JobRecord) -> None:
    await broker.cancel(some(job.id), "no")


async def replayed(broker: Broker, clock: Clock, job: JobRecord) -> None:
    await settle(broker, failed(job))
    await broker.requeue(some(job.id))


async def removed(broker: Broker, clock: Clock, job: JobRecord) -> None:
    await broker.remove(some(job.id), force=True)


async def removed_and_added_anew(broker: Broker, clock: Clock, job: JobRecord) -> None:
    await removed(broker, clock, job)
    await put(broker, new(id=job.id))
    await take_one(broker)


LOSSES = [
    finished,
    handed_back,
    claimed_anew,
    delayed,
    recovered,
    recovered_and_claimed_anew,
    given_up,
    cancelled,
    replayed,
    removed,
    removed_and_added_anew,
]
OUTCOMES = [done, failed, retried, snoozed, released]

losses = pytest.mark.parametrize("lose", LOSSES, ids=lambda lose: lose.__name__)
outcomes = pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda make: make.__name__)


@losses
@outcomes
async def test_a_late_outcome_is_lost_and_changes_nothing(
    broker: Broker, clock: Clock, lose: Loss, outcome: Callable[[JobRecord], Outcome]
) -> None:
    await put(broker, new(id="a"))
    job = await take_one(broker)
    await lose(broker, clock, job)
    before = await broker.detail("q", "a"), await counts(broker)

    lost = await settle(broker, outcome(job))

    assert lost == {lease(job)}
    assert (await broker.detail("q", "a"), await counts(broker)) == before


@losses
async def test_a_late_outcome_applies_no_retention(
    broker: Broker, clock: Clock, lose: Loss
) -> None:
    await put(broker, new())
    await settle(broker, done(await take_one(broker)))
    await put(broker, new(id="a"))
    job = await take_one(broker)
    await lose(broker, clock, job)
    before = await counts(broker)

    await settle(broker, done(job, keep=Keep(count=1)), failed(job, keep=Keep(count=0)))

    assert await counts(broker) == before


@losses
async def test_a_lost_lease_cannot_be_extended(broker: Broker, clock: Clock, lose: Loss) -> None:
    await put(broker, new(id="a"))
    job = await take_one(broker)
    await lose(broker, clock, job)
    before = await broker.detail("q", "a")

    lost = await broker.extend([lease(job)], LEASE_MS)

    assert lost == {lease(job)}
    assert await broker.detail("q", "a") == before


async def test_a_late_extension_does_not_prolong_the_new_lease(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, new())
    late = await take_one(broker)
    await claimed_anew(broker, clock, late)

    await broker.extend([lease(late)], 10 * LEASE_MS)

    clock.advance(LEASE_MS + 1)
    assert await recover_all(broker) == [late.id]


@pytest.mark.parametrize("id", ["a", None], ids=["custom id", "broker's id"])
async def test_a_lease_holds_for_its_own_queue_only(broker: Broker, id: str | None) -> None:
    await put(broker, new(queue="one", id=id), new(queue="two", id=id))
    job = await take_one(broker, "one")
    await take_one(broker, "two")
    foreign = msgspec.structs.replace(job, queue="two")

    lost = await settle(broker, done(foreign))
    not_extended = await broker.extend([lease(foreign)], LEASE_MS)

    assert lost == not_extended == {lease(foreign)}
    assert await counts(broker, "one") == await counts(broker, "two") == {State.ACTIVE: 1}


async def test_a_lease_holds_for_its_own_job_only(broker: Broker) -> None:
    await put(broker, *many(2))
    one, two = await take(broker, 2)
    await settle(broker, released(one))
    other = msgspec.structs.replace(one, token=(await take_one(broker)).token)
    mixed = msgspec.structs.replace(two, token=other.token)

    lost = await settle(broker, done(mixed))

    assert lost == {lease(mixed)}
    assert await counts(broker) == {State.ACTIVE: 2}


@pytest.mark.parametrize(
    "never_held", [Lease("q", "nobody", "t"), Lease("nowhere", "a", "t"), Lease("q", "a", "")]
)
async def test_a_lease_that_never_was_is_lost(broker: Broker, never_held: Lease) -> None:
    await put(broker, new(id="a"))
    token = msgspec.structs.replace(
        await get(broker, "a"), queue=never_held.queue, id=never_held.id, token=never_held.token
    )

    lost = await settle(broker, done(token))
    not_extended = await broker.extend([never_held], LEASE_MS)

    assert lost == not_extended == {never_held}
    assert await counts(broker) == {State.WAITING: 1}


async def test_the_others_of_a_batch_are_settled_though_some_are_lost(broker: Broker) -> None:
    await put(broker, *many(5))
    jobs = await take(broker, 5)
    await broker.cancel(some(jobs[1].id, jobs[3].id), "no")

    lost = await settle(broker, *(done(job) for job in jobs))

    assert lost == {lease(jobs[1]), lease(jobs[3])}
    assert await counts(broker) == {State.COMPLETED: 3, State.FAILED: 2}


async def test_the_same_job_twice_in_a_batch_is_settled_once(broker: Broker) -> None:
    await put(broker, new())
    job = await take_one(broker)

    await settle(broker, retried(job, 50), done(job))

    stored = await get(broker, job.id)
    assert (stored.state, stored.attempts) == (State.DELAYED, 1)


@outcomes
async def test_a_lease_that_ran_out_counts_if_nobody_stepped_in(
    broker: Broker, clock: Clock, outcome
) -> None:
    await put(broker, new())
    job = await take_one(broker)
    clock.advance(100 * LEASE_MS)

    lost = await settle(broker, outcome(job))

    assert not lost
    assert await state_of(broker, job.id) != State.ACTIVE
    assert await recover_all(broker) == []


async def test_an_extended_lease_lives_from_now(broker: Broker, clock: Clock) -> None:
    await put(broker, *many(2))
    extended, other = await take(broker, 2)
    clock.advance(LEASE_MS - 1)

    lost = await broker.extend([lease(extended)], LEASE_MS)

    assert lost == set()
    clock.advance(LEASE_MS - 1)
    assert await recover_all(broker) == [other.id]
    clock.advance(2)
    assert await recover_all(broker) == [extended.id]


async def test_an_extension_may_shorten_a_lease(broker: Broker, clock: Clock) -> None:
    await put(broker, new())
    job = await take_one(broker)

    await broker.extend([lease(job)], 100)

    clock.advance(101)
    assert await recover_all(broker) == [job.id]


async def test_an_extension_changes_nothing_but_the_lease(broker: Broker, clock: Clock) -> None:
    await put(broker, new())
    job = await take_one(broker)
    clock.advance(50)

    await broker.extend([lease(job)], LEASE_MS)

    assert await get(broker, job.id) == job


async def test_a_lease_that_ran_out_can_be_extended_if_nobody_stepped_in(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, new())
    job = await take_one(broker)
    clock.advance(LEASE_MS + 1)

    lost = await broker.extend([lease(job)], LEASE_MS)

    assert lost == set()
    assert await recover_all(broker) == []


async def test_many_leases_are_extended_at_once_and_the_lost_are_named(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, *many(300, "a"), *many(300, "b"))
    jobs = [*await take(broker, 300, "a"), *await take(broker, 300, "b")]
    await settle(broker, *(done(job) for job in jobs[::50]))
    clock.advance(LEASE_MS - 1)

    lost = await broker.extend([lease(job) for job in jobs], LEASE_MS)

    assert lost == {lease(job) for job in jobs[::50]}
    clock.advance(2)
    assert [*await recover_all(broker, "a"), *await recover_all(broker, "b")] == []


async def test_extending_nothing_is_calm(broker: Broker) -> None:
    lost = await broker.extend([], LEASE_MS)

    assert lost == set()
