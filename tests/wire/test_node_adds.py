"""What a Node producer can set on a job is what Stoker does with it.

What is stored on the way is compared with BullMQ's in ``test_golden.py``; here Stoker's own worker
runs the jobs, and BullMQ's ``Job`` reads what came of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stoker import JobRecord, Stoker
from tests.servers.server import Server
from tests.wire.eventually import eventually
from tests.wire.peer import PeerError, PeerJob, PeerQueue
from tests.wire.perform import NAME, QUEUE, working


def steps(*steps: tuple[str, Any]) -> dict[str, Any]:
    return {"steps": steps}


async def ended(queue: PeerQueue, id: str) -> PeerJob:
    """Wait until a job has finished, and return it as BullMQ reads it."""

    async def look() -> PeerJob | None:
        job = await queue.job(id)
        return job if job is not None and job.finished_on else None

    return await eventually(look, f"job {id} to end")


async def test_node_reads_the_result_and_all_that_goes_with_it(
    theirs: PeerQueue, app: Stoker
) -> None:
    id = await theirs.add(
        "perform", steps(("progress", {"part": 1}), ("log", "a line"), ("return", {"a": [1, None]}))
    )

    async with working(app):
        job = await ended(theirs, id)

    assert job.returnvalue == {"a": [1, None]}
    assert job.progress == {"part": 1}
    assert (job.attempts_made, job.attempts_started) == (1, 1)
    assert job.processed_by == NAME
    assert job.finished_on
    assert job.processed_on
    assert job.timestamp <= job.processed_on <= job.finished_on
    assert not job.failed_reason
    assert await theirs.logs(id) == ["a line"]
    assert await theirs.state(id) == "completed"


async def test_node_reads_why_a_job_failed(theirs: PeerQueue, app: Stoker) -> None:
    id = await theirs.add("perform", steps(("fail", "it broke")))

    async with working(app):
        job = await ended(theirs, id)

    assert job.failed_reason
    assert "it broke" in job.failed_reason
    assert job.stacktrace
    assert len(job.stacktrace) == 1
    assert "RuntimeError: it broke" in job.stacktrace[0]
    assert await theirs.state(id) == "failed"


@pytest.mark.parametrize(
    "backoff",
    [
        None,
        30,
        {"type": "fixed", "delay": 30},
        {"type": "exponential", "delay": 15},
        {"type": "exponential", "delay": 15, "jitter": 0.5},
        {"type": "fixed", "delay": 30, "jitter": 1},
    ],
    ids=str,
)
async def test_attempts_and_backoff(theirs: PeerQueue, app: Stoker, backoff: Any) -> None:
    opts = {"attempts": 3} | ({} if backoff is None else {"backoff": backoff})
    saved = await theirs.add("perform", steps(("failUntil", 3), ("return", "at last")), **opts)
    lost = await theirs.add("perform", steps(("failUntil", 9)), **opts)

    async with working(app):
        at_last, never = await ended(theirs, saved), await ended(theirs, lost)

    assert (at_last.returnvalue, at_last.attempts_made) == ("at last", 3)
    assert (never.attempts_made, await theirs.state(lost)) == (3, "failed")
    assert never.stacktrace
    assert len(never.stacktrace) == 3
    if backoff and not (isinstance(backoff, Mapping) and backoff.get("jitter")):
        assert never.finished_on
        assert never.finished_on - never.timestamp >= 45


async def test_a_job_without_attempts_is_run_once(theirs: PeerQueue, app: Stoker) -> None:
    id = await theirs.add("perform", steps(("fail", "it broke")))

    async with working(app):
        assert (await ended(theirs, id)).attempts_made == 1


async def test_a_custom_backoff_that_nobody_knows_is_said_and_leaves_no_job_behind(
    theirs: PeerQueue, app: Stoker
) -> None:
    id = await theirs.add(
        "perform", steps(("fail", "it broke")), attempts=2, backoff={"type": "tenants"}
    )

    async with working(app):
        job = await ended(theirs, id)

    assert await theirs.state(id) == "failed"
    assert job.failed_reason
    assert "it broke" in job.failed_reason
    assert "tenants" in job.failed_reason


async def test_a_custom_backoff_is_asked_for_the_wait(theirs: PeerQueue, app: Stoker) -> None:
    asked: list[int] = []

    @app.backoff("tenants")
    def tenants(attempt: int, job: JobRecord) -> float:
        asked.append(attempt)
        return 0.01

    id = await theirs.add(
        "perform",
        steps(("failUntil", 3), ("return", "ok")),
        attempts=3,
        backoff={"type": "tenants"},
    )

    async with working(app):
        job = await ended(theirs, id)

    assert (job.returnvalue, asked) == ("ok", [1, 2])


async def test_delay_priority_and_lifo_decide_the_order(
    theirs: PeerQueue, app: Stoker, server: Server
) -> None:
    await theirs.pause()
    for name, opts in {
        "late": {"delay": 200},
        "second": {"priority": 1},
        "third": {"priority": 2},
        "fourth": {"priority": 2},
        "zeroth": {},
        "first of all": {"lifo": True},
    }.items():
        await theirs.add("perform", steps(("log", "x")), jobId=name, **opts)
    await theirs.resume()

    async with working(app, concurrency=1):
        jobs = [await ended(theirs, name) for name in ("late", "second", "third", "fourth",
                                                        "zeroth", "first of all")]  # fmt: skip

    late = next(job for job in jobs if job.id == "late")
    assert late.processed_on
    assert late.processed_on - late.timestamp >= 200
    # Not by their times: several may be given out, and end, in one millisecond.
    with server.connect(decode_responses=True) as client:
        stream: Any = client.xrange(f"bull:{QUEUE}:events")
    told = [fields for _, fields in stream]
    given_out = [fields["jobId"] for fields in told if fields["event"] == "active"]
    assert given_out == ["first of all", "zeroth", "second", "third", "fourth", "late"]


KEPT: list[tuple[Any, int]] = [
    (True, 0),
    (False, 4),
    (2, 2),
    (0, 0),
    ({"count": 2}, 2),
    ({"age": 3_600}, 4),
    ({"age": 3_600, "count": 1}, 1),
    ({"age": 3_600, "limit": 100}, 4),
]


@pytest.mark.parametrize(("form", "kept"), KEPT, ids=str)
@pytest.mark.parametrize("option", ["removeOnComplete", "removeOnFail"])
async def test_finished_jobs_are_kept_as_said(
    theirs: PeerQueue, app: Stoker, option: str, form: Any, kept: int
) -> None:
    end = ("return", 1) if option == "removeOnComplete" else ("fail", "it broke")
    state = "completed" if option == "removeOnComplete" else "failed"
    for _ in range(4):
        await theirs.add("perform", steps(end), **{option: form})

    async with working(app, concurrency=1):
        await eventually(lambda: drained(theirs), "the queue to be empty")

    assert (await theirs.counts()).get(state, 0) == kept


async def drained(queue: PeerQueue) -> bool:
    counts = await queue.counts()
    return not counts.keys() & {"waiting", "active", "delayed", "prioritized", "paused"}


async def test_logs_are_limited_as_said(theirs: PeerQueue, app: Stoker) -> None:
    id = await theirs.add(
        "perform", steps(("log", "one"), ("log", "two"), ("log", "three")), keepLogs=2
    )

    async with working(app):
        await ended(theirs, id)

    assert await theirs.logs(id) == ["two", "three"]


async def test_stack_traces_are_limited_as_said(theirs: PeerQueue, app: Stoker) -> None:
    id = await theirs.add("perform", steps(("fail", "it broke")), attempts=3, stackTraceLimit=1)

    async with working(app):
        job = await ended(theirs, id)

    assert job.attempts_made == 3
    assert job.stacktrace
    assert len(job.stacktrace) == 1


async def test_a_parent_runs_after_its_children_and_sees_their_results(
    theirs: PeerQueue, app: Stoker
) -> None:
    await theirs.add_flow("perform", {"jobId": "parent"}, {"jobId": "one"}, {"jobId": "two"})

    async with working(app):
        await ended(theirs, "parent")

    assert await theirs.state("parent") == "completed"
    assert await theirs.of_job("parent", "getChildrenValues") == {
        "bull:q:one": None,
        "bull:q:two": None,
    }


async def test_a_job_with_a_policy_for_its_parent_fails_it(theirs: PeerQueue, app: Stoker) -> None:
    await theirs.pause()
    await theirs.add_flow(
        "perform", {"jobId": "parent"}, {"jobId": "one", "failParentOnFailure": True}
    )
    await theirs.of_job("one", "updateData", steps(("fail", "it broke")))
    await theirs.resume()

    async with working(app):
        parent = await ended(theirs, "parent")

    assert await theirs.state("parent") == "failed"
    assert parent.failed_reason
    assert "bull:q:one" in parent.failed_reason


async def test_an_active_parent_is_not_run_before_its_children(
    theirs: PeerQueue, app: Stoker, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    await theirs.pause()
    await theirs.add_flow("perform", {"jobId": "parent"}, {"jobId": "one"})
    await theirs.of_job("one", "updateData", steps(("gate", str(gate))))
    await theirs.resume()

    async with working(app):
        await eventually(lambda: is_state(theirs, "one", "active"), "the child to run")
        assert await theirs.state("parent") == "waiting-children"
        gate.touch()
        await ended(theirs, "parent")


async def is_state(queue: PeerQueue, id: str, state: str) -> bool:
    return await queue.state(id) == state


@pytest.mark.parametrize("repeat", [{"every": 100}, {"pattern": "*/1 * * * * *"}], ids=str)
async def test_what_a_job_scheduler_makes_is_rescheduled_by_stoker(
    theirs: PeerQueue, app: Stoker, repeat: dict[str, Any]
) -> None:
    template = {"name": "perform", "data": steps(("return", "tick"))}
    await theirs.call("upsertJobScheduler", "clock", repeat, template)

    async with working(app):
        await eventually(lambda: has_completed(theirs, 3), "three runs")

    assert await theirs.call("getJobSchedulersCount") == 1
    assert len(await theirs.call("getDelayed")) == 1, "the next one is armed, and only that"


async def has_completed(queue: PeerQueue, count: int) -> bool:
    return (await queue.counts()).get("completed", 0) >= count


async def test_a_job_that_no_task_is_registered_for_is_a_dead_letter(
    theirs: PeerQueue, app: Stoker
) -> None:
    id = await theirs.add("stranger")

    async with working(app):
        job = await ended(theirs, id)

    assert job.failed_reason
    assert "stranger" in job.failed_reason


async def test_a_size_limit_is_the_producers_to_keep(theirs: PeerQueue, app: Stoker) -> None:
    """BullMQ looks at it when a job is added, and only then: it stays with the job."""
    data = steps(("failUntil", 2), ("return", "x" * 500))

    with pytest.raises(PeerError, match="exceeds the limit"):
        await theirs.add("perform", data, sizeLimit=100)
    id = await theirs.add("perform", data, sizeLimit=1_000, attempts=2)
    async with working(app):
        job = await ended(theirs, id)

    assert job.returnvalue == "x" * 500
    assert job.opts["sizeLimit"] == 1_000
    assert await theirs.counts() == {"completed": 1}
