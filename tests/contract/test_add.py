"""Adding jobs: ids, batches, delays, and what is stored."""

from __future__ import annotations

import asyncio

import pytest

from stoker.broker.base import Added, Broker
from stoker.job.model import Dedup
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
    ids,
    in_threads,
    many,
    names,
    new,
    put,
    retried,
    settle,
    some,
    take,
    take_one,
)


async def test_an_added_job_waits_with_all_that_was_given(broker: Broker, clock: Clock) -> None:
    job = new("send", "mail", data='{"to": 1}', options='{"attempts":7}', priority=3)

    [id] = await put(broker, job)

    stored = await get(broker, id, "mail")
    assert (stored.queue, stored.id, stored.name) == ("mail", id, "send")
    assert (stored.data, stored.options) == ('{"to": 1}', '{"attempts":7}')
    assert (stored.state, stored.priority, stored.created_at) == (State.WAITING, 3, clock.now)


async def test_an_added_job_has_no_history(broker: Broker) -> None:
    [id] = await put(broker, new())

    stored = await get(broker, id)

    assert (stored.attempts, stored.starts, stored.crashes) == (0, 0, 0)
    assert (stored.claimed_at, stored.finished_at, stored.token) == (None, None, None)
    assert (stored.progress, stored.result, stored.failure) == (None, None, None)


async def test_answers_come_in_the_order_of_the_batch(broker: Broker) -> None:
    batch = [new(str(n), "a" if n % 2 else "b", id=f"job-{n}") for n in range(20)]

    answers = await broker.add(batch)

    assert answers == [Added(f"job-{n}") for n in range(20)]


async def test_adding_nothing_answers_nothing(broker: Broker) -> None:
    answers = await broker.add([])

    assert answers == []


async def test_every_job_gets_an_id_of_its_own(broker: Broker) -> None:
    first = await put(broker, *many(50))
    second = await put(broker, *many(50))

    together = first + second

    assert len(set(together)) == 100
    assert all(together)


async def test_a_large_batch_is_stored_whole_and_in_order(broker: Broker) -> None:
    batch = many(2_500)

    await put(broker, *batch)

    assert await counts(broker) == {State.WAITING: 2_500}
    assert names(await drain(broker)) == [job.name for job in batch]


async def test_a_custom_id_is_the_jobs_id(broker: Broker) -> None:
    [id] = await put(broker, new("send", id="order-17"))

    stored = await get(broker, "order-17")

    assert id == "order-17"
    assert stored.name == "send"


async def test_a_custom_id_that_exists_leaves_the_original_untouched(broker: Broker) -> None:
    await put(broker, new("first", id="a", data="1", priority=5))
    original = await get(broker, "a")

    answers = await broker.add([new("second", id="a", data="2", delay_ms=50, priority=0)])

    assert answers == [Added("a", duplicate=True)]
    assert await get(broker, "a") == original
    assert await counts(broker) == {State.WAITING: 1}


async def test_a_custom_id_is_taken_while_its_job_is_running(broker: Broker) -> None:
    await put(broker, new(id="a"))
    running = await take_one(broker)

    [again] = await broker.add([new(id="a")])

    assert again == Added("a", duplicate=True)
    assert await get(broker, "a") == running


@pytest.mark.parametrize("end", [done, failed], ids=["completed", "failed"])
async def test_a_custom_id_is_taken_while_its_finished_job_is_kept(broker: Broker, end) -> None:
    await put(broker, new(id="a"))
    await settle(broker, end(await take_one(broker)))
    finished = await get(broker, "a")

    [again] = await broker.add([new(id="a")])

    assert again == Added("a", duplicate=True)
    assert await get(broker, "a") == finished


async def test_a_custom_id_is_free_once_its_job_was_removed(broker: Broker) -> None:
    await put(broker, new("first", id="a"))
    await broker.remove(some("a"))

    answers = await broker.add([new("second", id="a")])

    assert answers == [Added("a")]
    assert (await get(broker, "a")).name == "second"


async def test_a_custom_id_may_exist_once_in_each_queue(broker: Broker) -> None:
    await put(broker, new("here", "one", id="a"))

    answers = await broker.add([new("there", "two", id="a")])

    assert answers == [Added("a")]
    assert (await get(broker, "a", "one")).name == "here"
    assert (await get(broker, "a", "two")).name == "there"


async def test_a_custom_id_twice_in_a_batch_is_a_duplicate_of_the_first(broker: Broker) -> None:
    batch = [new("first", id="a"), new("second", id="a"), new("third", id="b")]

    answers = await broker.add(batch)

    assert answers == [Added("a"), Added("a", duplicate=True), Added("b")]
    assert (await get(broker, "a")).name == "first"


async def test_a_duplicate_does_not_keep_the_others_of_its_batch_out(broker: Broker) -> None:
    await put(broker, new(id="taken"))

    answers = await broker.add([new(id="a"), new(id="taken"), new(id="b")])

    assert [answer.duplicate for answer in answers] == [False, True, False]
    assert await counts(broker) == {State.WAITING: 3}


async def test_a_duplicate_by_id_does_not_occupy_its_dedup_key(broker: Broker) -> None:
    await put(broker, new(id="a"))
    await broker.add([new(id="a", dedup=Dedup("key"))])

    [answer] = await broker.add([new(id="b", dedup=Dedup("key"))])

    assert answer == Added("b")


async def test_a_delayed_job_is_due_after_its_delay(broker: Broker, clock: Clock) -> None:
    [id] = await put(broker, new(delay_ms=1_500))

    stored = await get(broker, id)

    assert (stored.state, stored.due_at) == (State.DELAYED, clock.now + 1_500)
    assert stored.created_at == clock.now


async def test_one_batch_may_fill_several_queues(broker: Broker) -> None:
    batch = [new("1", "a"), new("2", "b"), new("3", "a"), new("4", "b", delay_ms=10)]

    await put(broker, *batch)

    assert await counts(broker, "a") == {State.WAITING: 2}
    assert await counts(broker, "b") == {State.WAITING: 1, State.DELAYED: 1}


async def test_an_added_job_can_be_claimed_at_once(broker: Broker) -> None:
    [id] = await put(broker, new())

    job = await take_one(broker)

    assert job.id == id


async def test_adding_to_a_queue_with_a_past_continues_it(broker: Broker) -> None:
    await put(broker, new("old"))
    await settle(broker, retried(await take_one(broker), 1_000))

    await put(broker, new("young"))

    assert await counts(broker) == {State.WAITING: 1, State.DELAYED: 1}
    assert names(await take(broker, 5)) == ["young"]


async def test_a_batch_that_cannot_be_stored_leaves_nothing_and_harms_no_other(
    broker: Broker,
) -> None:
    unstorable = new("bad", data="\ud800")  # half a character: there is no UTF-8 for it

    answers = await asyncio.gather(
        put(broker, new("a"), new("b")),
        put(broker, new("before", id="x"), unstorable, new("after", dedup=Dedup("key"))),
        put(broker, new("c"), new("d")),
        return_exceptions=True,
    )

    assert [isinstance(answer, Exception) for answer in answers] == [False, True, False]
    assert names(await find(broker, every(State.WAITING))) == ["a", "b", "c", "d"]
    await put(broker, new("now", id="x"), new("now", dedup=Dedup("key")))


async def test_many_tasks_may_add_at_once(broker: Broker) -> None:
    adding = [put(broker, new(f"{n}-1"), new(f"{n}-2")) for n in range(100)]

    answers = await asyncio.gather(*adding)

    assert len({id for batch in answers for id in batch}) == 200
    line = names(await find(broker, every(State.WAITING)))
    assert len(line) == 200
    assert all(line.index(f"{n}-1") < line.index(f"{n}-2") for n in range(100))


async def test_threads_with_loops_of_their_own_may_add_at_once(broker: Broker) -> None:
    async def add() -> list[str]:
        return [id for n in range(25) for id in await put(broker, new(str(n)))]

    answers = await in_threads(*[add] * 4)

    stored = ids(await find(broker, every(State.WAITING)))
    assert sorted(stored) == sorted(id for batch in answers for id in batch)
    assert len(stored) == len(set(stored)) == 100


async def test_of_many_adding_the_same_id_at_once_one_wins(broker: Broker) -> None:
    adding = [broker.add([new(str(n), id="a")]) for n in range(30)]

    answers = await asyncio.gather(*adding)

    winners = [n for n, [answer] in enumerate(answers) if not answer.duplicate]
    assert len(winners) == 1
    assert (await get(broker, "a")).name == str(winners[0])
    assert not await exists(broker, "b")
