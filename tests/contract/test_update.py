"""Changing one job: each field, where it is allowed, and by whom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
import pytest

from stoker.broker.base import Broker, Patch
from stoker.job.model import Log
from stoker.job.states import FINISHED, UNFINISHED, State
from tests.contract.support import (
    LEASE_MS,
    Clock,
    counts,
    done,
    every,
    failed,
    find,
    get,
    ids,
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
)


async def store(broker: Broker, state: State) -> None:
    """Store the job "a" in a state."""
    await put(broker, new(id="a", data="1", delay_ms=5_000 if state is State.DELAYED else 0))
    if state in (State.ACTIVE, *FINISHED):
        job = await take_one(broker)
        if state in FINISHED:
            await settle(broker, done(job) if state is State.COMPLETED else failed(job))


async def logs(broker: Broker) -> list[Log]:
    detail = await broker.detail("q", "a")
    assert detail is not None
    return list(detail.logs)


@pytest.mark.parametrize("state", sorted(UNFINISHED))
async def test_the_data_of_an_unfinished_job_can_be_changed(broker: Broker, state: State) -> None:
    await store(broker, state)
    before = await get(broker, "a")

    changed = await broker.update("q", "a", Patch(data='{"to": 2}'))

    assert changed
    assert await get(broker, "a") == msgspec.structs.replace(before, data='{"to": 2}')


async def test_the_next_run_gets_the_changed_data(broker: Broker) -> None:
    await put(broker, new(id="a", data="1"))

    await broker.update("q", "a", Patch(data="2"))

    assert (await take_one(broker)).data == "2"


@pytest.mark.parametrize("state", [State.WAITING, State.DELAYED])
async def test_the_priority_of_a_job_that_is_not_running_can_be_changed(
    broker: Broker, state: State
) -> None:
    await store(broker, state)
    before = await get(broker, "a")

    changed = await broker.update("q", "a", Patch(priority=7))

    assert changed
    assert await get(broker, "a") == msgspec.structs.replace(before, priority=7)


@pytest.mark.parametrize("state", [State.ACTIVE, *sorted(FINISHED)])
async def test_the_priority_of_a_running_or_finished_job_stays(
    broker: Broker, state: State
) -> None:
    await store(broker, state)
    before = await get(broker, "a")

    changed = await broker.update("q", "a", Patch(priority=7))

    assert not changed
    assert await get(broker, "a") == before


@pytest.mark.parametrize("state", [State.WAITING, State.DELAYED])
async def test_a_job_that_is_not_running_can_be_delayed_from_now(
    broker: Broker, clock: Clock, state: State
) -> None:
    await store(broker, state)
    clock.advance(300)

    changed = await broker.update("q", "a", Patch(delay_ms=1_000))

    assert changed
    stored = await get(broker, "a")
    assert (stored.state, stored.due_at) == (State.DELAYED, clock.now + 1_000)
    clock.advance(999)
    assert await take(broker) == []
    clock.advance(1)
    assert ids(await take(broker)) == ["a"]


@pytest.mark.parametrize("state", [State.WAITING, State.DELAYED])
async def test_a_delay_of_zero_makes_a_job_wait(broker: Broker, state: State) -> None:
    await store(broker, state)

    changed = await broker.update("q", "a", Patch(delay_ms=0))

    assert changed
    assert await state_of(broker, "a") == State.WAITING
    assert ids(await take(broker)) == ["a"]


@pytest.mark.parametrize("delay_ms", [0, 1_000])
@pytest.mark.parametrize("state", [State.ACTIVE, *sorted(FINISHED)])
async def test_a_running_or_finished_job_cannot_be_delayed(
    broker: Broker, state: State, delay_ms: int
) -> None:
    await store(broker, state)
    before = await get(broker, "a")

    changed = await broker.update("q", "a", Patch(delay_ms=delay_ms))

    assert not changed
    assert await get(broker, "a") == before


async def test_delaying_and_waiting_keep_the_counts_true(broker: Broker) -> None:
    await put(broker, new(id="a"), new(id="b", delay_ms=5_000))

    await broker.update("q", "a", Patch(delay_ms=50))
    await broker.update("q", "b", Patch(delay_ms=0))

    assert await counts(broker) == {State.WAITING: 1, State.DELAYED: 1}


async def test_progress_is_kept_with_the_job(broker: Broker) -> None:
    await put(broker, new(id="a"))
    job = await take_one(broker)

    changed = await broker.update("q", "a", Patch(token=job.token, progress='{"done": 0.5}'))

    assert changed
    assert await get(broker, "a") == msgspec.structs.replace(job, progress='{"done": 0.5}')


async def test_the_next_run_finds_the_progress_of_the_last(broker: Broker) -> None:
    await put(broker, new(id="a"))
    job = await take_one(broker)
    await broker.update("q", "a", Patch(token=job.token, progress='{"page": 7}'))
    await settle(broker, retried(job))

    again = await take_one(broker)

    assert again.progress == '{"page": 7}'


async def test_log_lines_are_appended_in_order_with_their_time(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, new(id="a"))
    job = await take_one(broker)
    start = clock.now

    await broker.update("q", "a", Patch(token=job.token, log=("one", "two")))
    clock.advance(50)
    await broker.update("q", "a", Patch(token=job.token, log=("three",)))

    assert await logs(broker) == [
        Log(start, "one"),
        Log(start, "two"),
        Log(start + 50, "three"),
    ]


async def test_a_long_log_stays_in_order(broker: Broker) -> None:
    await put(broker, new(id="a"))

    for n in range(0, 200, 10):
        await broker.update("q", "a", Patch(log=tuple(str(m) for m in range(n, n + 10))))

    assert [log.line for log in await logs(broker)] == [str(n) for n in range(200)]


async def test_each_job_has_a_log_of_its_own(broker: Broker) -> None:
    await put(broker, new(id="a"), new(id="b"), new(queue="other", id="a"))

    await broker.update("q", "b", Patch(log=("of b",)))
    await broker.update("other", "a", Patch(log=("of the other a",)))

    assert await logs(broker) == []


async def test_the_log_outlives_the_run(broker: Broker, clock: Clock) -> None:
    await put(broker, new(id="a"))
    job = await take_one(broker)
    await broker.update("q", "a", Patch(token=job.token, log=("first run",)))
    await settle(broker, failed(job))
    await broker.requeue(some("a"))
    job = await take_one(broker)

    await broker.update("q", "a", Patch(token=job.token, log=("second run",)))

    assert [log.line for log in await logs(broker)] == ["first run", "second run"]


@pytest.mark.parametrize("state", State)
async def test_something_can_be_logged_about_any_job(broker: Broker, state: State) -> None:
    await store(broker, state)
    before = await get(broker, "a")

    changed = await broker.update("q", "a", Patch(log=("an operator was here",)))

    assert changed
    assert [log.line for log in await logs(broker)] == ["an operator was here"]
    assert await get(broker, "a") == before


async def test_one_patch_may_change_several_things(broker: Broker, clock: Clock) -> None:
    await put(broker, new(id="a"))

    changed = await broker.update(
        "q", "a", Patch(data="2", priority=5, delay_ms=100, progress="3", log=("moved",))
    )

    assert changed
    stored = await get(broker, "a")
    assert (stored.data, stored.priority, stored.progress) == ("2", 5, "3")
    assert (stored.state, stored.due_at) == (State.DELAYED, clock.now + 100)
    assert await logs(broker) == [Log(clock.now, "moved")]


@pytest.mark.parametrize("refused", [Patch(priority=7), Patch(delay_ms=100)])
@pytest.mark.parametrize("state", [State.ACTIVE, *sorted(FINISHED)])
async def test_a_patch_is_applied_whole_or_not_at_all(
    broker: Broker, state: State, refused: Patch
) -> None:
    await store(broker, state)
    before = await broker.detail("q", "a")

    changed = await broker.update(
        "q", "a", msgspec.structs.replace(refused, data="2", progress="3", log=("no",))
    )

    assert not changed
    assert await broker.detail("q", "a") == before


async def test_an_empty_patch_changes_nothing(broker: Broker) -> None:
    await put(broker, new(id="a"))
    before = await broker.detail("q", "a")

    await broker.update("q", "a", Patch())

    assert await broker.detail("q", "a") == before


async def test_an_unknown_job_cannot_be_changed(broker: Broker) -> None:
    await put(broker, new(id="a"))

    changed = [
        await broker.update("q", "unknown", Patch(data="2", log=("no",))),
        await broker.update("nowhere", "a", Patch(data="2", log=("no",))),
    ]

    assert changed == [False, False]
    assert await counts(broker) == {State.WAITING: 1}
    assert await broker.detail("q", "unknown") is None


# By the holder of the lease


async def released_meanwhile(broker: Broker, clock: Clock) -> None:
    await settle(broker, released(await get(broker, "a")))


async def claimed_anew(broker: Broker, clock: Clock) -> None:
    await released_meanwhile(broker, clock)
    await take_one(broker)


async def finished_meanwhile(broker: Broker, clock: Clock) -> None:
    await settle(broker, done(await get(broker, "a")))


async def cancelled_meanwhile(broker: Broker, clock: Clock) -> None:
    await broker.cancel(some("a"), "no")


async def recovered_meanwhile(broker: Broker, clock: Clock) -> None:
    clock.advance(LEASE_MS + 1)
    await recover_all(broker)


@pytest.mark.parametrize(
    "lose",
    [
        released_meanwhile,
        claimed_anew,
        finished_meanwhile,
        cancelled_meanwhile,
        recovered_meanwhile,
    ],
    ids=lambda lose: lose.__name__,
)
@pytest.mark.parametrize(
    "patch",
    [Patch(progress="9"), Patch(log=("late",)), Patch(data="9")],
    ids=["progress", "log", "data"],
)
async def test_a_holder_that_lost_its_lease_changes_nothing(
    broker: Broker,
    clock: Clock,
    patch: Patch,
    lose: Callable[[Broker, Clock], Awaitable[None]],
) -> None:
    await put(broker, new(id="a"))
    job = await take_one(broker)
    await lose(broker, clock)
    before = await broker.detail("q", "a")

    changed = await broker.update("q", "a", msgspec.structs.replace(patch, token=job.token))

    assert not changed
    assert await broker.detail("q", "a") == before


async def test_a_holder_whose_lease_ran_out_may_write_if_nobody_stepped_in(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, new(id="a"))
    job = await take_one(broker)
    clock.advance(LEASE_MS + 1)

    changed = await broker.update("q", "a", Patch(token=job.token, progress="9"))

    assert changed
    assert (await get(broker, "a")).progress == "9"


async def test_a_token_is_refused_while_nobody_holds_the_job(broker: Broker) -> None:
    await put(broker, new(id="a"))
    before = await broker.detail("q", "a")

    changed = [
        await broker.update("q", "a", Patch(token=token, data="2", log=("no",)))
        for token in ("made up", "")
    ]

    assert changed == [False, False]
    assert await broker.detail("q", "a") == before


# Details


async def test_the_detail_is_the_job_as_it_is_found(broker: Broker) -> None:
    await put(broker, new(id="a", data='{"to": 1}'))
    await take_one(broker)

    detail = await broker.detail("q", "a")

    assert detail is not None
    assert [detail.job] == await find(broker, every(State.ACTIVE))
    assert list(detail.logs) == []


async def test_an_unknown_job_has_no_detail(broker: Broker) -> None:
    await put(broker, new(id="a"))

    details = [await broker.detail("q", "b"), await broker.detail("nowhere", "a")]

    assert details == [None, None]
