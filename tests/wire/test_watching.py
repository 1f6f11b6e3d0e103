"""Whoever watches a queue with BullMQ's tools sees what Stoker does in it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from stoker import Filter, State, Stoker
from tests.wire.eventually import eventually
from tests.wire.peer import PeerError, PeerQueue
from tests.wire.perform import NAME, QUEUE, working
from tests.wire.test_node_adds import ended, has_completed, is_state, steps


async def test_queue_events_tell_the_story_of_a_job(theirs: PeerQueue, app: Stoker) -> None:
    await theirs.listen()
    job = await app.queue(QUEUE).add(
        "perform",
        steps(("progress", 5), ("failUntil", 2), ("return", "ok")),
        attempts=2,
        backoff=0.02,
    )

    async with working(app):
        await ended(theirs, job.id)

    story = await eventually(lambda: story_of(theirs, job.id, "completed"), "the last event")
    assert [event["event"] for event in story if event["event"] != "progress"] == [
        "added", "waiting", "active", "delayed", "waiting", "active", "completed",
    ]  # fmt: skip
    assert {"event": "progress", "jobId": job.id, "data": 5} in story
    last = story[-1]
    assert (last["returnvalue"], last["prev"]) == ("ok", "active")


async def story_of(queue: PeerQueue, id: str, last: str) -> list[dict[str, Any]]:
    """Return a job's events once the last one is among them."""
    story = [event for event in await queue.seen() if event.get("jobId") == id]
    return story if any(event["event"] == last for event in story) else []


async def test_queue_events_tell_of_a_failure(theirs: PeerQueue, app: Stoker) -> None:
    await theirs.listen()
    id = await theirs.add("perform", steps(("fail", "it broke")))

    async with working(app):
        await ended(theirs, id)

    story = await eventually(lambda: story_of(theirs, id, "failed"), "the last event")
    failed = next(event for event in story if event["event"] == "failed")
    assert "it broke" in failed["failedReason"]


async def test_wait_until_finished_in_node_for_a_job_that_stoker_runs(
    theirs: PeerQueue, app: Stoker
) -> None:
    await theirs.listen()
    good = await theirs.add("perform", steps(("nap", 50), ("return", {"a": 1})))
    bad = await theirs.add("perform", steps(("nap", 50), ("fail", "it broke")))

    waiting = [asyncio.create_task(theirs.wait_until_finished(id)) for id in (good, bad)]
    async with working(app):
        result, error = await asyncio.gather(*waiting, return_exceptions=True)

    assert result == {"a": 1}
    assert isinstance(error, PeerError)
    assert "it broke" in str(error)


async def test_get_workers_lists_stokers(theirs: PeerQueue, app: Stoker) -> None:
    async with working(app):
        workers = await eventually(lambda: theirs.call("getWorkers"), "a worker to be listed")

    assert [worker["rawname"] for worker in workers] == [f"bull:{'cQ=='}:w:{NAME}"]


async def test_metrics_count_what_stoker_ran(theirs: PeerQueue, app: Stoker) -> None:
    for _ in range(3):
        await theirs.add("perform", steps(("return", 1)))
    bad = await theirs.add("perform", steps(("fail", "it broke")))

    async with working(app):
        await eventually(lambda: has_completed(theirs, 3), "three jobs to complete")
        await ended(theirs, bad)

    assert (await theirs.call("getMetrics", "completed"))["meta"]["count"] == 3
    assert (await theirs.call("getMetrics", "failed"))["meta"]["count"] == 1


async def test_counts_and_states_are_the_same_in_both_worlds(
    theirs: PeerQueue, app: Stoker, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    queue = app.queue(QUEUE)
    running = await queue.add("perform", steps(("gate", str(gate))))
    async with working(app, concurrency=1):
        await eventually(lambda: is_state(theirs, running.id, "active"), "a job to run")
        await queue.add("perform", {})
        await queue.add("perform", {}, delay=60)
        await queue.add("perform", {}, priority=3)

        assert await theirs.counts() == {"active": 1, "waiting": 1, "delayed": 1, "prioritized": 1}
        counts = (await queue.stats()).counts
        assert {state: count for state, count in counts.items() if count} == {
            State.ACTIVE: 1, State.WAITING: 2, State.DELAYED: 1,
        }  # fmt: skip
        gate.touch()


# Bull Board


async def test_bull_board_shows_the_jobs_of_a_queue(theirs: PeerQueue, app: Stoker) -> None:
    queue = app.queue(QUEUE)
    good = await queue.add("perform", steps(("progress", 7), ("log", "line"), ("return", "ok")))
    bad = await queue.add("perform", steps(("fail", "it broke")))
    later = await queue.add("perform", {}, delay=60, priority=3)
    async with working(app):
        await ended(theirs, good.id)
        await ended(theirs, bad.id)

    listing = await theirs.board(
        "get", "/api/queues", query={"activeQueue": QUEUE, "status": "latest", "page": 1}
    )
    [board] = listing["queues"]
    jobs = {job["id"]: job for job in board["jobs"]}
    assert {name: count for name, count in board["counts"].items() if count} == {
        "completed": 1, "failed": 1, "delayed": 1,
    }  # fmt: skip
    assert jobs.keys() == {good.id, bad.id, later.id}
    assert (jobs[good.id]["returnValue"], jobs[good.id]["progress"]) == ("ok", 7)
    assert jobs[bad.id]["isFailed"]
    assert "it broke" in jobs[bad.id]["failedReason"]
    assert "it broke" in jobs[bad.id]["stacktrace"][0]
    assert await theirs.board("get", f"/api/queues/{QUEUE}/{good.id}/logs") == ["line"]


async def test_bull_boards_buttons_work_on_stokers_jobs(theirs: PeerQueue, app: Stoker) -> None:
    queue = app.queue(QUEUE)
    bad = await queue.add("perform", steps(("failUntil", 2), ("return", "ok")))
    later = await queue.add("perform", steps(("return", "now")), delay=60)
    unwanted = await queue.add("perform", {}, delay=60)
    async with working(app):
        await ended(theirs, bad.id)

        await theirs.board("put", f"/api/queues/{QUEUE}/{later.id}/promote")
        await theirs.board("put", f"/api/queues/{QUEUE}/{unwanted.id}/clean")
        await theirs.board(
            "put", f"/api/queues/{QUEUE}/{bad.id}/retry", query={"queueStatus": "failed"}
        )

        assert await later.wait(20) == "now"
    assert await theirs.job(unwanted.id) is None


async def test_bull_board_lists_stokers_workers(theirs: PeerQueue, app: Stoker) -> None:
    async with working(app):
        await eventually(lambda: is_on_the_board(theirs, NAME), "Bull Board to list the worker")


async def is_on_the_board(queue: PeerQueue, worker: str) -> bool:
    return worker in str(await queue.board("get", f"/api/queues/{QUEUE}/workers"))


async def test_obliterate_leaves_nothing_of_stokers(
    theirs: PeerQueue, app: Stoker, server: Any
) -> None:
    queue = app.queue(QUEUE)
    await queue.add("perform", steps(("log", "x")), dedup="key")
    await queue.add("perform", {}, priority=2)
    async with working(app):
        await eventually(lambda: has_completed(theirs, 2), "both jobs to run")
    await queue.add("perform", {}, delay=60)

    await theirs.pause()
    await theirs.call("obliterate", {"force": True})

    with server.connect(decode_responses=True) as client:
        assert list(client.scan_iter("*")) == []
    assert (await queue.find(Filter(state=State.COMPLETED))).jobs == []
