"""Finishing: what each outcome makes of a job, and the next jobs in the same call."""

from __future__ import annotations

import asyncio

import pytest

from stoker.broker.base import Broker, QueueSettings
from stoker.failure import Failure
from stoker.job.model import Keep
from stoker.job.outcome import Failed, Retried
from stoker.job.states import State
from tests.contract.support import (
    LEASE_MS,
    Clock,
    counts,
    done,
    drain,
    exists,
    failed,
    failure,
    get,
    ids,
    lease,
    many,
    names,
    new,
    put,
    recover_all,
    released,
    retried,
    settle,
    snoozed,
    soon,
    state_of,
    take,
    take_one,
    want,
)


async def test_done_completes_a_job_with_its_result(broker: Broker, clock: Clock) -> None:
    await put(broker, new())
    job = await take_one(broker)
    clock.advance(70)

    lost = await settle(broker, done(job, '{"sent": 3}'))

    assert not lost
    stored = await get(broker, job.id)
    assert (stored.state, stored.result) == (State.COMPLETED, '{"sent": 3}')
    assert (stored.finished_at, stored.claimed_at) == (clock.now, clock.now - 70)
    assert (stored.failure, stored.token) == (None, None)


async def test_failed_makes_a_dead_letter_with_its_failure(broker: Broker, clock: Clock) -> None:
    await put(broker, new())
    job = await take_one(broker)
    clock.advance(70)
    why = Failure("timeout", "it took too long", "line 1\nline 2")

    lost = await settle(broker, Failed(lease(job), why))

    assert not lost
    stored = await get(broker, job.id)
    assert (stored.state, failure(stored)) == (State.FAILED, why)
    assert (stored.finished_at, stored.result, stored.token) == (clock.now, None, None)


async def test_retried_delays_a_job_and_keeps_its_failure(broker: Broker, clock: Clock) -> None:
    await put(broker, new())
    job = await take_one(broker)
    clock.advance(70)
    why = Failure("error", "ValueError: no", "line 1\nline 2")

    lost = await settle(broker, Retried(lease(job), why, 500))

    assert not lost
    stored = await get(broker, job.id)
    assert (stored.state, stored.due_at) == (State.DELAYED, clock.now + 500)
    assert (failure(stored), stored.finished_at, stored.token) == (why, None, None)


async def test_snoozed_delays_a_job_without_a_failure(broker: Broker, clock: Clock) -> None:
    await put(broker, new())
    job = await take_one(broker)
    clock.advance(70)

    lost = await settle(broker, snoozed(job, 500))

    assert not lost
    stored = await get(broker, job.id)
    assert (stored.state, stored.due_at) == (State.DELAYED, clock.now + 500)
    assert (stored.failure, stored.finished_at, stored.token) == (None, None, None)


@pytest.mark.parametrize("outcome", [released, retried, snoozed], ids=lambda make: make.__name__)
async def test_without_a_delay_a_job_waits_again(broker: Broker, outcome) -> None:
    await put(broker, new())
    job = await take_one(broker)

    lost = await settle(broker, outcome(job))

    assert not lost
    stored = await get(broker, job.id)
    assert (stored.state, stored.token, stored.finished_at) == (State.WAITING, None, None)
    assert ids(await take(broker)) == [job.id]


@pytest.mark.parametrize("outcome", [retried, snoozed], ids=lambda make: make.__name__)
async def test_with_a_delay_a_job_runs_again_once_it_is_due(
    broker: Broker, clock: Clock, outcome
) -> None:
    await put(broker, new())
    job = await take_one(broker)
    await settle(broker, outcome(job, 500))

    clock.advance(499)
    before = await take(broker)
    clock.advance(1)
    after = await take(broker)

    assert before == []
    assert ids(after) == [job.id]


async def test_a_finished_job_is_not_run_again(broker: Broker, clock: Clock) -> None:
    await put(broker, *many(2))
    one, two = await take(broker, 2)
    await settle(broker, done(one), failed(two))

    clock.advance(100 * LEASE_MS)

    assert await recover_all(broker) == []
    assert await take(broker, 10) == []


@pytest.mark.parametrize(
    "outcome", [done, failed, retried, snoozed, released], ids=lambda make: make.__name__
)
async def test_the_last_holder_stays_on_record(broker: Broker, clock: Clock, outcome) -> None:
    await put(broker, new())
    job = await take_one(broker, worker="host-7")
    clock.advance(70)

    await settle(broker, outcome(job))

    stored = await get(broker, job.id)
    assert (stored.worker, stored.claimed_at) == ("host-7", job.claimed_at)


async def test_a_batch_settles_each_job_in_its_own_way(broker: Broker) -> None:
    await put(broker, *many(5))
    a, b, c, d, e = await take(broker, 5)

    lost = await settle(broker, done(a), failed(b), retried(c, 50), snoozed(d, 50), released(e))

    assert not lost
    assert [await state_of(broker, job.id) for job in (a, b, c, d, e)] == [
        State.COMPLETED,
        State.FAILED,
        State.DELAYED,
        State.DELAYED,
        State.WAITING,
    ]


async def test_a_batch_may_settle_jobs_of_several_queues(broker: Broker) -> None:
    await put(broker, new(queue="a", id="same"), new(queue="b", id="same"))
    jobs = await broker.claim(want({"a": 1, "b": 1}, 2))

    lost = await settle(broker, done(jobs[0]), failed(jobs[1]))

    assert not lost
    assert await counts(broker, "a") == {State.COMPLETED: 1}
    assert await counts(broker, "b") == {State.FAILED: 1}


async def test_a_large_batch_is_settled_whole(broker: Broker) -> None:
    await put(broker, *many(1_500))
    jobs = await drain(broker)

    lost = await settle(broker, *(done(job) for job in jobs))

    assert not lost
    assert await counts(broker) == {State.COMPLETED: 1_500}


async def test_finishing_nothing_is_calm(broker: Broker) -> None:
    lost = await settle(
        broker,
    )

    assert not lost


async def test_the_next_jobs_come_with_the_answer(broker: Broker, clock: Clock) -> None:
    await put(broker, *many(4))
    job = await take_one(broker)
    clock.advance(70)

    answer = await broker.finish([done(job)], want(count=2, worker="next"))

    assert names(answer.jobs) == ["1", "2"]
    for job in answer.jobs:
        assert job.token
        assert (job.state, job.worker, job.claimed_at) == (State.ACTIVE, "next", clock.now)
        assert await get(broker, job.id) == job


async def test_what_was_just_settled_may_be_among_the_next_jobs(broker: Broker) -> None:
    await put(broker, new("a"), new("b", priority=1))
    job = await take_one(broker)

    answer = await broker.finish([released(job)], want(count=2))

    assert names(answer.jobs) == ["a", "b"]
    assert answer.jobs[0].token != job.token


async def test_the_next_jobs_include_those_that_just_fell_due(broker: Broker, clock: Clock) -> None:
    await put(broker, new("a"), new("b", delay_ms=100))
    job = await take_one(broker)
    clock.advance(100)

    answer = await broker.finish([done(job)], want(count=5))

    assert names(answer.jobs) == ["b"]


async def test_the_next_jobs_obey_limits_and_pauses(broker: Broker) -> None:
    await put(broker, *many(3, "a"), *many(3, "b"), *many(3, "c"))
    [job] = await take(broker, 1, "a")
    await broker.configure("b", QueueSettings(paused=True))

    answer = await broker.finish([done(job)], want({"c": 1, "b": 3, "a": 3}, 2))

    assert [job.queue for job in answer.jobs] == ["c", "a"]


async def test_finish_does_not_wait_for_the_next_jobs(broker: Broker) -> None:
    await put(broker, new())
    job = await take_one(broker)

    answer = await soon(broker.finish([done(job)], want(count=5)))

    assert (set(answer.lost), list(answer.jobs)) == (set(), [])


async def test_finish_may_only_claim(broker: Broker) -> None:
    await put(broker, *many(3))

    answer = await broker.finish([], want(count=2))

    assert names(answer.jobs) == ["0", "1"]


async def test_the_next_jobs_come_though_every_lease_was_lost(broker: Broker) -> None:
    await put(broker, *many(2))
    job = await take_one(broker)
    await settle(broker, done(job))

    answer = await broker.finish([done(job)], want())

    assert answer.lost == {lease(job)}
    assert names(answer.jobs) == ["1"]


async def test_a_result_that_is_not_kept_leaves_nothing(broker: Broker) -> None:
    await put(broker, *many(2))
    one, two = await take(broker, 2)

    lost = await settle(broker, done(one, keep=Keep(0)), failed(two, keep=Keep(0)))

    assert not lost
    assert not await exists(broker, one.id)
    assert not await exists(broker, two.id)
    assert await counts(broker) == {}


async def test_many_tasks_may_finish_at_once(broker: Broker) -> None:
    await put(broker, *many(100))
    jobs = await take(broker, 100)

    lost = await asyncio.gather(*(settle(broker, done(job)) for job in jobs))

    assert not any(lost)
    assert await counts(broker) == {State.COMPLETED: 100}


async def test_each_of_many_finishing_at_once_gets_the_next_jobs_it_wanted(
    broker: Broker,
) -> None:
    await put(broker, *many(60))
    jobs = await take(broker, 20)

    answers = await asyncio.gather(*(broker.finish([done(job)], want(count=2)) for job in jobs))

    assert [len(answer.jobs) for answer in answers] == [2] * 20
    assert len({job.id for answer in answers for job in answer.jobs}) == 40
