"""An answer is lost after the server has done the work: who calls again is told what is true."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from stoker import BrokerUnavailable, State
from stoker.broker import make_broker
from stoker.broker.base import Broker, Select, Want
from stoker.broker.redis.finish import SETTLED_AT_ONCE
from stoker.broker.redis.scripts import script
from stoker.events import subscribe
from stoker.failure import Failure
from stoker.job.model import JobRecord, Keep, Lease, NewJob, lease_of
from stoker.job.outcome import Done, Failed, Outcome, Released, Retried, Snoozed
from tests.servers.front import Front
from tests.servers.server import Server
from tests.wire.eventually import eventually
from tests.wire.perform import QUEUE, application, working
from tests.wire.test_node_adds import steps

WANT = Want({"q": 10}, count=10, lease_ms=30_000, worker="w")
WHY = Failure("error", "it broke", "line 1", "RuntimeError")
FINISH = script("finish")

OUTCOMES: dict[str, Callable[[Lease], Outcome]] = {
    "done": lambda lease: Done(lease, '{"a": 1}'),
    "failed": lambda lease: Failed(lease, WHY),
    "retried": lambda lease: Retried(lease, WHY, 0),
    "retried later": lambda lease: Retried(lease, WHY, 60_000),
    "snoozed": lambda lease: Snoozed(lease, 60_000),
    "released": lambda lease: Released(lease),
}
of_each_kind = pytest.mark.parametrize("kind", OUTCOMES)


@pytest.fixture
async def front(server: Server) -> AsyncIterator[Front]:
    with server.connect() as client:
        client.script_load(FINISH.text)  # else the first answer would be that it is not known
    async with Front(server) as front:
        yield front


@pytest.fixture
async def broker(front: Front) -> AsyncIterator[Broker]:
    """A broker whose connections go through ``front``."""
    broker = await make_broker(front.url).open()
    yield broker
    await broker.close()


async def held(broker: Broker) -> JobRecord:
    await broker.add([NewJob("q", "t", "{}", id="a")])
    [job] = await broker.claim(WANT)
    return job


async def send(front: Front, broker: Broker, outcome: Outcome) -> None:
    """Settle an outcome, and lose the answer."""
    front.lose_answer_to(FINISH.digest)
    with pytest.raises(BrokerUnavailable):
        await broker.finish([outcome])


@of_each_kind
async def test_what_was_settled_is_not_called_lost(front: Front, broker: Broker, kind: str) -> None:
    outcome = OUTCOMES[kind](lease_of(await held(broker)))
    await send(front, broker, outcome)
    before = await broker.detail("q", "a")

    answer = await broker.finish([outcome])

    assert not answer.lost
    assert await broker.detail("q", "a") == before


@of_each_kind
async def test_once_it_was_told_the_lease_is_gone(front: Front, broker: Broker, kind: str) -> None:
    outcome = OUTCOMES[kind](lease_of(await held(broker)))
    await send(front, broker, outcome)
    await broker.finish([outcome])

    answer = await broker.finish([outcome])

    assert answer.lost == {outcome.lease}


@of_each_kind
async def test_what_others_did_meanwhile_is_lost(
    front: Front, broker: Broker, server: Server, kind: str
) -> None:
    """The call never got there, and the job was taken back before it was sent again."""
    outcome = OUTCOMES[kind](lease_of(await held(broker)))
    with server.connect() as client:
        client.delete("bull:q:a:lock")
    async with Front(server) as other:
        elsewhere = await make_broker(other.url).open()
        assert await elsewhere.recover(["q"], max_stalls=5) == ["a"]
        await elsewhere.close()
    await send(front, broker, outcome)

    answer = await broker.finish([outcome])

    assert answer.lost == {outcome.lease}
    [job] = (await broker.find(Select("q", ids=("a",)))).jobs
    assert (job.state, job.crashes) == (State.WAITING, 1)


@of_each_kind
async def test_a_cancelled_job_is_lost(front: Front, broker: Broker, kind: str) -> None:
    outcome = OUTCOMES[kind](lease_of(await held(broker)))
    await broker.cancel(Select("q", ids=("a",)), "not wanted")
    await send(front, broker, outcome)

    assert (await broker.finish([outcome])).lost == {outcome.lease}


async def test_the_others_of_the_batch_are_settled(front: Front, broker: Broker) -> None:
    await broker.add([NewJob("q", "t", "{}") for _ in range(3)])
    one, two, three = [Done(lease_of(job), "1") for job in await broker.claim(WANT)]
    await send(front, broker, two)

    answer = await broker.finish([one, two, three])

    assert not answer.lost
    [stats] = await broker.queues(["q"])
    assert stats.counts[State.COMPLETED] == 3


async def test_what_an_earlier_call_settled_is_not_called_lost(
    front: Front, broker: Broker, server: Server
) -> None:
    """Of many outcomes some calls were answered, one was not. Nothing is left to tell by."""
    await broker.add([NewJob("q", "t", "{}")] * SETTLED_AT_ONCE)
    await broker.add([NewJob("q", "t", "{}", id="the-last")])
    jobs: list[JobRecord] = []
    while more := await broker.claim(Want({"q": 250}, 250, "w")):
        jobs += more
    keep = [Keep(count=0)] * SETTLED_AT_ONCE + [Keep()]
    outcomes = [Done(lease_of(job), "1", each) for job, each in zip(jobs, keep, strict=True)]
    front.lose_answer_to("the-last")
    with pytest.raises(BrokerUnavailable):
        await broker.finish(outcomes)

    answer = await broker.finish(outcomes)

    assert not answer.lost
    with server.connect(decode_responses=True) as client:
        assert client.zrange("bull:q:completed", 0, -1) == ["the-last"]
        assert not client.exists("bull:q:active")
    assert (await broker.finish(outcomes[:1])).lost == {outcomes[0].lease}, "it was told once"


async def test_a_worker_says_nothing_of_lost_jobs(front: Front, server: Server) -> None:
    app, caller = application(front.url), application(server.url)  # whose connection is not cut
    told: list[str] = []
    subscription = subscribe(lambda event, _: told.append(event))
    front.lose_answer_to(FINISH.digest)

    job = await caller.queue(QUEUE).add("perform", steps(("return", "ok")))
    async with working(app):
        assert await asyncio.wait_for(job.wait(), 20) == "ok"
        await eventually(lambda: is_in("jobs.finished", told), "the worker to be answered")

    await app.close()
    await caller.close()
    subscription()
    assert "broker.failed" in told
    assert "jobs.lost" not in told


async def is_in(event: str, told: list[str]) -> bool:
    return event in told
