"""What Stoker's producers set on a job is what a Node worker does with it."""

from __future__ import annotations

from typing import Any

import pytest

from stoker import Backoff, Dedup, JobFailed, Keep, State, Stoker
from tests.wire.peer import Flavour, Peer, PeerQueue
from tests.wire.perform import QUEUE
from tests.wire.test_node_adds import ended, steps

ALL_SETTINGS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "id": {"id": "mine"},
    "attempts": {"attempts": 4},
    "fixed": {"attempts": 2, "backoff": Backoff.fixed(0.02)},
    "fixed with jitter": {"attempts": 2, "backoff": Backoff.fixed(0.02, jitter=0.5)},
    "exponential": {"attempts": 2, "backoff": Backoff.exponential(0.02)},
    "delay": {"delay": 0.05},
    "priority": {"priority": 7},
    "lifo": {"lifo": True},
    "keep all": {"keep_completed": True, "keep_failed": True},
    "keep some": {"keep_completed": 5, "keep_failed": Keep.for_("1h", count=3)},
    "dedup": {"dedup": "key"},
    "dedup for a while": {"dedup": Dedup.within("1m", "key")},
    "timeout": {"timeout": 5},
}


@pytest.mark.parametrize("flavour", Flavour, ids=str)
@pytest.mark.parametrize("which", ALL_SETTINGS)
async def test_a_node_worker_runs_it_and_stoker_reads_the_result(
    app: Stoker, server: object, peers: Any, which: str, flavour: Flavour
) -> None:
    theirs: PeerQueue = peers(flavour).queue(QUEUE)
    job = await app.queue(QUEUE).add(
        "perform",
        steps(("progress", 0.5), ("log", "from node"), ("return", {"ö": [1, None]})),
        **ALL_SETTINGS[which],
    )

    await theirs.start_worker("node")
    try:
        result = await job.wait(20)
    finally:
        await theirs.stop_worker("node")

    record = await job.record()
    assert result == {"ö": [1, None]}
    assert (record.state, record.attempts) == (State.COMPLETED, 1)
    assert record.progress == "0.5"
    assert [log.line for log in await job.logs()] == ["from node"]


async def test_stoker_reads_why_a_node_worker_failed(app: Stoker, theirs: PeerQueue) -> None:
    job = await app.queue(QUEUE).add(
        "perform", steps(("fail", "it broke")), attempts=2, backoff=Backoff.fixed(0.02)
    )

    await theirs.start_worker("node")
    with pytest.raises(JobFailed, match="it broke"):
        await job.wait(20)
    await theirs.stop_worker("node")

    record = await job.record()
    assert (record.state, record.attempts) == (State.FAILED, 2)
    failure = await job.failure()
    assert failure is not None
    assert "it broke" in failure.message
    assert "Error: it broke" in failure.traceback


async def test_node_sees_stokers_options_as_its_own(app: Stoker, theirs: PeerQueue) -> None:
    job = await app.queue(QUEUE).add(
        "perform",
        {},
        id="mine",
        attempts=3,
        backoff=Backoff.exponential(2, jitter=0.25),
        priority=9,
        delay=60,
        keep_completed=10,
        keep_failed=Keep.for_("1h"),
        dedup=Dedup.within("1m", "key"),
    )

    seen = await theirs.job(job.id)

    assert seen is not None
    assert (seen.id, seen.priority, seen.delay) == ("mine", 9, 60_000)
    assert seen.deduplication_id == "key"
    opts = seen.opts
    assert opts["attempts"] == 3
    backoff = {name: opts["backoff"][name] for name in ("type", "delay", "jitter")}
    assert backoff == {"type": "exponential", "delay": 2_000, "jitter": 0.25}
    assert opts["removeOnComplete"] in (10, {"count": 10})
    assert opts["removeOnFail"] == {"age": 3_600}


async def test_a_node_producers_duplicate_of_stokers_job_is_not_added(
    app: Stoker, theirs: PeerQueue, node: Peer
) -> None:
    ours = await app.queue(QUEUE).add("perform", {}, dedup="key")
    theirs_id = await theirs.add("perform", {}, deduplication={"id": "key"})
    again = await app.queue(QUEUE).add("perform", {}, dedup="key")

    assert theirs_id == ours.id
    assert (again.id, again.duplicate) == (ours.id, True)
    assert await theirs.counts() == {"waiting": 1}


async def test_a_job_of_stokers_can_be_waited_for_in_node(app: Stoker, theirs: PeerQueue) -> None:
    await theirs.listen()
    await theirs.start_worker("node")
    job = await app.queue(QUEUE).add("perform", steps(("return", 42)))

    assert await theirs.wait_until_finished(job.id) == 42
    assert (await ended(theirs, job.id)).returnvalue == 42
    await theirs.stop_worker("node")
