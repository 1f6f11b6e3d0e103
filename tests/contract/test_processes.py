"""Several brokers on one store, as several processes have them, and a store that is reopened."""

from __future__ import annotations

import asyncio

import pytest

from stoker.broker.base import Added, Broker, Patch, QueueSettings
from stoker.job.model import Dedup
from stoker.job.states import State
from tests.contract.support import (
    LEASE_MS,
    Clock,
    Opener,
    counts,
    done,
    get,
    ids,
    lease,
    looked,
    many,
    new,
    put,
    recover_all,
    settle,
    some,
    soon,
    state_of,
    take,
    take_one,
    want,
)

pytestmark = pytest.mark.needs("cross_process")

LONG = 60.0
"""Seconds: a claim that waited this long would fail its test."""


async def test_a_job_added_here_is_claimed_there(broker: Broker, another: Opener) -> None:
    other = await another()

    [id] = await put(broker, new())

    assert ids(await take(other)) == [id]
    assert await take(broker) == []


async def test_a_claim_waiting_there_is_woken_by_a_job_added_here(
    broker: Broker, another: Opener
) -> None:
    other = await another()
    waiting = asyncio.create_task(other.claim(want(), LONG))
    await looked(broker, other)

    [id] = await put(broker, new())

    assert ids(await soon(waiting)) == [id]


async def test_a_claim_waiting_there_notices_a_due_time_set_here(
    broker: Broker, another: Opener, clock: Clock
) -> None:
    other = await another()
    waiting = asyncio.create_task(other.claim(want(), LONG))
    await looked(broker, other)

    [id] = await put(broker, new(delay_ms=20))
    await looked(broker, other)
    clock.advance(20)

    assert ids(await soon(waiting)) == [id]


async def test_a_claim_waiting_there_is_woken_when_the_queue_is_resumed_here(
    broker: Broker, another: Opener
) -> None:
    other = await another()
    [id] = await put(broker, new())
    await broker.configure("q", QueueSettings(paused=True))
    waiting = asyncio.create_task(other.claim(want(), LONG))
    await looked(broker, other)

    await broker.configure("q", QueueSettings(paused=False))

    assert ids(await soon(waiting)) == [id]


async def test_again_and_again_a_claim_waiting_there_is_woken(
    broker: Broker, another: Opener
) -> None:
    other = await another()

    for _ in range(5):
        waiting = asyncio.create_task(other.claim(want(), LONG))
        await looked(other)
        [id] = await put(broker, new())
        assert ids(await soon(waiting)) == [id]


async def test_what_was_claimed_here_may_be_finished_there(broker: Broker, another: Opener) -> None:
    other = await another()
    await put(broker, new())
    job = await take_one(broker)

    extended = await other.extend([lease(job)], LEASE_MS)
    lost = await settle(other, done(job))

    assert (extended, lost) == (set(), frozenset())
    assert await state_of(broker, job.id) == State.COMPLETED


async def test_a_lease_broken_there_is_lost_here(broker: Broker, another: Opener) -> None:
    other = await another()
    await put(broker, *many(3))
    a, b, c = await take(broker, 3)

    await other.cancel(some(a.id), "no")
    await other.remove(some(b.id), force=True)

    assert await broker.extend([lease(job) for job in (a, b, c)], LEASE_MS) == {lease(a), lease(b)}
    assert not await broker.update("q", a.id, Patch(token=a.token, log=("late",)))


async def test_a_job_of_a_dead_broker_is_recovered_by_another(
    broker: Broker, another: Opener, clock: Clock
) -> None:
    other = await another()
    await put(broker, new())
    dead = await take_one(broker)
    clock.advance(LEASE_MS + 1)

    await recover_all(other)
    heir = await take_one(other)

    assert heir.id == dead.id
    assert await settle(broker, done(dead)) == {lease(dead)}
    assert not await settle(other, done(heir))


async def test_ids_and_dedup_keys_taken_here_are_taken_there(
    broker: Broker, another: Opener
) -> None:
    other = await another()
    await put(broker, new(id="a", dedup=Dedup("key")))

    answers = await other.add([new(id="a"), new(id="b", dedup=Dedup("key"))])

    assert answers == [Added("a", duplicate=True), Added("a", duplicate=True)]


async def test_many_brokers_adding_the_same_key_at_once_add_one_job(
    broker: Broker, another: Opener
) -> None:
    brokers = [broker, *[await another() for _ in range(3)]]

    answers = await asyncio.gather(
        *(one.add([new(dedup=Dedup("key"))]) for one in brokers for _ in range(10))
    )

    assert [answer.duplicate for [answer] in answers].count(False) == 1
    assert await counts(broker) == {State.WAITING: 1}


async def test_many_brokers_never_get_the_same_job(broker: Broker, another: Opener) -> None:
    brokers = [broker, *[await another() for _ in range(3)]]
    await put(broker, *many(200))

    async def claim_all(one: Broker) -> list[str]:
        mine: list[str] = []
        while jobs := await take(one, 3):
            mine += ids(jobs)
        return mine

    taken = await asyncio.gather(*(claim_all(one) for one in brokers))

    together = [id for mine in taken for id in mine]
    assert len(together) == len(set(together)) == 200


async def test_ids_given_by_many_brokers_are_all_different(broker: Broker, another: Opener) -> None:
    brokers = [broker, *[await another() for _ in range(3)]]

    added = await asyncio.gather(*(put(one, *many(5)) for one in brokers for _ in range(5)))

    assert len({id for batch in added for id in batch}) == 100


async def test_everything_is_there_after_a_restart(
    broker: Broker, another: Opener, clock: Clock
) -> None:
    await put(broker, new(id="held"), new(id="done"), new(id="waiting"))
    await put(broker, new(id="later", delay_ms=500), new(id="unique", dedup=Dedup("key")))
    await take_one(broker)
    await settle(broker, done(await take_one(broker)))
    await broker.update("q", "held", Patch(log=("line",)))
    await broker.configure("other", QueueSettings(paused=True))
    named = ("held", "done", "waiting", "later", "unique")
    before = [await broker.detail("q", id) for id in named], await broker.queues()

    await broker.close()
    reopened = await another()

    after = [await reopened.detail("q", id) for id in named], await reopened.queues()
    assert after == before
    assert [answer.duplicate for answer in await reopened.add([new(dedup=Dedup("key"))])] == [True]


async def test_a_lease_outlives_its_broker(broker: Broker, another: Opener, clock: Clock) -> None:
    await put(broker, *many(2))
    one, two = await take(broker, 2)
    await broker.close()

    reopened = await another()

    assert await take(reopened) == []
    assert not await settle(reopened, done(one))
    clock.advance(LEASE_MS + 1)
    assert await recover_all(reopened) == [two.id]


async def test_a_token_is_new_after_a_restart(
    broker: Broker, another: Opener, clock: Clock
) -> None:
    await put(broker, new())
    old = await take_one(broker)
    await broker.close()
    reopened = await another()
    clock.advance(LEASE_MS + 1)
    await recover_all(reopened)

    heir = await take_one(reopened)

    assert heir.token != old.token
    assert await settle(reopened, done(old)) == {lease(old)}


async def test_ids_go_on_after_a_restart(broker: Broker, another: Opener) -> None:
    before = await put(broker, *many(5))
    await broker.remove(some(*before))
    await broker.close()

    after = await put(await another(), *many(5))

    assert not set(before) & set(after)


async def test_the_order_goes_on_after_a_restart(broker: Broker, another: Opener) -> None:
    await put(broker, new(id="b"), new(id="a", lifo=True), new(id="d", priority=5))
    await broker.close()
    reopened = await another()

    await put(reopened, new(id="c"), new(id="e", priority=5), new(id="first", lifo=True))

    assert ids(await take(reopened, 10)) == ["first", "a", "b", "c", "d", "e"]


async def test_events_go_on_after_a_restart(broker: Broker, another: Opener) -> None:
    cursor = (await broker.events("q", None)).cursor
    await put(broker, new(id="a"))
    await broker.close()
    reopened = await another()
    await put(reopened, new(id="b"))

    page = await reopened.events("q", cursor)

    assert [id for event in page.events for id in event.ids] == ["a", "b"]
    assert not page.gap


async def test_closing_one_broker_leaves_the_others_at_work(
    broker: Broker, another: Opener
) -> None:
    other = await another()
    waiting = asyncio.create_task(other.claim(want(), LONG))
    await looked(other)

    await broker.close()

    [id] = await put(other, new())
    assert ids(await soon(waiting)) == [id]
    assert (await get(other, id)).state == State.ACTIVE
