"""Queues: their counts are the truth, and a pause stops claims only."""

from __future__ import annotations

import pytest

from stoker.broker.base import Broker, QueueSettings
from stoker.job.model import Keep
from stoker.job.states import State
from tests.contract.support import (
    LEASE_MS,
    Clock,
    counts,
    done,
    every,
    failed,
    find,
    ids,
    in_threads,
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
    want,
)

PAUSED = QueueSettings(paused=True)
RUNNING = QueueSettings(paused=False)


async def paused(broker: Broker, queue: str = "q") -> bool:
    [stats] = await broker.queues([queue])
    return stats.paused


async def truth(broker: Broker, queue: str = "q") -> dict[State, int]:
    """Count the jobs one by one."""
    found = {state: len(await find(broker, every(state, queue))) for state in State}
    return {state: count for state, count in found.items() if count}


async def test_counts_are_true_after_every_step(broker: Broker, clock: Clock) -> None:
    await put(broker, *many(20), *many(5, delay_ms=50), *many(5, priority=3))
    assert await counts(broker) == await truth(broker) == {State.WAITING: 25, State.DELAYED: 5}

    a, b, c, d, e, f, *running = await take(broker, 12)
    assert await counts(broker) == await truth(broker)

    await settle(broker, done(a), failed(b), retried(c, 50), retried(d), snoozed(e, 50))
    await settle(broker, released(f), done(running[0], keep=Keep(count=1)))
    assert await counts(broker) == await truth(broker)

    await broker.cancel(some(running[1].id), "no")
    await broker.remove(some(running[2].id), force=True)
    await broker.requeue(every(State.FAILED))
    assert await counts(broker) == await truth(broker)

    clock.advance(LEASE_MS + 1)
    await recover_all(broker)
    await take(broker, 3)
    assert (
        await counts(broker)
        == await truth(broker)
        == {
            State.WAITING: 24,
            State.ACTIVE: 3,
            State.COMPLETED: 1,
        }
    )


async def test_counts_beside_workers_miss_no_job_and_count_none_twice(broker: Broker) -> None:
    await put(broker, *many(200))

    async def work() -> set[int]:
        while jobs := await take(broker, 5):
            await settle(broker, *(done(job) for job in jobs))
        return set()

    async def count() -> set[int]:
        totals: set[int] = set()
        while (now := await counts(broker)).get(State.COMPLETED, 0) < 200:
            totals.add(sum(now.values()))
        return totals

    _, totals = await in_threads(work, count)

    assert totals <= {200}


async def test_every_queue_that_has_jobs_is_listed_by_name(broker: Broker) -> None:
    await put(broker, new(queue="b"), new(queue="c"), new(queue="a"), new(queue="a", delay_ms=9))

    stats = await broker.queues()

    assert [queue.name for queue in stats] == ["a", "b", "c"]
    assert [sum(queue.counts.values()) for queue in stats] == [2, 1, 1]


async def test_only_the_queues_named_are_listed(broker: Broker) -> None:
    await put(broker, *(new(queue=queue) for queue in "abcd"))

    stats = await broker.queues(["d", "b"])

    assert sorted(queue.name for queue in stats) == ["b", "d"]


async def test_asking_for_no_queues_lists_none(broker: Broker) -> None:
    await put(broker, new())

    stats = await broker.queues([])

    assert list(stats) == []


async def test_a_store_without_jobs_has_no_queues(broker: Broker) -> None:
    stats = await broker.queues()

    assert list(stats) == []


async def test_an_unknown_queue_is_empty_and_not_paused(broker: Broker) -> None:
    stats = await broker.queues(["nowhere"])

    assert [(queue.name, queue.paused) for queue in stats] == [("nowhere", False)]
    assert await counts(broker, "nowhere") == {}


async def test_a_paused_queue_gives_nothing(broker: Broker, clock: Clock) -> None:
    await put(broker, *many(3), new(delay_ms=50))
    clock.advance(50)

    await broker.configure("q", PAUSED)

    assert await take(broker, 10) == []
    assert await paused(broker)


async def test_a_resumed_queue_gives_its_jobs_in_order(broker: Broker) -> None:
    added = await put(broker, *many(2))
    await broker.configure("q", PAUSED)
    added += await put(broker, *many(2))

    await broker.configure("q", RUNNING)

    assert ids(await take(broker, 10)) == added
    assert not await paused(broker)


async def test_a_pause_leaves_running_jobs_alone(broker: Broker) -> None:
    await put(broker, *many(3))
    a, b, c = await take(broker, 3)

    await broker.configure("q", PAUSED)

    lost = await settle(broker, done(a), retried(b), released(c))
    assert not lost
    assert await counts(broker) == {State.COMPLETED: 1, State.WAITING: 2}


async def test_a_pause_holds_for_its_own_queue_only(broker: Broker) -> None:
    await put(broker, new(queue="a"), new(queue="b"))

    await broker.configure("a", PAUSED)

    jobs = await broker.claim(want({"a": 5, "b": 5}, 5))
    assert [job.queue for job in jobs] == ["b"]
    assert not await paused(broker, "b")


async def test_jobs_can_be_added_and_changed_in_a_paused_queue(
    broker: Broker, clock: Clock
) -> None:
    await broker.configure("q", PAUSED)

    added = await put(broker, *many(2), new(id="a", delay_ms=50), new(id="b"))
    await broker.requeue(some("a"))
    await broker.cancel(some("b"), "no")

    assert await counts(broker) == {State.WAITING: 3, State.FAILED: 1}
    assert await state_of(broker, added[0]) == State.WAITING


@pytest.mark.parametrize("settings", [PAUSED, RUNNING])
async def test_configuring_twice_is_like_once(broker: Broker, settings: QueueSettings) -> None:
    await put(broker, new())

    for _ in range(2):
        await broker.configure("q", settings)

    assert await paused(broker) is settings.paused
    assert len(await take(broker, 10)) == (0 if settings.paused else 1)


async def test_settings_that_say_nothing_change_nothing(broker: Broker) -> None:
    await broker.configure("q", PAUSED)

    await broker.configure("q", QueueSettings())

    assert await paused(broker)


async def test_a_queue_can_be_paused_before_it_has_jobs(broker: Broker) -> None:
    await broker.configure("q", PAUSED)

    await put(broker, new())

    assert await take(broker) == []
    assert await paused(broker)


async def test_a_pause_outlives_the_jobs_of_its_queue(broker: Broker) -> None:
    await put(broker, new(id="a"))
    await broker.configure("q", PAUSED)
    await broker.remove(some("a"))

    await put(broker, new(id="b"))

    assert await take(broker) == []
    assert await paused(broker)


async def test_the_counts_of_a_queue_whose_jobs_are_gone_are_zero(broker: Broker) -> None:
    await put(broker, new())
    await settle(broker, done(await take_one(broker), keep=Keep(count=0)))

    left = await counts(broker)

    assert left == {}
