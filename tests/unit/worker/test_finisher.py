"""The finisher: outcomes in batches and in order, none lost, and the next jobs brought along."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from stoker import BrokerUnavailable
from stoker.failure import Failure
from stoker.job.model import JobRecord, Lease
from stoker.job.outcome import Done, Failed
from stoker.job.states import State
from stoker.worker.finisher import LEAST_AT_ONCE, MOST_BYTES
from stoker.worker.pace import Pace
from stoker.worker.slots import Slots
from tests.unit.support import Watched, turns
from tests.unit.worker.support import Heard, Settling, claimed, done, put


@pytest.fixture
def settling(watched: Watched) -> Settling:
    return Settling(watched, Slots(3, {"default": 3}))


class Instant(Settling):
    """Each job ends as soon as it has come."""

    most = 0
    """Jobs that were held at a time: to the store, all of them are active."""

    def _start(self, jobs: Sequence[JobRecord]) -> None:
        super()._start(jobs)
        self.most = max(self.most, len(self.held))
        self.end(*jobs)


def settled_in(watched: Watched) -> list[list[str]]:
    """Return the ids whose outcomes went with each call of the broker."""
    return [[outcome.lease.id for outcome in outcomes] for outcomes, _ in watched.of("finish")]


def strangers(count: int) -> Sequence[Done]:
    """Return outcomes of jobs that nobody holds."""
    return [Done(Lease("default", f"x{number}", "t"), "null") for number in range(count)]


def failed(lease: Lease, size: int) -> Failed:
    return Failed(lease, Failure("error", "", "t" * size))


async def counts(watched: Watched) -> dict[State, int]:
    [stats] = await watched.broker.queues(["default"])
    return {state: count for state, count in stats.counts.items() if count}


async def test_an_outcome_is_settled_and_the_call_brings_the_next_jobs(
    settling: Settling, watched: Watched
) -> None:
    [job] = await claimed(watched)
    settling.hold([job])
    await put(watched, 5)

    async with settling.finishing():
        settling.end(job)
        await settling.settled()

    assert settled_in(watched) == [[job.id]]
    assert [job.id for job in settling.started] == ["2", "3", "4"]
    assert settling.slots.busy == 3
    assert await counts(watched) == {State.COMPLETED: 1, State.ACTIVE: 3, State.WAITING: 2}


async def test_where_jobs_are_short_a_call_brings_some_ahead_of_free_slots(
    watched: Watched,
) -> None:
    pace = Pace(3)
    pace.took(0.0, 0.0)
    settling = Settling(watched, Slots(3, {"default": 3}), pace=pace)
    jobs = await claimed(watched, 3)
    settling.hold(jobs)
    await put(watched, 10)

    async with settling.finishing():
        settling.end(jobs[0])
        await settling.settled()

    assert len(settling.started) == 4  # for the free slot, and as many again as there are
    assert settling.slots.busy == 6


async def test_what_piles_up_during_two_calls_rides_on_the_next_in_order(watched: Watched) -> None:
    settling = Settling(watched, Slots(4, {"default": 4}))
    jobs = await claimed(watched, 4)
    settling.hold(jobs)
    gate = watched.gates["finish"] = asyncio.Event()

    async with settling.finishing():
        for job in jobs[:2]:
            settling.end(job)
            await turns()
        settling.end(jobs[2])
        await turns()
        settling.end(jobs[3])
        gate.set()
        await settling.settled()

    assert settled_in(watched) == [["1"], ["2"], ["3", "4"]]
    assert await counts(watched) == {State.COMPLETED: 4}


async def test_two_calls_share_what_a_large_worker_has(watched: Watched) -> None:
    total = LEAST_AT_ONCE * 2
    settling = Settling(watched, Slots(total, {"default": total}))
    jobs = await claimed(watched, total)
    settling.hold(jobs)
    await put(watched, total)
    watched.gates["finish"] = asyncio.Event()

    async with settling.finishing():
        settling.end(*jobs)
        await turns()
        watched.gates["finish"].set()
        await settling.settled()

    assert [len(ids) for ids in settled_in(watched)] == [LEAST_AT_ONCE, LEAST_AT_ONCE]
    assert [want.count for _, want in watched.of("finish")] == [LEAST_AT_ONCE, LEAST_AT_ONCE]
    assert len(settling.started) == settling.slots.busy == total


async def test_jobs_that_take_no_time_do_not_pile_up_unsettled(watched: Watched) -> None:
    total = LEAST_AT_ONCE * 2
    pace = Pace(total)
    pace.took(0.0, 0.0)
    settling = Instant(watched, Slots(total, {"default": total}), pace=pace)
    jobs = await claimed(watched, total)
    settling.hold(jobs)
    await put(watched, 20 * total)

    async with settling.finishing():
        settling.end(*jobs)
        await settling.settled()

    assert len(settling.started) == 20 * total
    assert settling.most <= total + pace.ahead


async def test_no_call_holds_more_than_a_transaction_should(watched: Watched) -> None:
    most = watched.settled_at_once
    total = most * 4
    settling = Settling(watched, Slots(total, {"default": total}))
    outcomes = strangers(most * 2 + 1)

    async with settling.finishing():
        for outcome in outcomes:
            settling.finisher.put(outcome)
        await settling.settled()

    assert [len(ids) for ids in settled_in(watched)] == [most, most, 1]
    assert sum(settled_in(watched), []) == [outcome.lease.id for outcome in outcomes]  # noqa: RUF017


async def test_a_call_is_bounded_in_bytes_too(watched: Watched) -> None:
    settling = Settling(watched, Slots(100, {"default": 100}))
    sizes = [MOST_BYTES // 2, MOST_BYTES // 2, 1, MOST_BYTES * 2, 1, 1]

    async with settling.finishing():
        for number, size in enumerate(sizes):
            lease = Lease("default", f"x{number}", "t")
            settling.finisher.put(Done(lease, "1" * size) if number % 2 else failed(lease, size))
        await settling.settled()

    assert [len(ids) for ids in settled_in(watched)] == [2, 1, 1, 2]


@pytest.mark.usefixtures("impatient")
async def test_while_the_broker_fails_outcomes_are_kept_and_leases_held(
    settling: Settling, watched: Watched, heard: Heard
) -> None:
    jobs = await claimed(watched, 3)
    settling.hold(jobs)
    faults = [BrokerUnavailable("away"), BrokerUnavailable("still away")]
    watched.faults["finish"] = list(faults)
    held_meanwhile: list[int] = []
    gate = watched.gates["finish"] = asyncio.Event()

    async with settling.finishing():
        settling.end(jobs[0], jobs[1])
        await turns()
        held_meanwhile.append(len(settling.held))
        gate.set()
        settling.end(jobs[2])
        await settling.settled()

    assert settled_in(watched) == [["1", "2"], ["1", "2", "3"], ["1", "2", "3"]]
    assert await counts(watched) == {State.COMPLETED: 3}
    assert heard.of("broker.failed") == [{"error": fault, "doing": "finish"} for fault in faults]
    assert held_meanwhile == [3]
    assert settling.held == {}
    assert settling.slots.busy == 0


@pytest.mark.usefixtures("impatient")
async def test_it_is_not_idle_while_an_outcome_waits_to_be_tried_again(
    settling: Settling, watched: Watched
) -> None:
    [job] = await claimed(watched)
    settling.hold([job])
    watched.faults["finish"] = [BrokerUnavailable("away")]
    seen: list[bool] = []

    async def look() -> None:
        while not settling.finisher.idle:
            seen.append(watched.count("finish") > 0)
            await asyncio.sleep(0)

    async with settling.finishing():
        settling.end(job)
        await look()

    assert len(settled_in(watched)) == 2
    assert True in seen


@pytest.mark.usefixtures("impatient")
async def test_what_failed_is_tried_again_though_nothing_more_comes(
    settling: Settling, watched: Watched
) -> None:
    [job] = await claimed(watched)
    settling.hold([job])
    watched.faults["finish"] = [BrokerUnavailable("away")]
    gate = watched.gates["finish"] = asyncio.Event()

    async with settling.finishing():
        settling.end(job)
        await turns()
        gate.set()
        await settling.settled()

    assert settled_in(watched) == [["1"], ["1"]]
    assert await counts(watched) == {State.COMPLETED: 1}


async def test_an_outcome_that_came_too_late_is_told_and_forgotten(
    settling: Settling, watched: Watched, heard: Heard
) -> None:
    [job] = await claimed(watched)
    settling.hold([job])
    [late] = strangers(1)

    async with settling.finishing():
        settling.finisher.put(late)
        settling.end(job)
        await settling.settled()

    [finished] = heard.of("jobs.finished")
    assert finished == {"outcomes": [late, done(job)], "lost": {late.lease}}
    assert heard.of("jobs.lost") == [{"leases": {late.lease}}]
    assert settling.held == {}


async def test_a_stopping_worker_settles_without_asking_for_more(
    settling: Settling, watched: Watched
) -> None:
    [job] = await claimed(watched)
    settling.hold([job])
    await put(watched)
    settling.finisher.fetching = False

    async with settling.finishing():
        settling.end(job)
        await settling.settled()

    [(_, want)] = watched.of("finish")
    assert want is None
    assert settling.started == []


async def test_whoever_waits_for_room_is_told_of_a_slot_that_became_free_without_an_outcome(
    settling: Settling,
) -> None:
    async with settling.finishing():
        waiting = asyncio.create_task(settling.finisher.next_idle())
        await turns()
        assert not waiting.done()

        settling.finisher.nudge()

        await asyncio.wait_for(waiting, 10)


async def test_what_is_no_failure_of_the_broker_ends_it(
    settling: Settling, watched: Watched
) -> None:
    """A worker whose finisher is broken must not look alive."""
    watched.faults["finish"] = [ZeroDivisionError()]
    finishing: asyncio.Task[Any] = asyncio.create_task(settling.finisher.run())

    settling.finisher.put(strangers(1)[0])

    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(finishing, 10)
    assert settling.slots.busy == 0
