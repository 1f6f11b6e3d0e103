"""What is kept of a claim from which a job was taken back says nothing of the claims behind it."""

from __future__ import annotations

from stoker.broker import make_broker
from stoker.broker.base import Patch, Want
from stoker.failure import Failure
from stoker.job.model import Keep, NewJob, lease_of
from stoker.job.outcome import Done, Failed
from stoker.job.states import State
from tests.servers.server import Server

WANT = Want({"q": 1}, 1, "w")


async def test_a_job_that_was_begun_anew_runs_though_its_lock_is_gone(server: Server) -> None:
    broker = await make_broker(server.url).open()
    await broker.add([NewJob("q", "t", "{}")])
    with server.connect(decode_responses=True) as client:
        await broker.claim(WANT)
        client.delete("bull:q:1:lock")
        assert await broker.recover(["q"], max_stalls=5) == ["1"]
        [job] = await broker.claim(WANT)
        await broker.finish([Failed(lease_of(job), Failure("error", "no"), Keep())])
        # What job.retry("failed", {resetAttemptsStarted: true}) of BullMQ 6 does.
        client.zrem("bull:q:failed", "1")
        client.hdel("bull:q:1", "finishedOn", "processedOn", "failedReason", "ats")
        client.lpush("bull:q:wait", "1")
        [job] = await broker.claim(WANT)
        client.delete("bull:q:1:lock")  # too late renewed, and nobody has stepped in

        detail = await broker.detail("q", "1")
        assert detail is not None
        assert detail.job.state is State.ACTIVE
        assert not await broker.update("q", "1", Patch(delay_ms=60_000))
        assert await broker.extend([lease_of(job)], 30_000) == set()
        assert not (await broker.finish([Done(lease_of(job), "null", Keep())])).lost
    await broker.close()
