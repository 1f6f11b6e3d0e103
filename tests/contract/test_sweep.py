"""An operator's hand on many jobs: requeue, remove, cancel, in bounded chunks."""

from __future__ import annotations

import pytest

from stoker.broker.base import Broker, Swept
from stoker.job.states import FINISHED, State
from tests.contract.support import (
    LEASE_MS,
    Clock,
    counts,
    done,
    drain,
    every,
    exists,
    failed,
    failure,
    find,
    get,
    ids,
    lease,
    names,
    new,
    put,
    recover_all,
    settle,
    some,
    state_of,
    sweep,
    take,
    take_one,
)

MANY = 350
"""More than one chunk of any sweep."""


async def store(broker: Broker, state: State, count: int, name: str = "noop") -> list[str]:
    """Store jobs in a state, return their ids."""
    delay_ms = 3_600_000 if state is State.DELAYED else 0
    added = await put(broker, *(new(name, delay_ms=delay_ms) for _ in range(count)))
    if state in (State.ACTIVE, *FINISHED):
        jobs = await drain(broker)
        if state in FINISHED:
            end = done if state is State.COMPLETED else failed
            await settle(broker, *(end(job) for job in jobs))
    return added


def nothing(swept: Swept) -> bool:
    return not swept.ids and swept.next is None


async def one_of_each(broker: Broker) -> dict[State, str]:
    """Store a job in each state; return their ids."""
    order = (State.COMPLETED, State.FAILED, State.ACTIVE, State.WAITING, State.DELAYED)
    return {state: (await store(broker, state, 1))[0] for state in order}


# requeue


@pytest.mark.parametrize("state", [State.DELAYED, State.COMPLETED, State.FAILED])
async def test_requeued_jobs_wait_and_run(broker: Broker, state: State) -> None:
    added = await store(broker, state, 3)

    [chunk] = await sweep(broker.requeue, every(state))

    assert sorted(chunk) == sorted(added)
    assert await counts(broker) == {State.WAITING: 3}
    assert sorted(ids(await take(broker, 10))) == sorted(added)


@pytest.mark.parametrize("state", [State.WAITING, State.ACTIVE])
async def test_jobs_that_wait_or_run_are_not_requeued(broker: Broker, state: State) -> None:
    [id] = await store(broker, state, 1)
    before = await broker.detail("q", id)

    by_state = await broker.requeue(every(state))
    by_id = await broker.requeue(some(id))

    assert nothing(by_state)
    assert nothing(by_id)
    assert await broker.detail("q", id) == before


async def test_requeue_by_ids_takes_what_it_may(broker: Broker) -> None:
    stored = await one_of_each(broker)

    [chunk] = await sweep(broker.requeue, some(*stored.values(), "unknown"))

    assert sorted(chunk) == sorted(
        stored[state] for state in (State.DELAYED, State.COMPLETED, State.FAILED)
    )
    assert await counts(broker) == {State.WAITING: 4, State.ACTIVE: 1}


async def test_a_requeued_job_keeps_what_its_producer_gave(broker: Broker) -> None:
    [id] = await put(broker, new("send", data="[1]", options='{"attempts":7}', priority=4))
    job = await take_one(broker)
    await settle(broker, failed(job))

    await broker.requeue(some(id))

    again = await get(broker, id)
    given = (again.name, again.data, again.options, again.priority, again.created_at)
    assert given == (job.name, job.data, job.options, job.priority, job.created_at)


async def test_a_requeued_job_is_held_by_nobody(broker: Broker, clock: Clock) -> None:
    [id] = await store(broker, State.FAILED, 1)
    await broker.requeue(some(id))

    clock.advance(100 * LEASE_MS)

    assert await recover_all(broker) == []
    assert (await get(broker, id)).token is None


# remove


@pytest.mark.parametrize("state", [State.WAITING, State.DELAYED, *sorted(FINISHED)])
async def test_removed_jobs_are_gone(broker: Broker, state: State) -> None:
    added = await store(broker, state, 3)

    [chunk] = await sweep(broker.remove, every(state))

    assert sorted(chunk) == sorted(added)
    assert await counts(broker) == {}
    assert await find(broker, some(*added)) == []
    assert [await broker.detail("q", id) for id in added] == [None] * 3


async def test_a_running_job_is_not_removed_unless_by_force(broker: Broker) -> None:
    [id] = await store(broker, State.ACTIVE, 1)
    before = await broker.detail("q", id)

    by_id = await broker.remove(some(id))
    by_state = await broker.remove(every(State.ACTIVE))

    assert nothing(by_id)
    assert nothing(by_state)
    assert await broker.detail("q", id) == before


@pytest.mark.parametrize("by_id", [True, False])
async def test_force_removes_a_running_job_and_breaks_its_lease(
    broker: Broker, by_id: bool
) -> None:
    await put(broker, new())
    job = await take_one(broker)

    swept = await broker.remove(some(job.id) if by_id else every(State.ACTIVE), force=True)

    assert list(swept.ids) == [job.id]
    assert not await exists(broker, job.id)
    assert await broker.extend([lease(job)], LEASE_MS) == {lease(job)}
    assert await settle(broker, done(job)) == {lease(job)}


async def test_remove_by_ids_takes_what_it_may(broker: Broker) -> None:
    stored = await one_of_each(broker)

    [chunk] = await sweep(broker.remove, some(*stored.values(), "unknown"))

    assert sorted(chunk) == sorted(id for state, id in stored.items() if state != State.ACTIVE)
    assert await counts(broker) == {State.ACTIVE: 1}


async def test_a_removed_job_never_runs(broker: Broker, clock: Clock) -> None:
    await put(broker, new(id="a"), new(id="b", delay_ms=50), new(id="c"))
    await broker.remove(some("a", "b"))

    clock.advance(100)

    assert ids(await take(broker, 10)) == ["c"]


# cancel


@pytest.mark.parametrize("state", [State.WAITING, State.DELAYED, State.ACTIVE])
async def test_cancelled_jobs_are_dead_letters(broker: Broker, clock: Clock, state: State) -> None:
    added = await store(broker, state, 3)
    clock.advance(10)

    swept = await broker.cancel(every(state), "not needed any more")

    assert sorted(swept.ids) == sorted(added)
    for job in await find(broker, some(*added)):
        assert (job.state, job.finished_at, job.token) == (State.FAILED, clock.now, None)
        assert failure(job).reason == "cancelled"
        assert failure(job).message == "not needed any more"


async def test_cancelling_a_running_job_breaks_its_lease(broker: Broker, clock: Clock) -> None:
    await put(broker, new())
    job = await take_one(broker)

    await broker.cancel(some(job.id), "no")

    assert await broker.extend([lease(job)], LEASE_MS) == {lease(job)}
    assert await settle(broker, done(job)) == {lease(job)}
    clock.advance(LEASE_MS + 1)
    assert await recover_all(broker) == []
    assert await state_of(broker, job.id) == State.FAILED


@pytest.mark.parametrize("state", sorted(FINISHED))
async def test_finished_jobs_are_not_cancelled(broker: Broker, state: State) -> None:
    [id] = await store(broker, state, 1)
    before = await broker.detail("q", id)

    by_state = await broker.cancel(every(state), "no")
    by_id = await broker.cancel(some(id), "no")

    assert nothing(by_state)
    assert nothing(by_id)
    assert await broker.detail("q", id) == before


async def test_cancel_by_ids_takes_what_it_may(broker: Broker) -> None:
    stored = await one_of_each(broker)

    swept = await broker.cancel(some(*stored.values(), "unknown"), "no")

    assert sorted(swept.ids) == sorted(id for state, id in stored.items() if state not in FINISHED)
    assert await counts(broker) == {State.COMPLETED: 1, State.FAILED: 4}


async def test_a_cancelled_job_never_runs_unless_requeued(broker: Broker, clock: Clock) -> None:
    await put(broker, new(id="a"), new(id="b", delay_ms=50))
    await broker.cancel(some("a", "b"), "no")
    clock.advance(100)

    before = await take(broker, 10)
    await broker.requeue(some("b"))
    after = await take(broker, 10)

    assert (ids(before), ids(after)) == ([], ["b"])


# all of them


def requeue(broker: Broker):
    return broker.requeue


def remove(broker: Broker):
    return broker.remove


def cancel(broker: Broker):
    return lambda select: broker.cancel(select, "no")


ACTIONS = [(requeue, State.FAILED), (remove, State.WAITING), (cancel, State.WAITING)]
actions = pytest.mark.parametrize(("action", "state"), ACTIONS, ids=["requeue", "remove", "cancel"])


@actions
async def test_a_selection_is_swept_in_chunks(broker: Broker, action, state: State) -> None:
    added = await store(broker, state, MANY)

    chunks = await sweep(action(broker), every(state, limit=100))

    assert sorted(id for chunk in chunks for id in chunk) == sorted(added)
    assert len(chunks) >= 4
    assert state not in await counts(broker)


@actions
async def test_ids_are_swept_in_chunks(broker: Broker, action, state: State) -> None:
    added = await store(broker, state, MANY)

    chunks = await sweep(action(broker), some(*added, limit=100))

    assert sorted(id for chunk in chunks for id in chunk) == sorted(added)
    assert state not in await counts(broker)


@actions
async def test_an_id_named_twice_is_swept_once(broker: Broker, action, state: State) -> None:
    one, two = await store(broker, state, 2)

    [chunk] = await sweep(action(broker), some(one, one, two, one))

    assert sorted(chunk) == sorted([one, two])
    assert sum((await counts(broker)).values()) == len(await find(broker, some(one, two)))


@actions
async def test_only_matching_jobs_are_swept(broker: Broker, action, state: State) -> None:
    for n in range(60):
        await store(broker, state, 5, "hit" if n % 20 == 7 else "miss")

    chunks = await sweep(action(broker), every(state, name="hit", limit=10))

    assert sum(map(len, chunks)) == 15
    assert names(await find(broker, every(state))) == ["miss"] * 285


@actions
async def test_jobs_outside_the_interval_are_not_swept(
    broker: Broker, clock: Clock, action, state: State
) -> None:
    ids_by_time = []
    for _ in range(4):
        clock.advance(100)
        ids_by_time += await store(broker, state, 1)

    chunks = await sweep(action(broker), every(state, since=clock.now - 200, until=clock.now))

    assert chunks == [ids_by_time[1:3]]


@actions
async def test_sweeping_in_another_queue_or_nothing_is_calm(
    broker: Broker, action, state: State
) -> None:
    [id] = await store(broker, state, 1)

    answers = [
        await action(broker)(select)
        for select in (every(state, "nowhere"), some(id, queue="nowhere"), some(), some("unknown"))
    ]

    assert all(nothing(answer) for answer in answers)
    assert await counts(broker) == {state: 1}


@actions
async def test_sweeping_twice_finds_nothing_more(broker: Broker, action, state: State) -> None:
    added = await store(broker, state, 5)
    await sweep(action(broker), some(*added))
    before = await counts(broker)

    again = await sweep(action(broker), some(*added))

    assert again == [[]]
    assert await counts(broker) == before
