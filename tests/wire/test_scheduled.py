"""What a job scheduler has armed stays where it is: without it the schedule would end unnoticed."""

from __future__ import annotations

import asyncio

import pytest

from stoker import Filter, State, Stoker
from tests.cli.support import stoker
from tests.servers.server import Server
from tests.wire.peer import PeerError, PeerQueue

UNFINISHED = (State.WAITING, State.DELAYED)


async def arm(queue: PeerQueue) -> None:
    """Have one scheduler whose job is delayed and one whose job waits, each among other jobs."""
    await queue.add_bulk([{"name": "perform", "data": {}, "opts": {"delay": 1_000}}] * 3)
    await queue.add_bulk([{"name": "perform", "data": {}}] * 3)
    await queue.schedule("daily", {"pattern": "0 3 * * *"}, "perform")
    await queue.schedule("hourly", {"every": 3_600_000}, "perform")
    await queue.add_bulk([{"name": "perform", "data": {}, "opts": {"delay": 90_000_000}}] * 3)
    await queue.add_bulk([{"name": "perform", "data": {}}] * 3)


async def left(app: Stoker) -> list[str]:
    pages = [await app.queue("q").find(Filter(state=state)) for state in UNFINISHED]
    return [job.id for page in pages for job in page.jobs]


@pytest.mark.parametrize("verb", ["remove", "cancel"])
async def test_a_sweep_passes_it_over(theirs: PeerQueue, app: Stoker, verb: str) -> None:
    await arm(theirs)

    for state in UNFINISHED:
        assert await getattr(app.queue("q"), verb)(Filter(state=state)) == 6

    assert sorted(id.split(":")[1] for id in await left(app)) == ["daily", "hourly"]
    assert await theirs.call("getJobSchedulersCount") == 2


async def test_neither_side_takes_it_away_by_its_id(theirs: PeerQueue, app: Stoker) -> None:
    await theirs.schedule("daily", {"pattern": "0 3 * * *"}, "perform")
    (id,) = await left(app)
    job = app.queue("q").job(id)

    with pytest.raises(PeerError, match="belongs to a job scheduler"):
        await theirs.of_job(id, "remove")
    assert not await job.remove()
    assert not await job.remove(force=True)
    assert not await job.cancel()

    assert await left(app) == [id]


async def test_an_operator_is_told_why(theirs: PeerQueue, app: Stoker, server: Server) -> None:
    await theirs.schedule("daily", {"pattern": "0 3 * * *"}, "perform")
    (id,) = await left(app)

    for verb in ("rm", "cancel"):
        place = ["--queue", "q", "--url", server.url]
        refused = await asyncio.to_thread(stoker, "job", verb, id, *place)

        assert refused.exit_code == 1
        assert "it is the next one of a job scheduler of BullMQ's" in refused.stderr
        assert "removeJobScheduler" in refused.stderr


async def test_once_it_has_begun_it_is_a_job_like_any_other(theirs: PeerQueue, app: Stoker) -> None:
    await theirs.schedule("hourly", {"every": 3_600_000}, "perform")
    begun = await theirs.claim()
    assert begun is not None

    assert await app.queue("q").job(begun.id).cancel()

    assert await theirs.state(begun.id) == "failed"
    assert len(await left(app)) == 1
