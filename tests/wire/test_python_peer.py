"""The PyPI ``bullmq``: its jobs for Stoker, Stoker's jobs for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import bullmq
import pytest

from stoker import State, Stoker
from tests.servers.server import Server
from tests.wire.peer import PeerQueue
from tests.wire.perform import QUEUE, working
from tests.wire.test_node_adds import ended, steps


@pytest.fixture
async def python_queue(server: Server) -> AsyncIterator[bullmq.Queue]:
    queue = bullmq.Queue(QUEUE, {"connection": server.url})
    yield queue
    await queue.close()


@pytest.mark.parametrize(
    "opts",
    [
        {},
        {"attempts": 3, "backoff": {"type": "fixed", "delay": 20}},
        {"priority": 3},
        {"delay": 50},
    ],
    ids=str,
)
async def test_stoker_runs_its_jobs(
    python_queue: bullmq.Queue, theirs: PeerQueue, app: Stoker, opts: Any
) -> None:
    id = str((await python_queue.add("perform", steps(("return", {"a": 1})), opts)).id)

    async with working(app):
        seen = await ended(theirs, id)

    again = await bullmq.Job.fromId(python_queue, id)
    assert seen.returnvalue == {"a": 1}
    assert again is not None
    assert again.attemptsMade == 1
    assert await python_queue.getJobState(id) == "completed"


async def test_it_runs_stokers_jobs(app: Stoker, server: Server) -> None:
    async def process(job: bullmq.Job, _token: str) -> Any:
        await job.updateProgress(50)
        await job.log("from python")
        return job.data["steps"][0][1]

    job = await app.queue(QUEUE).add("perform", steps(("return", 42)), priority=2, attempts=2)
    worker = bullmq.Worker(QUEUE, cast(Any, process), {"connection": server.url})
    try:
        assert await job.wait(20) == 42
    finally:
        await worker.close()

    record = await job.record()
    assert (record.state, record.progress) == (State.COMPLETED, "50")
    assert [log.line for log in await job.logs()] == ["from python"]
