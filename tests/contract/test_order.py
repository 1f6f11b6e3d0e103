"""The order of a queue: priority, then the order in which jobs became waiting."""

from __future__ import annotations

from stoker.broker.base import Broker, Patch
from stoker.job.model import MAX_PRIORITY
from stoker.job.states import State
from tests.contract.support import (
    Clock,
    drain,
    every,
    find,
    many,
    names,
    new,
    put,
    recover_all,
    released,
    retried,
    settle,
    snoozed,
    some,
    take,
    take_one,
)


async def test_jobs_run_in_the_order_they_were_added(broker: Broker) -> None:
    for name in "abc":
        await put(broker, new(name))

    line = [(await take_one(broker)).name for _ in "abc"]

    assert line == ["a", "b", "c"]


async def test_more_urgent_jobs_run_first(broker: Broker) -> None:
    await put(
        broker,
        new("last", priority=MAX_PRIORITY),
        new("third", priority=10),
        new("second", priority=1),
        new("first"),
    )

    line = [(await take_one(broker)).name for _ in range(4)]

    assert line == ["first", "second", "third", "last"]


async def test_a_batch_comes_in_the_order_of_the_line(broker: Broker) -> None:
    await put(broker, new("c", priority=2), new("a"), new("d", priority=2), new("b", priority=1))

    line = await take(broker, 10)

    assert names(line) == ["a", "b", "c", "d"]


async def test_equal_priorities_run_in_the_order_they_were_added(broker: Broker) -> None:
    for n in range(3):
        await put(broker, *(new(f"{n}-{priority}", priority=priority) for priority in (7, 3)))

    line = await take(broker, 10)

    assert names(line) == ["0-3", "1-3", "2-3", "0-7", "1-7", "2-7"]


async def test_a_long_line_of_one_priority_keeps_its_order(broker: Broker) -> None:
    await put(broker, *many(1_500, priority=9))

    line = await drain(broker)

    assert names(line) == [str(n) for n in range(1_500)]


async def test_lifo_jobs_go_to_the_front_the_last_one_first(broker: Broker) -> None:
    await put(broker, new("old"), new("older lifo", lifo=True))
    await put(broker, new("younger lifo", lifo=True), new("young"))

    line = await take(broker, 10)

    assert names(line) == ["younger lifo", "older lifo", "old", "young"]


async def test_lifo_goes_to_the_front_of_its_own_priority_only(broker: Broker) -> None:
    await put(broker, new("urgent"), new("normal", priority=5), new("low", priority=9))

    await put(broker, new("lifo", priority=5, lifo=True))

    line = await take(broker, 10)
    assert names(line) == ["urgent", "lifo", "normal", "low"]


async def test_a_lifo_job_goes_to_the_front_each_time_it_begins_to_wait(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, new("late lifo", lifo=True, delay_ms=100))
    await put(broker, new("lifo", lifo=True), new("normal"))
    job = await take_one(broker)
    await put(broker, new("young"))

    await settle(broker, retried(job))
    again = await take_one(broker)
    clock.advance(100)

    assert again.name == "lifo"
    assert names(await take(broker, 10)) == ["late lifo", "normal", "young"]


async def test_due_jobs_join_the_end_of_their_line_in_the_order_they_fell_due(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, new("due second", delay_ms=200), new("due first", delay_ms=100), new("old"))

    clock.advance(200)

    line = await take(broker, 10)
    assert names(line) == ["old", "due first", "due second"]


async def test_jobs_due_at_the_same_instant_run_in_the_order_they_were_added(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, *many(12, delay_ms=100))

    clock.advance(1_000)

    line = await take(broker, 12)
    assert names(line) == [str(n) for n in range(12)]


async def test_a_due_job_overtakes_less_urgent_ones(broker: Broker, clock: Clock) -> None:
    await put(broker, new("normal", priority=5), new("urgent", priority=1, delay_ms=100))

    clock.advance(100)

    line = [(await take_one(broker)).name for _ in range(2)]
    assert line == ["urgent", "normal"]


async def test_a_job_handed_back_goes_to_the_front_of_its_priority(broker: Broker) -> None:
    await put(broker, new("a", priority=5), new("b", priority=5))
    job = await take_one(broker)
    await put(broker, new("urgent", priority=1))

    await settle(broker, released(job))

    line = await take(broker, 10)
    assert names(line) == ["urgent", "a", "b"]


async def test_jobs_handed_back_together_keep_their_order(broker: Broker) -> None:
    await put(broker, *many(4))
    jobs = await take(broker, 3)

    await settle(broker, *(released(job) for job in jobs))

    assert names(await take(broker, 10)) == ["0", "1", "2", "3"]


async def test_a_recovered_job_goes_to_the_front_of_its_priority(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, new("a", priority=5), new("b", priority=5))
    await take_one(broker, lease_ms=100)
    await put(broker, new("urgent", priority=1))

    clock.advance(101)
    await recover_all(broker)

    line = await take(broker, 10)
    assert names(line) == ["urgent", "a", "b"]


async def test_a_job_retried_at_once_goes_to_the_end_of_its_priority(broker: Broker) -> None:
    await put(broker, new("a", priority=5), new("b", priority=5), new("low", priority=9))
    job = await take_one(broker)

    await settle(broker, retried(job))

    line = await take(broker, 10)
    assert names(line) == ["b", "a", "low"]


async def test_a_job_snoozed_for_no_time_goes_to_the_end_of_its_priority(broker: Broker) -> None:
    await put(broker, new("a", priority=5), new("b", priority=5), new("low", priority=9))
    job = await take_one(broker)

    await settle(broker, snoozed(job))

    line = await take(broker, 10)
    assert names(line) == ["b", "a", "low"]


async def test_a_requeued_job_goes_to_the_end_of_its_priority(broker: Broker) -> None:
    await put(broker, new("a", priority=5, delay_ms=50, id="a"), new("b", priority=5))
    await put(broker, new("low", priority=9))

    await broker.requeue(some("a"))

    line = await take(broker, 10)
    assert names(line) == ["b", "a", "low"]


async def test_a_job_with_a_new_priority_goes_to_the_end_of_that_line(broker: Broker) -> None:
    await put(broker, new("a", id="a"), new("b", priority=5), new("c", priority=9))

    await broker.update("q", "a", Patch(priority=5))

    line = await take(broker, 10)
    assert names(line) == ["b", "a", "c"]


async def test_a_delayed_job_keeps_its_new_priority_until_it_is_due(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, new("a", id="a", priority=9, delay_ms=100), new("b", priority=5))
    await broker.update("q", "a", Patch(priority=1))

    clock.advance(100)

    line = await take(broker, 10)
    assert names(line) == ["a", "b"]


async def test_the_line_is_shown_in_the_order_it_is_run(broker: Broker) -> None:
    await put(broker, new("c", priority=3), new("b"), new("d", priority=3), new("a", lifo=True))

    shown = await find(broker, every(State.WAITING))

    assert names(shown) == ["a", "b", "c", "d"]
    assert names(await take(broker, 10)) == names(shown)
