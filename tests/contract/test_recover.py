"""Recovery: jobs of dead workers run again, but not for ever."""

from __future__ import annotations

import asyncio

import pytest

from stoker.broker.base import Broker, QueueSettings
from stoker.job.states import State
from tests.contract.support import (
    LEASE_MS,
    Clock,
    Opener,
    counts,
    done,
    drain,
    failed,
    failure,
    get,
    lease,
    many,
    new,
    put,
    recover_all,
    released,
    retried,
    settle,
    some,
    state_of,
    take,
    take_one,
    want,
)


async def test_a_job_whose_lease_ran_out_waits_again(broker: Broker, clock: Clock) -> None:
    await put(broker, new())
    job = await take_one(broker)
    clock.advance(LEASE_MS + 1)

    taken = await broker.recover(["q"], 3)

    assert taken == [job.id]
    stored = await get(broker, job.id)
    assert (stored.state, stored.crashes, stored.token) == (State.WAITING, 1, None)


PATIENCE_MS = 1_500


async def test_with_patience_only_what_an_earlier_call_saw_is_taken(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, new(id="a"))
    await take_one(broker)
    clock.advance(LEASE_MS + 1)

    answers: list[list[str]] = []
    for wait in (0, PATIENCE_MS - 1, 1):
        clock.advance(wait)
        answers.append(await broker.recover(["q"], 3, PATIENCE_MS))

    assert answers == [[], [], ["a"]]


async def test_after_an_outage_who_holds_a_lease_comes_before_who_would_take_it(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, *many(2))
    held, orphan = await take(broker, 2)
    await broker.recover(["q"], 3, PATIENCE_MS)
    clock.advance(100 * LEASE_MS)  # nobody could reach the store

    assert await broker.recover(["q"], 3, PATIENCE_MS) == []
    clock.advance(PATIENCE_MS - 1)
    assert await broker.extend([lease(held)], LEASE_MS) == set()
    clock.advance(1)

    assert await broker.recover(["q"], 3, PATIENCE_MS) == [orphan.id]
    assert await settle(broker, done(held)) == set()


async def test_patience_begins_anew_with_each_lease_that_runs_out(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, *many(2))
    first = await take_one(broker)
    clock.advance(LEASE_MS + 1)
    await broker.recover(["q"], 3, PATIENCE_MS)
    second = await take_one(broker, lease_ms=PATIENCE_MS - 1)
    clock.advance(PATIENCE_MS)

    assert await broker.recover(["q"], 3, PATIENCE_MS) == [first.id]
    assert await broker.recover(["q"], 3, PATIENCE_MS) == []
    clock.advance(PATIENCE_MS)

    assert await broker.recover(["q"], 3, PATIENCE_MS) == [second.id]


@pytest.mark.needs("cross_process")
async def test_what_one_process_has_just_seen_run_out_another_does_not_take(
    broker: Broker, another: Opener, clock: Clock
) -> None:
    other = await another()
    await put(broker, new(id="a"))
    await take_one(broker)
    clock.advance(LEASE_MS + 1)
    await broker.recover(["q"], 3, PATIENCE_MS)
    clock.advance(1)

    assert await other.recover(["q"], 3, PATIENCE_MS) == []


async def test_with_patience_any_number_of_jobs_is_taken_at_the_second_look(
    broker: Broker, clock: Clock
) -> None:
    added = await put(broker, *many(1_200))
    await drain(broker)
    clock.advance(LEASE_MS + 1)
    await broker.recover(["q"], 3, PATIENCE_MS)
    clock.advance(PATIENCE_MS)

    taken: list[str] = []
    while piece := await broker.recover(["q"], 3, PATIENCE_MS):
        taken += piece

    assert sorted(taken) == sorted(added)


async def test_a_living_lease_is_left_alone(broker: Broker, clock: Clock) -> None:
    await put(broker, new())
    job = await take_one(broker)
    clock.advance(LEASE_MS - 1)

    taken = await broker.recover(["q"], 3)

    assert taken == []
    assert await get(broker, job.id) == job


async def test_only_running_jobs_are_recovered(broker: Broker, clock: Clock) -> None:
    await put(broker, *many(5))
    a, b, c, d = await take(broker, 4)
    await settle(broker, done(a), failed(b), retried(c, 10**9), released(d))
    before = await counts(broker)

    clock.advance(100 * LEASE_MS)
    taken = await broker.recover(["q"], 0)

    assert taken == []
    assert await counts(broker) == before


async def test_recovering_again_changes_nothing(broker: Broker, clock: Clock) -> None:
    await put(broker, new())
    job = await take_one(broker)
    clock.advance(LEASE_MS + 1)
    await broker.recover(["q"], 3)
    before = await get(broker, job.id)

    again = [await broker.recover(["q"], 3) for _ in range(3)]

    assert again == [[], [], []]
    assert await get(broker, job.id) == before


async def test_a_recovered_job_gets_a_new_token(broker: Broker, clock: Clock) -> None:
    await put(broker, new())
    first = await take_one(broker)
    clock.advance(LEASE_MS + 1)
    await broker.recover(["q"], 3)

    second = await take_one(broker)

    assert second.id == first.id
    assert second.token != first.token
    assert (second.starts, second.crashes) == (2, 1)


@pytest.mark.parametrize("max_stalls", [0, 1, 3])
async def test_a_job_that_crashed_too_often_becomes_a_dead_letter(
    broker: Broker, clock: Clock, max_stalls: int
) -> None:
    await put(broker, new(id="a"))

    runs = 0
    while await take(broker):
        runs += 1
        clock.advance(LEASE_MS + 1)
        assert await broker.recover(["q"], max_stalls) == ["a"]

    assert runs == max_stalls + 1
    stored = await get(broker, "a")
    assert (stored.state, stored.finished_at) == (State.FAILED, clock.now)
    assert (failure(stored).reason, stored.crashes, stored.attempts) == ("crashed", runs, 0)


async def test_crashes_that_workers_reported_count_too(broker: Broker, clock: Clock) -> None:
    await put(broker, new(id="a"))
    await settle(broker, released(await take_one(broker), crashed=True))
    await take_one(broker)

    clock.advance(LEASE_MS + 1)
    await broker.recover(["q"], 1)

    assert await state_of(broker, "a") == State.FAILED


async def test_attempts_do_not_count_as_crashes(broker: Broker, clock: Clock) -> None:
    await put(broker, new(id="a"))
    for _ in range(5):
        await settle(broker, retried(await take_one(broker)))
    await take_one(broker)

    clock.advance(LEASE_MS + 1)
    await broker.recover(["q"], 1)

    stored = await get(broker, "a")
    assert (stored.state, stored.attempts, stored.crashes) == (State.WAITING, 5, 1)


async def test_only_the_queues_named_are_recovered(broker: Broker, clock: Clock) -> None:
    await put(broker, new(queue="a", id="1"), new(queue="b", id="2"), new(queue="c", id="3"))
    await broker.claim(want({"a": 1, "b": 1, "c": 1}, 3))
    clock.advance(LEASE_MS + 1)

    taken = await broker.recover(["a", "c"], 3)

    assert sorted(taken) == ["1", "3"]
    assert await state_of(broker, "2", "b") == State.ACTIVE


async def test_a_paused_queue_is_recovered_too(broker: Broker, clock: Clock) -> None:
    await put(broker, new(id="a"))
    await take_one(broker)
    await broker.configure("q", QueueSettings(paused=True))
    clock.advance(LEASE_MS + 1)

    taken = await broker.recover(["q"], 3)

    assert taken == ["a"]
    assert await counts(broker) == {State.WAITING: 1}


async def test_any_number_of_jobs_is_recovered_in_the_end(broker: Broker, clock: Clock) -> None:
    added = await put(broker, *many(1_500))
    await drain(broker)
    clock.advance(LEASE_MS + 1)

    taken = await recover_all(broker)

    assert sorted(taken) == sorted(added)
    assert await counts(broker) == {State.WAITING: 1_500}


async def test_recovering_an_unknown_queue_or_none_is_calm(broker: Broker) -> None:
    taken = [*await broker.recover(["nowhere"], 3), *await broker.recover([], 3)]

    assert taken == []


async def test_a_job_that_was_finished_in_time_is_not_recovered(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, new(id="a"))
    job = await take_one(broker)
    clock.advance(LEASE_MS + 1)
    await settle(broker, done(job))

    taken = await broker.recover(["q"], 3)

    assert taken == []
    assert await state_of(broker, "a") == State.COMPLETED


async def test_recovering_at_once_from_many_tasks_counts_one_crash(
    broker: Broker, clock: Clock
) -> None:
    added = await put(broker, *many(20))
    await take(broker, 20)
    clock.advance(LEASE_MS + 1)

    answers = await asyncio.gather(*(broker.recover(["q"], 3) for _ in range(10)))

    assert sorted(id for taken in answers for id in taken) == sorted(added)
    assert {(await get(broker, id)).crashes for id in added} == {1}


async def race(finishing: Broker, recovering: Broker, clock: Clock) -> None:
    """Finish and recover the same jobs at once, and see that exactly one side has each."""
    await put(finishing, *many(60))
    jobs = await take(finishing, 60)
    clock.advance(LEASE_MS + 1)

    finishes = [asyncio.create_task(finishing.finish([done(job)])) for job in jobs[:30]]
    recovery = asyncio.create_task(recovering.recover(["q"], 3))
    finishes += [asyncio.create_task(finishing.finish([done(job)])) for job in jobs[30:]]
    answers = await asyncio.gather(*finishes)
    taken = [*await recovery, *await recover_all(recovering)]

    lost = [held.id for answer in answers for held in answer.lost]
    assert sorted(taken) == sorted(lost)
    for job in jobs:
        stored = await get(finishing, job.id)
        once = (State.WAITING, 1, 0) if job.id in lost else (State.COMPLETED, 0, 1)
        assert (stored.state, stored.crashes, stored.attempts) == once


async def test_of_recovering_and_finishing_at_once_exactly_one_wins(
    broker: Broker, clock: Clock
) -> None:
    await race(broker, broker, clock)


@pytest.mark.needs("cross_process")
async def test_of_brokers_recovering_and_finishing_at_once_exactly_one_wins(
    broker: Broker, another: Opener, clock: Clock
) -> None:
    other = await another()

    await race(broker, other, clock)


@pytest.mark.needs("cross_process")
async def test_several_brokers_recovering_at_once_count_one_crash(
    broker: Broker, another: Opener, clock: Clock
) -> None:
    others = [await another() for _ in range(3)]
    added = await put(broker, *many(20))
    await take(broker, 20)
    clock.advance(LEASE_MS + 1)

    answers = await asyncio.gather(*(one.recover(["q"], 3) for one in (broker, *others)))

    assert sorted(id for taken in answers for id in taken) == sorted(added)
    assert {(await get(broker, id)).crashes for id in added} == {1}


async def test_a_crashed_dead_letter_can_be_replayed(broker: Broker, clock: Clock) -> None:
    await put(broker, new(id="a"))
    job = await take_one(broker)
    clock.advance(LEASE_MS + 1)
    await broker.recover(["q"], 0)

    await broker.requeue(some("a"))

    again = await take_one(broker)
    assert (again.crashes, again.attempts, again.failure) == (0, 0, None)
    assert lease(again) != lease(job)
