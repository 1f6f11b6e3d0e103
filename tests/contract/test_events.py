"""Events: what happened in a queue, in order, from a cursor on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from stoker.broker.base import Broker, EventPage, Patch, QueueSettings
from stoker.job.model import Event, Keep
from stoker.job.states import State
from tests.contract.support import (
    LEASE_MS,
    Clock,
    Opener,
    done,
    every,
    failed,
    in_threads,
    looked,
    many,
    new,
    put,
    recover_all,
    released,
    retried,
    settle,
    snoozed,
    some,
    soon,
    take,
    take_one,
    want,
)

LONG = 60.0
"""Seconds: a reader that waited this long would fail its test."""


async def now(broker: Broker, queue: str = "q") -> str:
    """Return the cursor from which events are still to come."""
    return (await broker.events(queue, None)).cursor


async def since(broker: Broker, cursor: str, queue: str = "q") -> list[Event]:
    """Return all events after the cursor, from as many pages as it takes."""
    events: list[Event] = []
    while (page := await broker.events(queue, cursor)).events:
        assert not page.gap
        events += page.events
        cursor = page.cursor
    return events


def told(events: Sequence[Event]) -> list[tuple[str, str]]:
    """Return kind and id for each job; how many jobs share an event is the broker's choice."""
    return [(event.kind, id) for event in events for id in event.ids]


async def test_now_is_empty_and_a_place_to_go_on_from(broker: Broker) -> None:
    await put(broker, new(id="before"))

    start = await broker.events("q", None)
    await put(broker, new(id="after"))

    assert (list(start.events), start.gap) == ([], False)
    assert told(await since(broker, start.cursor)) == [("added", "after")]


async def test_now_does_not_wait(broker: Broker) -> None:
    page = await soon(broker.events("q", None, LONG))

    assert not page.events


async def test_nothing_new_is_an_empty_page_to_go_on_from(broker: Broker) -> None:
    cursor = await now(broker)

    page = await broker.events("q", cursor)
    await put(broker, new(id="a"))

    assert (list(page.events), page.gap) == ([], False)
    assert told(await since(broker, page.cursor)) == [("added", "a")]


async def test_the_life_of_a_job_is_told_in_order(broker: Broker, clock: Clock) -> None:
    cursor = await now(broker)
    await put(broker, new(id="a", delay_ms=50))
    clock.advance(50)
    await settle(broker, retried(await take_one(broker), 50))
    clock.advance(50)
    await settle(broker, snoozed(await take_one(broker)))
    await settle(broker, released(await take_one(broker)))
    await settle(broker, done(await take_one(broker)))
    await broker.requeue(some("a"))
    await settle(broker, failed(await take_one(broker)))
    await broker.remove(some("a"))

    events = await since(broker, cursor)

    assert told(events) == [
        (kind, "a")
        for kind in (
            *("added", "promoted", "claimed", "retried"),
            *("promoted", "claimed", "snoozed"),
            *("claimed", "released"),
            *("claimed", "completed"),
            *("requeued", "claimed", "failed"),
            "removed",
        )
    ]


@pytest.mark.needs("events_by_clock")
async def test_an_event_says_where_and_when(broker: Broker, clock: Clock) -> None:
    cursor = await now(broker)
    await put(broker, new(id="a"))
    added_at = clock.now
    clock.advance(70)
    await take(broker)

    added, claimed = await since(broker, cursor)

    assert (added.queue, added.at) == ("q", added_at)
    assert (claimed.queue, claimed.at) == ("q", clock.now)


async def test_a_batch_is_told_in_its_order(broker: Broker) -> None:
    cursor = await now(broker)

    added = await put(broker, *many(30))
    claimed = await take(broker, 30)
    await settle(broker, *(done(job) for job in reversed(claimed)))

    assert told(await since(broker, cursor)) == [
        *(("added", id) for id in added),
        *(("claimed", id) for id in added),
        *(("completed", id) for id in reversed(added)),
    ]


async def test_each_queue_tells_its_own(broker: Broker) -> None:
    here, there = await now(broker, "a"), await now(broker, "b")

    await put(broker, new(queue="a", id="1"), new(queue="b", id="2"), new(queue="a", id="3"))
    jobs = await broker.claim(want({"a": 1, "b": 1}, 2))
    await settle(broker, *(done(job) for job in jobs))

    assert told(await since(broker, here, "a")) == [
        ("added", "1"),
        ("added", "3"),
        ("claimed", "1"),
        ("completed", "1"),
    ]
    assert told(await since(broker, there, "b")) == [
        ("added", "2"),
        ("claimed", "2"),
        ("completed", "2"),
    ]


async def test_a_duplicate_is_not_told(broker: Broker) -> None:
    await put(broker, new(id="a"))
    cursor = await now(broker)

    await broker.add([new(id="a"), new(id="b")])

    assert told(await since(broker, cursor)) == [("added", "b")]


async def test_what_changed_nothing_is_not_told(broker: Broker, clock: Clock) -> None:
    await put(broker, new(id="a"), new(id="b"))
    old = await take_one(broker)
    await settle(broker, done(old))
    cursor = await now(broker)

    await settle(broker, done(old), failed(old), retried(old))
    await broker.recover(["q"], 3)
    await broker.cancel(some("a", "unknown"), "no")
    await broker.requeue(some("b", "unknown"))
    await broker.remove(some("unknown"))
    await broker.update("q", "a", Patch(priority=3))
    await broker.extend([], LEASE_MS)

    assert await since(broker, cursor) == []


async def test_cancelling_is_told_as_cancelled_and_failed(broker: Broker) -> None:
    await put(broker, new(id="a"))
    cursor = await now(broker)

    await broker.cancel(some("a"), "no")

    assert sorted(told(await since(broker, cursor))) == [("cancelled", "a"), ("failed", "a")]


async def test_recovering_is_told(broker: Broker, clock: Clock) -> None:
    await put(broker, new(id="a"))
    await take(broker)
    cursor = await now(broker)

    clock.advance(LEASE_MS + 1)
    await recover_all(broker)

    assert told(await since(broker, cursor)) == [("recovered", "a")]


async def test_a_dead_letter_made_by_recovery_is_told_as_failed_too(
    broker: Broker, clock: Clock
) -> None:
    await put(broker, new(id="a"))
    await take(broker)
    cursor = await now(broker)

    clock.advance(LEASE_MS + 1)
    await recover_all(broker, max_stalls=0)

    assert sorted(told(await since(broker, cursor))) == [("failed", "a"), ("recovered", "a")]


async def test_a_job_that_is_not_kept_is_still_told_as_ended(broker: Broker) -> None:
    await put(broker, new(id="a"), new(id="b"))
    one, two = await take(broker, 2)
    cursor = await now(broker)

    await settle(broker, done(one, keep=Keep(count=0)), failed(two, keep=Keep(count=0)))

    ended = {pair for pair in told(await since(broker, cursor)) if pair[0] != "removed"}
    assert ended == {("completed", "a"), ("failed", "b")}


async def test_progress_is_told_with_its_value(broker: Broker) -> None:
    await put(broker, new(id="a"))
    job = await take_one(broker)
    cursor = await now(broker)

    await broker.update("q", "a", Patch(token=job.token, progress='{"done": "½"}'))

    [event] = [event for event in await since(broker, cursor) if event.kind == "progress"]
    assert event.ids == ("a",)
    assert event.fields["progress"] == '{"done": "½"}'


@pytest.mark.parametrize(
    "patch", [Patch(data="2"), Patch(priority=3), Patch(delay_ms=50)], ids=["data", "prio", "delay"]
)
async def test_a_change_by_hand_is_told(broker: Broker, patch: Patch) -> None:
    await put(broker, new(id="a"))
    cursor = await now(broker)

    await broker.update("q", "a", patch)

    assert told(await since(broker, cursor)) == [("updated", "a")]


async def test_pausing_and_resuming_are_told_without_jobs(broker: Broker) -> None:
    await put(broker, new())
    cursor = await now(broker)

    await broker.configure("q", QueueSettings(paused=True))
    await broker.configure("q", QueueSettings(paused=False))

    events = await since(broker, cursor)
    assert [(event.kind, event.ids) for event in events] == [("paused", ()), ("resumed", ())]


@pytest.mark.parametrize("state", [State.WAITING, State.DELAYED, State.ACTIVE])
async def test_removing_is_told(broker: Broker, state: State) -> None:
    await put(broker, new(id="a", delay_ms=50 if state is State.DELAYED else 0))
    if state is State.ACTIVE:
        await take(broker)
    cursor = await now(broker)

    await broker.remove(every(state), force=True)

    assert told(await since(broker, cursor)) == [("removed", "a")]


async def test_a_cursor_goes_on_behind_the_page_it_came_with(broker: Broker) -> None:
    cursor = await now(broker)
    pages: list[EventPage] = []

    for n in range(5):
        await put(broker, new(id=f"job-{n}"))
        pages.append(await broker.events("q", cursor))
        cursor = pages[-1].cursor

    assert [told(page.events) for page in pages] == [[("added", f"job-{n}")] for n in range(5)]


async def test_reading_from_the_cursor_of_an_event_goes_on_behind_it(broker: Broker) -> None:
    cursor = await now(broker)
    for n in range(4):
        await put(broker, new(id=f"job-{n}"))
    events = await since(broker, cursor)

    again = await since(broker, events[1].cursor)

    assert again == events[2:]


async def test_the_same_cursor_gives_the_same_events_again(broker: Broker) -> None:
    cursor = await now(broker)
    await put(broker, *many(3))

    first = await since(broker, cursor)
    second = await since(broker, cursor)

    assert first == second
    assert len(told(first)) == 3


async def test_many_events_can_all_be_read(broker: Broker) -> None:
    cursor = await now(broker)
    added = await put(broker, *many(300))
    await asyncio.gather(*(broker.update("q", id, Patch(progress="1")) for id in added))

    events = await since(broker, cursor)

    progress = [id for kind, id in told(events) if kind == "progress"]
    assert sorted(progress) == sorted(added)


async def test_who_reads_beside_a_writer_misses_and_repeats_nothing(broker: Broker) -> None:
    cursor = await now(broker)

    async def write() -> list[str]:
        return [id for _ in range(200) for id in await put(broker, new())]

    async def read() -> list[str]:
        here, seen = cursor, list[str]()
        while len(seen) < 200:
            page = await soon(broker.events("q", here, LONG))
            seen += (id for _, id in told(page.events))
            here = page.cursor
        return seen

    written, seen, seen_too = await in_threads(write, read, read)

    assert seen == seen_too == written


# Waiting


async def test_a_reader_waits_for_the_first_event(broker: Broker) -> None:
    cursor = await now(broker)
    waiting = asyncio.create_task(broker.events("q", cursor, LONG))
    await looked(broker)
    assert not waiting.done()

    await put(broker, new(id="a"))

    page = await soon(waiting)
    assert told(page.events) == [("added", "a")]


async def test_a_reader_sleeps_through_what_happens_in_other_queues(broker: Broker) -> None:
    cursor = await now(broker)
    waiting = asyncio.create_task(broker.events("q", cursor, LONG))
    await looked(broker)

    await put(broker, new(queue="other", id="a"))
    await looked(broker)
    await put(broker, new(id="b"))

    page = await soon(waiting)
    assert told(page.events) == [("added", "b")]


async def test_a_reader_with_events_at_hand_does_not_wait(broker: Broker) -> None:
    cursor = await now(broker)
    await put(broker, new(id="a"))

    page = await soon(broker.events("q", cursor, LONG))

    assert told(page.events) == [("added", "a")]


async def test_a_reader_ends_empty_when_its_time_is_up(broker: Broker) -> None:
    cursor = await now(broker)

    page = await soon(broker.events("q", cursor, timeout=0.05))

    assert (list(page.events), page.gap) == ([], False)


async def test_all_readers_see_the_same(broker: Broker) -> None:
    cursor = await now(broker)
    waiting = [asyncio.create_task(broker.events("q", cursor, LONG)) for _ in range(5)]
    await looked(broker)

    await put(broker, new(id="a"))

    pages = await soon(asyncio.gather(*waiting))
    assert [told(page.events) for page in pages] == [[("added", "a")]] * 5


async def test_a_reader_in_another_event_loop_is_woken(broker: Broker) -> None:
    cursor = await now(broker)

    async def read() -> list[tuple[str, str]]:
        return told((await broker.events("q", cursor, LONG)).events)

    async def add() -> list[tuple[str, str]]:
        await looked(broker)
        return [("added", id) for id in await put(broker, new())]

    read_there, added_here = await in_threads(read, add)

    assert read_there == added_here


@pytest.mark.needs("cross_process")
async def test_a_reader_on_another_broker_is_woken(broker: Broker, another: Opener) -> None:
    other = await another()
    cursor = await now(other)
    waiting = asyncio.create_task(other.events("q", cursor, LONG))
    await looked(broker, other)

    await put(broker, new(id="a"))

    page = await soon(waiting)
    assert told(page.events) == [("added", "a")]


# Trimming


async def make_events(broker: Broker, clock: Clock, id: str) -> None:
    """Make a thousand events, and let the store keep house as it would in that time."""
    for _ in range(4):
        changes = (broker.update("q", id, Patch(progress=str(n))) for n in range(250))
        await asyncio.gather(*changes)
    for _ in range(5):
        clock.advance(60_000)
        await broker.recover(["q"], 3)


async def test_who_reads_too_late_is_told_of_the_gap(broker: Broker, clock: Clock) -> None:
    [id] = await put(broker, new())
    cursor = await now(broker)

    page = await broker.events("q", cursor)
    for _ in range(20):
        await make_events(broker, clock, id)
        page = await broker.events("q", cursor)
        if page.gap:
            break

    assert page.gap
    assert not (await broker.events("q", page.cursor)).gap


async def test_who_reads_in_time_misses_nothing(broker: Broker, clock: Clock) -> None:
    [id] = await put(broker, new())
    for _ in range(12):
        await make_events(broker, clock, id)
    cursor = await now(broker)
    await put(broker, new(id="a"))

    clock.advance(60_000)
    await broker.recover(["q"], 3)

    assert told(await since(broker, cursor)) == [("added", "a")]


async def test_a_gap_is_told_at_most_once(broker: Broker, clock: Clock) -> None:
    [id] = await put(broker, new())
    here, quiet = await now(broker), await now(broker, "quiet")
    for _ in range(12):
        await make_events(broker, clock, id)

    first = await broker.events("q", here), await broker.events("quiet", quiet)
    second = (
        await broker.events("q", first[0].cursor),
        await broker.events("quiet", first[1].cursor),
    )

    assert [page.gap for page in second] == [False, False]


async def test_an_idle_queue_has_no_gap(broker: Broker, clock: Clock) -> None:
    cursor = await now(broker)

    clock.advance(1_000 * 3_600_000)
    await broker.recover(["q"], 3)

    assert not (await broker.events("q", cursor)).gap
