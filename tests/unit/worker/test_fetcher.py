"""The fetcher: claims for free slots, waits without them, and in burst mode comes to an end."""

from __future__ import annotations

import asyncio

import pytest

from stoker import BrokerUnavailable
from stoker.worker.fetcher import WAIT_SECONDS
from stoker.worker.slots import Slots
from tests.unit.support import Watched, soon, turns
from tests.unit.worker.support import Heard, Settling, claimed, put


def settling(watched: Watched, slots: int = 3, *, burst: bool = True) -> Settling:
    return Settling(watched, Slots(slots, {"default": slots}), burst=burst)


async def idle(watched: Watched, claims: int = 1) -> None:
    """Wait until so many claims have found nothing, or wait for jobs."""
    async with asyncio.timeout(10):
        while watched.count("claim") < claims:  # noqa: ASYNC110 - each turn lets the others go on
            await asyncio.sleep(0)
    await watched.broker.queues()  # behind the claim's look, on the same thread
    await turns()


async def test_a_burst_ends_when_there_is_nothing_to_do(watched: Watched) -> None:
    parts = settling(watched)

    async with parts.running() as fetching:
        await soon(fetching)

    assert [timeout for _, timeout in watched.of("claim")] == [0]
    assert parts.slots.busy == 0


async def test_a_burst_does_not_end_while_a_job_runs(watched: Watched) -> None:
    parts = settling(watched)
    await put(watched, 2)

    async with parts.running() as fetching:
        await idle(watched, claims=2)
        assert not fetching.done()
        parts.end(parts.started[0])
        await idle(watched, claims=3)
        assert not fetching.done()

        parts.end(parts.started[1])

        await soon(fetching)


async def test_a_burst_takes_what_is_added_meanwhile(watched: Watched) -> None:
    parts = settling(watched, slots=1)
    await put(watched, 2)

    async with parts.running() as fetching:
        for count in range(1, 5):
            await parts.came(count)
            if count == 2:
                await put(watched, 2)
            parts.end(parts.started[-1])
        await soon(fetching)

    assert [job.id for job in parts.started] == ["1", "2", "3", "4"]


async def test_without_burst_it_waits_and_a_new_job_wakes_it(watched: Watched) -> None:
    parts = settling(watched, burst=False)

    async with parts.running() as fetching:
        await idle(watched)
        await put(watched)
        await parts.came(1)
        assert not fetching.done()

    assert watched.of("claim")[0][1] == WAIT_SECONDS
    assert [job.id for job in parts.started] == ["1"]


async def test_nothing_is_claimed_without_a_free_slot(watched: Watched) -> None:
    parts = settling(watched, slots=1, burst=False)
    [job] = await claimed(watched)
    parts.hold([job])
    watched.calls.clear()
    await put(watched)

    async with parts.running():
        await turns(50)
        assert watched.count("claim") == 0

        parts.slots.leave("default")
        parts.finisher.nudge()

        await parts.came(1)
    assert [job.id for job in parts.started] == ["2"]


async def test_while_jobs_keep_coming_with_outcomes_nothing_is_claimed(watched: Watched) -> None:
    parts = settling(watched, slots=1)
    await put(watched, 20)

    async with parts.running() as fetching:
        for count in range(1, 21):
            await parts.came(count)
            parts.end(parts.started[-1])
        await soon(fetching)

    assert len(parts.started) == 20
    assert watched.count("finish") == 20
    assert watched.count("claim") == 2  # the first and the last, which finds nothing


async def test_a_queue_that_was_full_is_asked_again_as_soon_as_it_is_not(watched: Watched) -> None:
    parts = Settling(watched, Slots(3, {"default": 1, "other": 3}), burst=False)
    [job] = await claimed(watched)
    parts.hold([job])
    watched.calls.clear()

    async with parts.running():
        await idle(watched)
        await put(watched)
        parts.end(job)
        await parts.came(1)

    assert dict(watched.of("claim")[0][0].queues) == {"other": 3}
    assert [job.id for job in parts.started] == ["2"]


async def test_a_burst_does_not_end_because_a_job_ends_during_its_claim(watched: Watched) -> None:
    parts = Settling(watched, Slots(3, {"default": 1, "other": 3}))
    [job] = await claimed(watched)
    parts.hold([job])
    watched.calls.clear()
    await put(watched, queue="other")
    gate = watched.gates["claim"] = asyncio.Event()

    async with parts.running():
        await idle(watched)
        parts.end(job)
        await parts.settled()
        await turns(50)
        gate.set()

        await parts.came(1)
    assert [job.queue for job in parts.started] == ["other"]


@pytest.mark.usefixtures("impatient")
async def test_a_claim_that_fails_is_told_and_tried_again(watched: Watched, heard: Heard) -> None:
    parts = settling(watched)
    faults = [BrokerUnavailable("away"), BrokerUnavailable("still away")]
    watched.faults["claim"] = list(faults)
    await put(watched)

    async with parts.running():
        await parts.came(1)
        await turns(5)

    assert heard.of("broker.failed") == [{"error": fault, "doing": "claim"} for fault in faults]
    assert heard.of("broker.answers") == [{"doing": "claim"}]
    assert parts.slots.busy == 1


async def test_one_that_is_cancelled_in_mid_claim_gives_its_room_back(watched: Watched) -> None:
    parts = settling(watched, burst=False)

    async with parts.running():
        await idle(watched)
        assert parts.slots.busy == 3

    assert parts.slots.busy == 0


async def test_one_that_is_cancelled_as_its_claim_succeeds_passes_the_job_on(
    watched: Watched,
) -> None:
    parts = Settling(watched, Slots(3, {"default": 1, "other": 3}), burst=False)
    parts.hold(await claimed(watched))
    await put(watched, queue="other")
    watched.calls.clear()
    gate = watched.gates["claim"] = asyncio.Event()

    async with parts.running() as fetching:
        await idle(watched)
        [claim] = [task for task in asyncio.all_tasks() if "getattr__" in repr(task)]
        claim.add_done_callback(lambda _: fetching.cancel())
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await soon(fetching)

    assert [job.queue for job in parts.started] == ["other"]
    assert parts.slots.busy == 2
