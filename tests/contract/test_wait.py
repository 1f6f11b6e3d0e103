"""Waiting claims: they sleep inside the broker until there is something to do."""

from __future__ import annotations

import asyncio

import pytest

from stoker.broker.base import Broker, Patch, QueueSettings
from stoker.job.model import JobRecord
from tests.contract.support import (
    LEASE_MS,
    Clock,
    done,
    ids,
    in_threads,
    looked,
    many,
    names,
    new,
    put,
    recover_all,
    released,
    retried,
    settle,
    some,
    soon,
    take,
    take_one,
    want,
)

LONG = 60.0
"""Seconds: a claim that waited this long would fail its test."""


async def test_a_claim_waits_until_a_job_is_added(broker: Broker) -> None:
    waiting = asyncio.create_task(broker.claim(want(), LONG))
    await looked(broker)

    [id] = await put(broker, new())

    assert ids(await soon(waiting)) == [id]


async def test_a_waiting_claim_watches_all_its_queues(broker: Broker) -> None:
    waiting = asyncio.create_task(broker.claim(want({"a": 1, "b": 1, "c": 1}, 1), LONG))
    await looked(broker)

    [id] = await put(broker, new(queue="c"))

    assert ids(await soon(waiting)) == [id]


async def test_a_claim_waits_until_a_job_is_due(broker: Broker, clock: Clock) -> None:
    [id] = await put(broker, new(delay_ms=20))
    waiting = asyncio.create_task(broker.claim(want(), LONG))
    await looked(broker)

    clock.advance(20)

    assert ids(await soon(waiting)) == [id]


async def test_a_waiting_claim_notices_a_job_that_is_due_earlier(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, new("in an hour", delay_ms=3_600_000))
    waiting = asyncio.create_task(broker.claim(want(), LONG))
    await looked(broker)

    await put(broker, new("in a moment", delay_ms=20))
    await looked(broker)
    clock.advance(20)

    assert names(await soon(waiting)) == ["in a moment"]


async def test_a_claim_waits_until_its_queue_is_resumed(broker: Broker) -> None:
    [id] = await put(broker, new())
    await broker.configure("q", QueueSettings(paused=True))
    waiting = asyncio.create_task(broker.claim(want(), LONG))
    await looked(broker)
    assert not waiting.done()

    await broker.configure("q", QueueSettings(paused=False))

    assert ids(await soon(waiting)) == [id]


@pytest.mark.parametrize("outcome", [released, retried], ids=["released", "retried"])
async def test_a_claim_waits_until_a_job_comes_back(broker: Broker, outcome) -> None:
    await put(broker, new())
    job = await take_one(broker)
    waiting = asyncio.create_task(broker.claim(want(), LONG))
    await looked(broker)

    await settle(broker, outcome(job))

    assert ids(await soon(waiting)) == [job.id]


async def test_a_claim_waits_until_a_job_is_recovered(broker: Broker, clock: Clock) -> None:
    [id] = await put(broker, new())
    await take_one(broker)
    clock.advance(LEASE_MS + 1)
    waiting = asyncio.create_task(broker.claim(want(), LONG))
    await looked(broker)

    await recover_all(broker)

    assert ids(await soon(waiting)) == [id]


async def test_a_claim_waits_until_a_job_is_requeued(broker: Broker) -> None:
    [id] = await put(broker, new())
    await settle(broker, done(await take_one(broker)))
    waiting = asyncio.create_task(broker.claim(want(), LONG))
    await looked(broker)

    await broker.requeue(some(id))

    assert ids(await soon(waiting)) == [id]


async def test_a_claim_waits_until_a_delay_is_cut_short(broker: Broker) -> None:
    [id] = await put(broker, new(delay_ms=3_600_000))
    waiting = asyncio.create_task(broker.claim(want(), LONG))
    await looked(broker)

    await broker.update("q", id, Patch(delay_ms=0))

    assert ids(await soon(waiting)) == [id]


async def test_a_claim_with_a_job_at_hand_does_not_wait_for_more(broker: Broker) -> None:
    await put(broker, new())

    jobs = await soon(broker.claim(want(count=10), LONG))

    assert len(jobs) == 1


async def test_a_claim_ends_empty_when_its_time_is_up(broker: Broker) -> None:
    waiting = broker.claim(want(), timeout=0.05)

    jobs = await soon(waiting)

    assert jobs == []


async def test_a_claim_without_a_timeout_answers_at_once(broker: Broker) -> None:
    await put(broker, new(delay_ms=3_600_000))

    jobs = await soon(broker.claim(want()))

    assert jobs == []


async def test_each_of_many_waiting_claims_gets_its_own_job(broker: Broker) -> None:
    waiting = [asyncio.create_task(broker.claim(want(), LONG)) for _ in range(10)]
    await looked(broker)

    added = await put(broker, *many(10))

    claimed = await soon(asyncio.gather(*waiting))
    assert sorted(id for jobs in claimed for id in ids(jobs)) == sorted(added)


async def test_claims_wake_one_by_one_as_jobs_come_one_by_one(broker: Broker) -> None:
    waiting = {asyncio.create_task(broker.claim(want(), LONG)) for _ in range(5)}
    await looked(broker)

    for _ in range(5):
        [id] = await put(broker, new())
        awake, waiting = await asyncio.wait(
            waiting, timeout=10, return_when=asyncio.FIRST_COMPLETED
        )
        assert [ids(task.result()) for task in awake] == [[id]]

    assert not waiting


async def test_a_claim_waiting_in_another_event_loop_is_woken(broker: Broker) -> None:
    async def claim() -> list[str]:
        return ids(await broker.claim(want(), LONG))

    async def add() -> list[str]:
        await looked(broker)
        return await put(broker, new())

    claimed, added = await in_threads(claim, add)

    assert claimed == added


async def test_a_claim_cancelled_while_it_waits_takes_nothing_later(broker: Broker) -> None:
    waiting = asyncio.create_task(broker.claim(want(), LONG))
    await looked(broker)
    waiting.cancel()
    await asyncio.wait([waiting])

    [id] = await put(broker, new())

    assert waiting.cancelled()
    assert ids(await take(broker)) == [id]


async def outcome_of(cancelled: asyncio.Task[list[JobRecord]]) -> list[str]:
    """Return the ids that a cancelled claim answered with after all, if it was too late."""
    await asyncio.wait([cancelled], timeout=10)
    return [] if cancelled.cancelled() else ids(cancelled.result())


@pytest.mark.parametrize("turns", range(0, 12, 2))
async def test_a_claim_cancelled_as_a_job_arrives_loses_no_job(
    broker: Broker, clock: Clock, turns: int
) -> None:
    waiting = asyncio.create_task(broker.claim(want(), LONG))
    await looked(broker)
    adding = asyncio.create_task(put(broker, new()))

    for _ in range(turns):
        await asyncio.sleep(0)  # no waiting: one turn of the loop, to cancel at another point
    waiting.cancel()
    claimed = await outcome_of(waiting)
    [id] = await adding

    claimed = claimed or ids(await take(broker))
    if not claimed:
        clock.advance(LEASE_MS + 1)
        claimed = await recover_all(broker)
    assert claimed == [id]


@pytest.mark.parametrize("turns", range(0, 12, 2))
async def test_a_claim_cancelled_as_it_begins_loses_no_job(
    broker: Broker, clock: Clock, turns: int
) -> None:
    added = await put(broker, *many(5))
    claiming = asyncio.create_task(broker.claim(want(count=3)))

    for _ in range(turns):
        await asyncio.sleep(0)  # no waiting: one turn of the loop, to cancel at another point
    claiming.cancel()
    first = await outcome_of(claiming)

    second = ids(await take(broker, 5))
    assert not {*first} & {*second}
    clock.advance(LEASE_MS + 1)
    third = await recover_all(broker)
    assert {*first, *second, *third} == {*added}
