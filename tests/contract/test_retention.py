"""Retention: how many finished jobs of a queue and state are kept, and for how long.

Jobs that are to be told apart by age finish at different instants: which of two jobs that ended in
the same millisecond is older is not promised.
"""

from __future__ import annotations

from stoker.broker.base import Broker, Patch
from stoker.job.model import Keep
from stoker.job.states import State
from tests.contract.support import (
    Clock,
    counts,
    done,
    drain,
    every,
    exists,
    failed,
    find,
    get,
    lease,
    many,
    names,
    new,
    put,
    settle,
    some,
    take,
    take_one,
)

HOUR_MS = 3_600_000


async def complete(broker: Broker, clock: Clock, name: str, keep: Keep, queue: str = "q") -> None:
    await put(broker, new(name, queue))
    clock.advance(1)
    await settle(broker, done(await take_one(broker, queue), keep=keep))


async def fail(broker: Broker, clock: Clock, name: str, keep: Keep, queue: str = "q") -> None:
    await put(broker, new(name, queue))
    clock.advance(1)
    await settle(broker, failed(await take_one(broker, queue), keep=keep))


async def kept(broker: Broker, state: State, queue: str = "q") -> list[str]:
    """Return the names of the finished jobs, oldest first."""
    return names(await find(broker, every(state, queue)))


async def test_without_a_limit_everything_is_kept(broker: Broker, clock: Clock) -> None:
    for name in "abc":
        await complete(broker, clock, name, Keep())
        await fail(broker, clock, name, Keep())

    clock.advance(1_000 * HOUR_MS)
    await broker.recover(["q"], 3)

    assert await kept(broker, State.COMPLETED) == ["a", "b", "c"]
    assert await kept(broker, State.FAILED) == ["a", "b", "c"]


async def test_the_oldest_go_when_there_are_too_many(broker: Broker, clock: Clock) -> None:
    for name in "abcde":
        await complete(broker, clock, name, Keep(count=2))

    assert await kept(broker, State.COMPLETED) == ["d", "e"]
    assert await counts(broker) == {State.COMPLETED: 2}


async def test_so_many_at_the_most_go_for_their_age_when_a_job_ends(
    broker: Broker, clock: Clock
) -> None:
    for name in "abcd":
        await complete(broker, clock, name, Keep())
    clock.advance(HOUR_MS)

    await complete(broker, clock, "e", Keep(age_ms=HOUR_MS, limit=2))
    assert await kept(broker, State.COMPLETED) == ["c", "d", "e"]

    await broker.recover(["q"], 3)
    assert await kept(broker, State.COMPLETED) == ["e"]


async def test_the_limit_of_the_job_that_ends_holds_for_all(broker: Broker, clock: Clock) -> None:
    for name in "abcde":
        await complete(broker, clock, name, Keep())

    await complete(broker, clock, "f", Keep(count=3))

    assert await kept(broker, State.COMPLETED) == ["d", "e", "f"]


async def test_a_generous_job_does_not_bring_the_removed_back(broker: Broker, clock: Clock) -> None:
    for name in "abc":
        await complete(broker, clock, name, Keep(count=1))

    await complete(broker, clock, "d", Keep(count=10))

    assert await kept(broker, State.COMPLETED) == ["c", "d"]


async def test_count_zero_keeps_no_trace_of_the_job(broker: Broker, clock: Clock) -> None:
    await put(broker, new(id="a"))
    job = await take_one(broker)

    await settle(broker, done(job, keep=Keep(count=0)))

    assert not await exists(broker, "a")
    assert await settle(broker, done(job)) == {lease(job)}


async def test_count_zero_leaves_the_jobs_that_others_kept(broker: Broker, clock: Clock) -> None:
    for name in "abc":
        await complete(broker, clock, name, Keep(count=10))

    await complete(broker, clock, "d", Keep(count=0))

    assert await kept(broker, State.COMPLETED) == ["a", "b", "c"]


async def test_completed_and_failed_jobs_are_limited_apart(broker: Broker, clock: Clock) -> None:
    for name in "abc":
        await complete(broker, clock, name, Keep())

    for name in "def":
        await fail(broker, clock, name, Keep(count=1))

    assert await kept(broker, State.COMPLETED) == ["a", "b", "c"]
    assert await kept(broker, State.FAILED) == ["f"]


async def test_each_queue_is_limited_apart(broker: Broker, clock: Clock) -> None:
    for name in "abc":
        await complete(broker, clock, name, Keep(), queue="one")

    await complete(broker, clock, "d", Keep(count=1), queue="two")

    assert await kept(broker, State.COMPLETED, "one") == ["a", "b", "c"]
    assert await kept(broker, State.COMPLETED, "two") == ["d"]


async def test_unfinished_jobs_are_never_touched(broker: Broker, clock: Clock) -> None:
    await put(broker, *many(2), *many(2, delay_ms=HOUR_MS))
    [running, job] = await take(broker, 2)
    await put(broker, *many(3))

    await settle(broker, done(job, keep=Keep(count=0, age_ms=0)))

    assert await counts(broker) == {State.WAITING: 3, State.DELAYED: 2, State.ACTIVE: 1}
    assert await get(broker, running.id) == running


async def test_old_jobs_go_when_another_ends(broker: Broker, clock: Clock) -> None:
    await complete(broker, clock, "old", Keep())
    clock.advance(HOUR_MS)
    await complete(broker, clock, "young", Keep())

    clock.advance(HOUR_MS // 2)
    await complete(broker, clock, "new", Keep(age_ms=HOUR_MS))

    assert await kept(broker, State.COMPLETED) == ["young", "new"]


async def test_age_is_counted_from_the_end_not_from_the_beginning(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, new("slow", id="slow"))
    slow = await take_one(broker)
    clock.advance(5 * HOUR_MS)
    await settle(broker, done(slow, keep=Keep(age_ms=HOUR_MS)))

    await complete(broker, clock, "next", Keep(age_ms=HOUR_MS))

    assert await kept(broker, State.COMPLETED) == ["slow", "next"]


async def test_count_and_age_hold_together(broker: Broker, clock: Clock) -> None:
    await complete(broker, clock, "too old", Keep())
    clock.advance(HOUR_MS)
    for name in "abc":
        await complete(broker, clock, name, Keep())

    await complete(broker, clock, "d", Keep(count=3, age_ms=HOUR_MS))

    assert await kept(broker, State.COMPLETED) == ["b", "c", "d"]


async def test_recovery_removes_what_has_become_too_old(broker: Broker, clock: Clock) -> None:
    await complete(broker, clock, "a", Keep(age_ms=HOUR_MS))
    await fail(broker, clock, "b", Keep(age_ms=3 * HOUR_MS))

    clock.advance(2 * HOUR_MS)
    for _ in range(3):
        await broker.recover(["q"], 3)

    assert await kept(broker, State.COMPLETED) == []
    assert await kept(broker, State.FAILED) == ["b"]


async def test_recovery_keeps_what_is_not_too_old(broker: Broker, clock: Clock) -> None:
    await complete(broker, clock, "a", Keep(age_ms=HOUR_MS))

    clock.advance(HOUR_MS - 1)
    for _ in range(3):
        await broker.recover(["q"], 3)

    assert await kept(broker, State.COMPLETED) == ["a"]


async def test_a_batch_may_end_more_jobs_than_are_kept(broker: Broker, clock: Clock) -> None:
    await put(broker, *many(300))
    jobs = await drain(broker)

    await settle(broker, *(done(job, keep=Keep(count=10)) for job in jobs))

    assert await counts(broker) == {State.COMPLETED: 10}


async def test_a_long_backlog_shrinks_to_its_limit_bit_by_bit(broker: Broker, clock: Clock) -> None:
    await put(broker, *many(3_000))
    await settle(broker, *(done(job) for job in await drain(broker)))

    for n in range(20):
        await complete(broker, clock, f"next {n}", Keep(count=5))

    assert await kept(broker, State.COMPLETED) == [f"next {n}" for n in range(15, 20)]


async def test_a_job_that_was_removed_by_its_limit_takes_its_log_along(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, new(id="a"))
    job = await take_one(broker)
    await broker.update("q", "a", Patch(log=("written in the first life",)))
    await settle(broker, done(job, keep=Keep(count=0)))

    await put(broker, new(id="a"))

    detail = await broker.detail("q", "a")
    assert detail is not None
    assert list(detail.logs) == []
    assert (await find(broker, some("a")))[0].starts == 0
