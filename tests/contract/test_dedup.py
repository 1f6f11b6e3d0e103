"""Deduplication: while a job with the same key counts, no other is added."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from stoker.broker.base import Added, Broker
from stoker.job.model import Dedup, Keep, NewJob
from stoker.job.states import State
from tests.contract.support import (
    Clock,
    counts,
    done,
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
    take_one,
)

TTL_MS = 1_000


def unique(name: str = "noop", key: str = "key", ttl_ms: int | None = None, **fields) -> NewJob:
    return new(name, dedup=Dedup(key, ttl_ms), **fields)


async def test_a_job_with_a_taken_key_is_not_added(broker: Broker) -> None:
    [first] = await put(broker, unique("first", data="1"))
    original = await get(broker, first)

    answers = await broker.add([unique("second", data="2")])

    assert answers == [Added(first, duplicate=True)]
    assert await get(broker, first) == original
    assert await counts(broker) == {State.WAITING: 1}


async def test_other_keys_and_queues_and_jobs_without_a_key_are_added(broker: Broker) -> None:
    await put(broker, unique())

    answers = await broker.add([unique(key="other"), unique(queue="elsewhere"), new()])

    assert not any(answer.duplicate for answer in answers)
    assert await counts(broker) == {State.WAITING: 3}
    assert await counts(broker, "elsewhere") == {State.WAITING: 1}


async def test_a_key_counts_inside_one_batch(broker: Broker) -> None:
    batch = [unique("first", id="a"), unique("second", id="b"), unique("third", "other", id="c")]

    answers = await broker.add(batch)

    assert answers == [Added("a"), Added("a", duplicate=True), Added("c")]
    assert await counts(broker) == {State.WAITING: 2}


async def test_a_job_refused_for_its_key_does_not_occupy_its_custom_id(broker: Broker) -> None:
    await put(broker, unique(id="a"))
    await broker.add([unique(id="b")])

    answers = await broker.add([new(id="b")])

    assert answers == [Added("b")]


async def waiting(broker: Broker, clock: Clock) -> None:
    """Leave the job where it is."""


async def delayed(broker: Broker, clock: Clock) -> None:
    await settle(broker, snoozed(await take_one(broker), 100))


async def promoted(broker: Broker, clock: Clock) -> None:
    await delayed(broker, clock)
    clock.advance(100)
    await take_one(broker)


async def active(broker: Broker, clock: Clock) -> None:
    await take_one(broker)


async def again(broker: Broker, clock: Clock) -> None:
    await settle(broker, retried(await take_one(broker)))


async def handed_back(broker: Broker, clock: Clock) -> None:
    await settle(broker, released(await take_one(broker)))


async def recovered(broker: Broker, clock: Clock) -> None:
    await take_one(broker, lease_ms=100)
    clock.advance(101)
    await recover_all(broker)


Step = Callable[[Broker, Clock], Awaitable[None]]


@pytest.mark.parametrize(
    "step",
    [waiting, delayed, promoted, active, again, handed_back, recovered],
    ids=lambda step: step.__name__,
)
async def test_a_key_counts_until_its_job_is_finished(
    broker: Broker, clock: Clock, step: Step
) -> None:
    await put(broker, unique(id="a"))
    await step(broker, clock)

    answers = await broker.add([unique()])

    assert answers == [Added("a", duplicate=True)]


async def completed(broker: Broker, clock: Clock) -> None:
    await settle(broker, done(await take_one(broker)))


async def completed_and_dropped(broker: Broker, clock: Clock) -> None:
    await settle(broker, done(await take_one(broker), keep=Keep(count=0)))


async def dead(broker: Broker, clock: Clock) -> None:
    await settle(broker, failed(await take_one(broker)))


async def crashed(broker: Broker, clock: Clock) -> None:
    await take_one(broker, lease_ms=100)
    clock.advance(101)
    await recover_all(broker, max_stalls=0)


async def cancelled(broker: Broker, clock: Clock) -> None:
    await broker.cancel(some("a"), "no")


async def removed(broker: Broker, clock: Clock) -> None:
    await broker.remove(some("a"))


async def removed_while_running(broker: Broker, clock: Clock) -> None:
    await take_one(broker)
    await broker.remove(some("a"), force=True)


@pytest.mark.parametrize(
    "step",
    [
        completed,
        completed_and_dropped,
        dead,
        crashed,
        cancelled,
        removed,
        removed_while_running,
    ],
    ids=lambda step: step.__name__,
)
async def test_a_key_is_free_once_its_job_is_finished_or_gone(
    broker: Broker, clock: Clock, step: Step
) -> None:
    await put(broker, unique(id="a"))
    await step(broker, clock)

    answers = await broker.add([unique(id="b")])

    assert answers == [Added("b")]


async def test_a_freed_key_is_taken_by_the_next_job(broker: Broker, clock: Clock) -> None:
    await put(broker, unique(id="a"))
    await completed(broker, clock)
    await put(broker, unique(id="b"))

    answers = await broker.add([unique(id="c")])

    assert answers == [Added("b", duplicate=True)]


async def test_removing_a_finished_job_leaves_the_key_to_its_new_holder(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, unique(id="a"))
    await completed(broker, clock)
    await put(broker, unique(id="b"))

    await broker.remove(some("a"))

    [answer] = await broker.add([unique(id="c")])
    assert answer == Added("b", duplicate=True)


async def test_a_key_with_a_ttl_counts_for_that_long(broker: Broker, clock: Clock) -> None:
    await put(broker, unique(id="a", ttl_ms=TTL_MS))

    clock.advance(TTL_MS - 1)
    [before] = await broker.add([unique(id="b", ttl_ms=TTL_MS)])
    clock.advance(2)
    [after] = await broker.add([unique(id="c", ttl_ms=TTL_MS)])

    assert before == Added("a", duplicate=True)
    assert after == Added("c")


async def test_a_refused_job_does_not_prolong_the_ttl(broker: Broker, clock: Clock) -> None:
    await put(broker, unique(id="a", ttl_ms=TTL_MS))
    clock.advance(TTL_MS - 1)
    await broker.add([unique(id="b", ttl_ms=TTL_MS)])

    clock.advance(2)
    [answer] = await broker.add([unique(id="c", ttl_ms=TTL_MS)])

    assert answer == Added("c")


async def test_the_ttl_ends_though_its_job_is_unfinished(broker: Broker, clock: Clock) -> None:
    await put(broker, unique(id="a", ttl_ms=TTL_MS))
    await active(broker, clock)

    clock.advance(TTL_MS + 1)
    [answer] = await broker.add([unique(id="b", ttl_ms=TTL_MS)])

    assert answer == Added("b")


@pytest.mark.parametrize(
    "step",
    [completed, completed_and_dropped, dead, cancelled],
    ids=lambda step: step.__name__,
)
async def test_the_ttl_outlives_the_end_of_its_job(
    broker: Broker, clock: Clock, step: Step
) -> None:
    await put(broker, unique(id="a", ttl_ms=TTL_MS))
    await step(broker, clock)

    [within] = await broker.add([unique(id="b", ttl_ms=TTL_MS)])
    clock.advance(TTL_MS + 1)
    [after] = await broker.add([unique(id="c", ttl_ms=TTL_MS)])

    assert within == Added("a", duplicate=True)
    assert after == Added("c")


async def test_a_key_with_a_ttl_is_free_once_its_job_was_removed_by_hand(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, unique(id="a", ttl_ms=TTL_MS))

    await broker.remove(some("a"))

    [answer] = await broker.add([unique(id="b", ttl_ms=TTL_MS)])
    assert answer == Added("b")


async def test_finishing_the_old_job_leaves_the_key_to_its_new_holder(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, unique(id="a", ttl_ms=TTL_MS))
    old = await take_one(broker, lease_ms=10 * TTL_MS)
    clock.advance(TTL_MS + 1)
    await put(broker, unique(id="b"))

    await settle(broker, done(old))

    [answer] = await broker.add([unique(id="c")])
    assert answer == Added("b", duplicate=True)


async def test_of_many_adding_the_same_key_at_once_one_wins(broker: Broker) -> None:
    adding = [broker.add([unique(id=f"job-{n}")]) for n in range(30)]

    answers = [answer for [answer] in await asyncio.gather(*adding)]

    [winner] = [answer.id for answer in answers if not answer.duplicate]
    assert {answer.id for answer in answers} == {winner}
    assert await counts(broker) == {State.WAITING: 1}
