"""Finding jobs: by id or by state, filtered, in order, page by page."""

from __future__ import annotations

import msgspec
import pytest

from stoker.broker.base import Broker, Page, Select
from stoker.failure import REASONS, Failure, Reason
from stoker.job.outcome import Failed
from stoker.job.states import FINISHED, State
from tests.contract.support import (
    Clock,
    done,
    every,
    failed,
    find,
    get,
    ids,
    in_threads,
    lease,
    many,
    names,
    new,
    pages,
    put,
    retried,
    settle,
    some,
    take,
    take_one,
)


async def one_of_each(broker: Broker, clock: Clock) -> None:
    """Store one job in each state, named after it."""
    for end, name in ((done, "completed"), (failed, "failed")):
        await put(broker, new(name, id=f"{name}-id"))
        clock.advance(1)
        await settle(broker, end(await take_one(broker)))
    await put(broker, new("active", id="active-id"))
    await take_one(broker)
    await put(broker, new("waiting", id="waiting-id"))
    await put(broker, new("delayed", id="delayed-id", delay_ms=1_000))


async def finish_one_by_one(broker: Broker, clock: Clock, count: int) -> list[str]:
    """Complete jobs named "0", "1", … at different instants; return their ids."""
    added = await put(broker, *many(count))
    for job in await take(broker, count):
        clock.advance(1)
        await settle(broker, done(job))
    return added


@pytest.mark.parametrize("state", State)
async def test_jobs_are_found_by_their_state(broker: Broker, clock: Clock, state: State) -> None:
    await one_of_each(broker, clock)

    found = await find(broker, every(state))

    assert names(found) == [state.value]
    assert found == [await get(broker, f"{state}-id")]


async def test_jobs_are_found_by_their_ids_whatever_their_state(
    broker: Broker, clock: Clock
) -> None:
    await one_of_each(broker, clock)

    found = await find(broker, some(*(f"{state}-id" for state in State)))

    assert sorted(names(found)) == sorted(State)


async def test_unknown_ids_are_left_out(broker: Broker) -> None:
    await put(broker, new(id="a"), new(queue="other", id="b"))

    found = await find(broker, some("unknown", "a", "b"))

    assert ids(found) == ["a"]


async def test_an_id_named_twice_is_found_once(broker: Broker) -> None:
    await put(broker, new(id="a"), new(id="b"))

    found = await find(broker, some("a", "b", "a"))

    assert sorted(ids(found)) == ["a", "b"]


async def test_no_ids_select_nothing(broker: Broker) -> None:
    await put(broker, new())

    page = await broker.find(some())

    assert (list(page.jobs), page.next) == ([], None)


async def test_a_state_is_one_more_filter_over_ids(broker: Broker, clock: Clock) -> None:
    await one_of_each(broker, clock)

    found = await find(broker, some("waiting-id", "active-id", state=State.ACTIVE))

    assert ids(found) == ["active-id"]


async def test_filters_hold_for_ids_too(broker: Broker) -> None:
    await put(broker, new("send", id="a"), new("sort", id="b"))

    found = await find(broker, some("a", "b", name="sort"))

    assert ids(found) == ["b"]


async def test_jobs_of_another_queue_are_not_found(broker: Broker) -> None:
    await put(broker, new("here"), new("there", "other"))

    found = await find(broker, every(State.WAITING))

    assert names(found) == ["here"]


async def test_an_unknown_queue_has_no_jobs(broker: Broker) -> None:
    page = await broker.find(every(State.WAITING, "nowhere"))

    assert (list(page.jobs), page.next) == ([], None)


async def test_jobs_are_found_by_their_name(broker: Broker) -> None:
    await put(broker, *(new(name) for name in ("send", "sort", "send", "sending")))

    found = await find(broker, every(State.WAITING, name="send"))

    assert names(found) == ["send", "send"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alice", ["a", "c"]),
        ("ALICE", ["a", "c"]),
        ('{"to": "alice"', ["a"]),
        ("100%", ["b"]),
        ("%", ["b"]),
        ("a_ice", []),
        ("*", []),
        ("\\", ["d"]),
        ("größe", ["d"]),
        ("'; --", []),
        ("nobody", []),
    ],
)
async def test_jobs_are_found_by_text_in_their_data(
    broker: Broker, text: str, expected: list[str]
) -> None:
    await put(
        broker,
        new("a", data='{"to": "alice"}'),
        new("b", data='{"share": "100%", "to": "bob"}'),
        new("c", data='["Alice"]'),
        new("d", data='"größe \\n"'),
    )

    found = await find(broker, every(State.WAITING, text=text))

    assert names(found) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ALICE", ["a"]), ("100%", ["b"]), ("a_ice", []), ("größe", ["d"]), ("GRÖSSE", [])],
)
async def test_text_is_searched_in_the_same_way_in_jobs_named_by_id(
    broker: Broker, text: str, expected: list[str]
) -> None:
    data = {"a": '{"to": "alice"}', "b": '{"share": "100%"}', "d": '"größe"'}
    await put(broker, *(new(id, id=id, data=text) for id, text in data.items()))

    found = await find(broker, some(*data, text=text))

    assert names(found) == expected


@pytest.mark.parametrize("selection", ["by id", "by state"])
async def test_case_matters_beyond_ascii(broker: Broker, selection: str) -> None:
    await put(broker, new("upper", id="u", data='"ÄPFEL"'), new("lower", id="l", data='"äpfel"'))
    select = every(State.WAITING) if selection == "by state" else some("u", "l")

    found = await find(broker, msgspec.structs.replace(select, text="Äpfel"))

    assert names(found) == ["upper"]


DEAD: tuple[Reason, ...] = ("crashed", "error", "timeout")


async def one_dead_letter_for_each(broker: Broker, clock: Clock, *reasons: Reason) -> None:
    """Store a dead letter for each reason, with that as its id."""
    for reason in reasons:
        await put(broker, new(id=reason))
        clock.advance(1)
        await settle(broker, failed(await take_one(broker), reason))


REASONS_SOUGHT: dict[tuple[Reason, ...], list[str]] = {
    ("timeout",): ["timeout"],
    ("cancelled", "crashed"): ["cancelled", "crashed"],
    ("error",): ["error"],
    ("error", "timeout"): ["error", "timeout"],
    ("unrecoverable",): [],
}


@pytest.mark.parametrize("selection", ["by id", "by state"])
@pytest.mark.parametrize(("reasons", "expected"), REASONS_SOUGHT.items())
async def test_dead_letters_are_found_by_why_they_failed(
    broker: Broker, clock: Clock, selection: str, reasons: tuple[Reason, ...], expected: list[str]
) -> None:
    await one_dead_letter_for_each(broker, clock, "cancelled", "crashed", "error", "timeout")
    found = every(State.FAILED) if selection == "by state" else some("cancelled", *map(str, DEAD))

    page = await find(broker, msgspec.structs.replace(found, reasons=reasons))

    assert sorted(ids(page)) == expected


async def test_what_ended_well_or_never_ran_failed_for_no_reason(broker: Broker) -> None:
    await put(broker, new(id="well"))
    await settle(broker, retried(await take_one(broker)))
    await settle(broker, done(await take_one(broker)))
    await put(broker, new(id="new"))

    found = await find(broker, some("well", "new", reasons=tuple(REASONS)))

    assert ids(found) == []


async def test_a_replay_leaves_alone_what_failed_for_other_reasons(
    broker: Broker, clock: Clock
) -> None:
    await one_dead_letter_for_each(broker, clock, "cancelled", "error", "timeout")

    swept = await broker.requeue(every(State.FAILED, reasons=("error", "timeout")))

    assert sorted(swept.ids) == ["error", "timeout"]
    assert ids(await find(broker, every(State.FAILED))) == ["cancelled"]


async def test_jobs_are_found_by_text_in_their_failure(broker: Broker, clock: Clock) -> None:
    await put(broker, *many(2))
    for job, why in zip(await take(broker, 2), ("ConnectionError: gone", "no"), strict=True):
        clock.advance(1)
        await settle(broker, Failed(lease(job), Failure("error", why)))

    found = await find(broker, every(State.FAILED, text="connectionERROR"))

    assert names(found) == ["0"]


async def test_the_text_of_names_and_ids_is_not_searched(broker: Broker) -> None:
    await put(broker, new("alice", id="alice", data="1"))

    found = await find(broker, every(State.WAITING, text="alice"))

    assert found == []


async def store_over_time(broker: Broker, clock: Clock, state: State) -> int:
    """Store jobs "a" to "d" whose time is 100, 200, 300 and 400 after the instant returned.

    Their other times are different ones, so that it matters which of them is looked at.
    """
    if state in FINISHED:
        await put(broker, *(new(name, id=name) for name in "abcd"))
    start = clock.advance(10_000)
    for name in "abcd":
        clock.advance(100)
        if state in FINISHED:
            job = await take_one(broker)
            await settle(broker, done(job) if state is State.COMPLETED else failed(job))
        else:
            await put(broker, new(name, id=name, delay_ms=5_000 * (state is State.DELAYED)))
    clock.advance(10_000 * (state is not State.DELAYED))
    if state is State.ACTIVE:
        await take(broker, 4)
    return start + 5_000 * (state is State.DELAYED)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, "abcd"),
        (200, None, "bcd"),
        (201, None, "cd"),
        (None, 300, "ab"),
        (None, 301, "abc"),
        (200, 400, "bc"),
        (200, 200, ""),
    ],
)
@pytest.mark.parametrize("state", State)
async def test_jobs_are_found_by_a_half_open_interval_of_their_time(
    broker: Broker, clock: Clock, state: State, since: int | None, until: int | None, expected: str
) -> None:
    start = await store_over_time(broker, clock, state)
    first = None if since is None else start + since
    end = None if until is None else start + until

    by_state = await find(broker, every(state, since=first, until=end))
    by_id = await find(broker, some(*"abcd", since=first, until=end))

    assert sorted(names(by_state)) == list(expected)
    assert sorted(names(by_id)) == list(expected)


async def test_all_filters_hold_together(broker: Broker, clock: Clock) -> None:
    start = clock.now
    for name, data in (("send", "x"), ("sort", "x"), ("send", "y"), ("send", "xx")):
        await put(broker, new(name, data=f'"{data}"'))
        clock.advance(100)

    found = await find(
        broker, every(State.WAITING, name="send", text="x", since=start + 100, until=start + 400)
    )

    assert [job.data for job in found] == ['"xx"']


@pytest.mark.parametrize("newest_first", [False, True])
async def test_finished_jobs_come_in_the_order_they_ended(
    broker: Broker, clock: Clock, newest_first: bool
) -> None:
    await put(broker, *many(5))
    jobs = await take(broker, 5)
    order = [3, 0, 4, 1, 2]
    for n in order:
        clock.advance(1)
        await settle(broker, done(jobs[n]))

    found = await find(broker, every(State.COMPLETED, newest_first=newest_first, limit=2))

    assert names(found) == [str(n) for n in (reversed(order) if newest_first else order)]


@pytest.mark.parametrize("newest_first", [False, True])
async def test_delayed_jobs_come_in_the_order_they_fall_due(
    broker: Broker, newest_first: bool
) -> None:
    await put(broker, *(new(str(n), delay_ms=n) for n in (300, 100, 500, 200, 400)))

    found = await find(broker, every(State.DELAYED, newest_first=newest_first, limit=2))

    order = ["100", "200", "300", "400", "500"]
    assert names(found) == (order[::-1] if newest_first else order)


@pytest.mark.parametrize("newest_first", [False, True])
async def test_waiting_jobs_come_in_the_order_they_will_run(
    broker: Broker, newest_first: bool
) -> None:
    await put(broker, *(new(str(n), priority=n) for n in (3, 1, 5, 2, 4)))

    found = await find(broker, every(State.WAITING, newest_first=newest_first, limit=2))

    order = ["1", "2", "3", "4", "5"]
    assert names(found) == (order[::-1] if newest_first else order)


@pytest.mark.parametrize("newest_first", [False, True])
async def test_pages_give_every_job_once(broker: Broker, clock: Clock, newest_first: bool) -> None:
    added = await finish_one_by_one(broker, clock, 23)

    found = await pages(broker, every(State.COMPLETED, newest_first=newest_first, limit=5))

    line = [job.id for page in found for job in page.jobs]
    assert line == (added[::-1] if newest_first else added)
    assert len(found[0].jobs) == 5


async def test_pages_of_ids_give_every_job_once(broker: Broker) -> None:
    added = await put(broker, *many(250))

    found = await pages(broker, some(*added, "unknown", limit=40))

    line = [job.id for page in found for job in page.jobs]
    assert sorted(line) == sorted(added)


async def test_jobs_of_the_same_instant_are_not_lost_between_pages(broker: Broker) -> None:
    added = await put(broker, *many(50, delay_ms=100))
    await put(broker, *many(50, priority=3))

    delayed = await find(broker, every(State.DELAYED, limit=7))
    waiting = await find(broker, every(State.WAITING, limit=7))

    assert ids(delayed) == added
    assert len({job.id for job in waiting}) == len(waiting) == 50


async def test_filtered_pages_give_every_match_once(broker: Broker) -> None:
    await put(broker, *(new("rare" if n % 450 == 449 else "common") for n in range(4_500)))

    found = await pages(broker, every(State.WAITING, name="rare", limit=3))

    matches = [job for page in found for job in page.jobs]
    assert len({job.id for job in matches}) == len(matches) == 10


async def test_one_page_is_the_whole_answer_when_all_fits(broker: Broker) -> None:
    await put(broker, *many(3))

    page: Page = await broker.find(every(State.WAITING, limit=10))

    assert (names(page.jobs), page.next) == (["0", "1", "2"], None)


@pytest.mark.parametrize("newest_first", [False, True])
async def test_jobs_that_end_while_one_pages_neither_repeat_nor_hide_others(
    broker: Broker, clock: Clock, newest_first: bool
) -> None:
    added = await finish_one_by_one(broker, clock, 20)
    select = every(State.COMPLETED, newest_first=newest_first, limit=4)

    seen: list[str] = []
    page = await broker.find(select)
    while True:
        seen += [id for id in ids(page.jobs) if id in added]
        if page.next is None or len(seen) >= 20:
            break
        await finish_one_by_one(broker, clock, 2)
        page = await broker.find(msgspec.structs.replace(select, after=page.next))

    assert seen == (added[::-1] if newest_first else added)


async def test_jobs_removed_behind_the_cursor_hide_no_others(broker: Broker, clock: Clock) -> None:
    added = await finish_one_by_one(broker, clock, 20)
    select = every(State.COMPLETED, limit=4)

    seen: list[str] = []
    page = await broker.find(select)
    while True:
        seen += ids(page.jobs)
        await broker.remove(some(*ids(page.jobs)))
        if page.next is None:
            break
        page = await broker.find(msgspec.structs.replace(select, after=page.next))

    assert seen == added


async def test_jobs_claimed_while_one_pages_hide_no_others(broker: Broker) -> None:
    added = await put(broker, *many(30))
    select = every(State.WAITING, limit=4)

    seen: list[str] = []
    claimed: list[str] = []
    page = await broker.find(select)
    while True:
        seen += ids(page.jobs)
        claimed += ids(await take(broker, 2))
        if page.next is None:
            break
        page = await broker.find(msgspec.structs.replace(select, after=page.next))

    assert set(seen) | set(claimed) == set(added)
    assert len(seen) == len(set(seen))


async def test_urgent_jobs_added_while_one_pages_do_not_repeat_others(broker: Broker) -> None:
    added = await put(broker, *many(20, priority=5))
    select: Select = every(State.WAITING, limit=4)

    seen: list[str] = []
    page = await broker.find(select)
    while True:
        seen += [id for id in ids(page.jobs) if id in added]
        if page.next is None:
            break
        await put(broker, new("urgent"), new("lifo", priority=5, lifo=True))
        page = await broker.find(msgspec.structs.replace(select, after=page.next))

    assert seen == added


async def test_a_look_beside_workers_shows_only_what_was_asked_for(broker: Broker) -> None:
    await put(broker, *many(200))

    async def work() -> set[State]:
        while jobs := await take(broker, 5):
            await settle(broker, *(done(job) for job in jobs))
        return set()

    async def look() -> set[State]:
        seen: set[State] = set()
        while page := (await broker.find(every(State.WAITING, limit=50))).jobs:
            seen |= {job.state for job in page}
        return seen

    _, seen = await in_threads(work, look)

    assert seen <= {State.WAITING}


async def test_finding_changes_nothing(broker: Broker, clock: Clock) -> None:
    await put(broker, *many(3), new(delay_ms=100))
    clock.advance(100)

    first = [await find(broker, every(state)) for state in State]
    second = [await find(broker, every(state)) for state in State]

    assert first == second
