"""Claiming: what a worker gets, and that nobody else gets it too."""

from __future__ import annotations

import asyncio

import msgspec

from stoker.broker.base import Broker
from stoker.job.states import State
from tests.contract.support import (
    LEASE_MS,
    Clock,
    counts,
    drain,
    get,
    ids,
    in_threads,
    many,
    names,
    new,
    put,
    recover_all,
    released,
    retried,
    settle,
    take,
    take_one,
    want,
)


async def test_a_claimed_job_says_who_holds_it_since_when(broker: Broker, clock: Clock) -> None:
    [id] = await put(broker, new("send", data='{"to": 1}', options='{"attempts":7}', priority=3))
    waiting = await get(broker, id)
    clock.advance(250)

    job = await take_one(broker, worker="host-7")

    assert job.token
    assert job == msgspec.structs.replace(
        waiting,
        state=State.ACTIVE,
        claimed_at=clock.now,
        starts=1,
        worker="host-7",
        token=job.token,
    )


async def test_a_claim_is_stored_as_it_was_answered(broker: Broker) -> None:
    await put(broker, *many(3))

    jobs = await take(broker, 3)

    assert jobs == [await get(broker, job.id) for job in jobs]
    assert await counts(broker) == {State.ACTIVE: 3}


async def test_an_empty_queue_gives_nothing(broker: Broker) -> None:
    jobs = await take(broker, 10)

    assert jobs == []


async def test_a_claimed_job_is_not_given_out_again(broker: Broker, clock: Clock) -> None:
    await put(broker, new())
    await take_one(broker)

    at_once = await take(broker, 10)
    clock.advance(LEASE_MS - 1)
    later = await take(broker, 10)

    assert (at_once, later) == ([], [])


async def test_a_job_whose_lease_has_run_out_is_given_out_only_after_recovery(
    broker: Broker, clock: Clock
) -> None:
    [id] = await put(broker, new())
    await take_one(broker)
    clock.advance(LEASE_MS + 1)

    before = await take(broker)
    await recover_all(broker)
    after = await take(broker)

    assert before == []
    assert ids(after) == [id]


async def test_every_claim_makes_a_new_token(broker: Broker) -> None:
    await put(broker, *many(3))
    first = await take(broker, 3)
    await settle(broker, *(released(job) for job in first))

    second = await take(broker, 3)

    assert sorted(ids(second)) == sorted(ids(first))
    assert not {job.token for job in first} & {job.token for job in second}


async def test_starts_counts_the_claims(broker: Broker) -> None:
    await put(broker, new())
    for outcome in (released, retried, released):
        await settle(broker, outcome(await take_one(broker)))

    job = await take_one(broker)

    assert job.starts == 4


async def test_a_claim_gives_no_more_than_wanted(broker: Broker) -> None:
    await put(broker, *many(10))

    jobs = await take(broker, 4)

    assert names(jobs) == ["0", "1", "2", "3"]
    assert await counts(broker) == {State.WAITING: 6, State.ACTIVE: 4}


async def test_a_claim_gives_what_there_is(broker: Broker) -> None:
    await put(broker, *many(3))

    jobs = await take(broker, 10)

    assert len(jobs) == 3


async def test_a_claim_of_nothing_takes_nothing(broker: Broker) -> None:
    await put(broker, *many(3))

    jobs = [*await take(broker, 0), *await broker.claim(want({"q": 0}, 5))]
    jobs += await broker.claim(want({}, 5))

    assert jobs == []
    assert await counts(broker) == {State.WAITING: 3}


async def test_queues_are_tried_in_the_order_of_the_want(broker: Broker) -> None:
    await put(broker, *many(3, "a"), *many(3, "b"), *many(3, "c"))

    jobs = await broker.claim(want({"b": 10, "a": 10, "c": 10}, 5))

    assert [job.queue for job in jobs] == ["b", "b", "b", "a", "a"]


async def test_each_queue_has_a_limit_of_its_own(broker: Broker) -> None:
    await put(broker, *many(5, "a"), *many(5, "b"), *many(5, "c"))

    jobs = await broker.claim(want({"a": 2, "b": 1, "c": 9}, 10))

    assert [job.queue for job in jobs] == ["a"] * 2 + ["b"] + ["c"] * 5


async def test_an_earlier_queue_leaves_its_unused_room_to_the_next(broker: Broker) -> None:
    await put(broker, *many(1, "a"), *many(5, "b"))

    jobs = await broker.claim(want({"a": 3, "none": 3, "b": 3}, 3))

    assert [job.queue for job in jobs] == ["a", "b", "b"]


async def test_the_order_of_queues_stands_above_priority(broker: Broker) -> None:
    await put(broker, new("low", "a", priority=9), new("urgent", "b", priority=0))

    [job] = await broker.claim(want({"a": 1, "b": 1}, 1))

    assert job.name == "low"


async def test_other_queues_are_left_alone(broker: Broker) -> None:
    await put(broker, new("mine", "a"), new("not mine", "b"))

    jobs = await take(broker, 10, "a")

    assert names(jobs) == ["mine"]
    assert await counts(broker, "b") == {State.WAITING: 1}


async def test_a_delayed_job_is_claimed_only_when_it_is_due(broker: Broker, clock: Clock) -> None:
    [id] = await put(broker, new(delay_ms=100))

    clock.advance(99)
    before = await take(broker)
    clock.advance(1)
    after = await take(broker)

    assert before == []
    assert ids(after) == [id]


async def test_due_jobs_that_are_not_claimed_wait(broker: Broker, clock: Clock) -> None:
    await put(broker, *many(5, delay_ms=100), *many(2, delay_ms=500))

    clock.advance(100)
    jobs = await take(broker, 2)

    assert names(jobs) == ["0", "1"]
    assert await counts(broker) == {State.ACTIVE: 2, State.WAITING: 3, State.DELAYED: 2}


async def test_any_number_of_due_jobs_can_be_claimed_in_the_end(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, *many(2_500, delay_ms=100))
    clock.advance(100)

    line = await drain(broker, at_once=200)

    assert names(line) == [str(n) for n in range(2_500)]


async def test_each_claim_may_ask_for_its_own_lease(broker: Broker, clock: Clock) -> None:
    await put(broker, *many(2))
    short = await take_one(broker, lease_ms=100)
    await take_one(broker, lease_ms=10_000)

    clock.advance(5_000)

    assert await recover_all(broker) == [short.id]


async def test_many_claimers_never_get_the_same_job(broker: Broker) -> None:
    await put(broker, *many(300))

    async def claim_all() -> list[str]:
        mine: list[str] = []
        while jobs := await take(broker, 3):
            mine += ids(jobs)
        return mine

    taken = await asyncio.gather(*(claim_all() for _ in range(20)))

    together = [id for mine in taken for id in mine]
    assert len(together) == len(set(together)) == 300


async def test_claimers_in_threads_with_loops_of_their_own_never_get_the_same_job(
    broker: Broker,
) -> None:
    await put(broker, *many(200))

    async def claim_all() -> list[str]:
        mine: list[str] = []
        while jobs := await take(broker, 3):
            mine += ids(jobs)
        return mine

    taken = await in_threads(*[claim_all] * 4)

    together = [id for mine in taken for id in mine]
    assert len(together) == len(set(together)) == 200
