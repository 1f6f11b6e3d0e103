"""What others left in Redis and a script trips over: it takes no other job of its batch along."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from stoker.broker import make_broker
from stoker.broker.base import Broker, Patch, Select, Want
from stoker.failure import Failure
from stoker.job.model import Keep, Lease, NewJob, lease_of
from stoker.job.outcome import Done, Failed
from stoker.job.states import State
from tests.servers.server import Server

WANT = Want({"q": 10}, count=10, lease_ms=30_000, worker="w")


@pytest.fixture
async def broker(server: Server) -> AsyncIterator[Broker]:
    broker = await make_broker(server.url).open()
    yield broker
    await broker.close()


async def claimed(broker: Broker, count: int) -> list[Lease]:
    await broker.add([NewJob("q", "t", "{}") for _ in range(count)])
    return [lease_of(job) for job in await broker.claim(WANT)]


@pytest.mark.parametrize("parent", ["bull:q:p", "nowhere"])
async def test_a_parent_of_another_type_holds_up_no_other_job(
    broker: Broker, server: Server, parent: str
) -> None:
    first, child, last = await claimed(broker, 3)
    with server.connect() as client:
        client.hset(f"bull:q:{child.id}", "parentKey", parent)
        client.set(f"{parent}:dependencies", "no set")

    answer = await broker.finish([Done(first, "1"), Done(child, "2"), Done(last, "3")])

    assert not answer.lost
    [stats] = await broker.queues(["q"])
    assert stats.counts[State.COMPLETED] == 2
    [dead] = (await broker.find(Select("q", state=State.FAILED))).jobs
    assert dead.id == child.id
    assert "WRONGTYPE" in (dead.failure or "")


async def test_a_parent_that_is_no_text_holds_up_no_other_job(
    broker: Broker, server: Server
) -> None:
    child, other = await claimed(broker, 2)
    with server.connect() as client:
        client.hset(f"bull:q:{child.id}", "parent", '{"id": "1", "queueKey": {}, "fpof": true}')

    why = Failure("error", "it broke")
    assert not (await broker.finish([Failed(child, why), Failed(other, why)])).lost

    found = (await broker.find(Select("q", state=State.FAILED))).jobs
    assert {job.id for job in found} == {child.id, other.id}


async def test_a_failure_that_names_no_reason_of_ours_is_an_error(
    broker: Broker, server: Server
) -> None:
    jobs = await claimed(broker, 4)
    await broker.finish([Failed(job, Failure("timeout", "it overran")) for job in jobs])
    with server.connect() as client:
        client.hdel(f"bull:q:{jobs[0].id}", "stoker.failure")  # as if BullMQ had failed it
        client.hset(f"bull:q:{jobs[1].id}", "stoker.failure", "{not json")
        client.hset(f"bull:q:{jobs[2].id}", "stoker.failure", '{"reason": 5}')
    failed = Select("q", state=State.FAILED)

    errors = await broker.find(msgspec.structs.replace(failed, reasons=("error",)))
    others = await broker.find(msgspec.structs.replace(failed, reasons=("timeout", "cancelled")))

    assert {job.id for job in errors.jobs} == {job.id for job in jobs[:3]}
    assert [job.id for job in others.jobs] == [jobs[3].id]


async def test_a_crash_count_that_is_none_is_recovered(broker: Broker, server: Server) -> None:
    [lease] = await claimed(broker, 1)
    with server.connect() as client:
        client.hset(f"bull:q:{lease.id}", "stc", "often")
        client.delete(f"bull:q:{lease.id}:lock")

    assert await broker.recover(["q"], 1) == [lease.id]

    assert [job.crashes for job in await broker.claim(WANT)] == [1]


async def test_cancelling_goes_on_behind_a_parent_of_another_type(
    broker: Broker, server: Server
) -> None:
    added = await broker.add([NewJob("q", "t", "{}") for _ in range(3)])
    with server.connect() as client:
        client.hset(f"bull:q:{added[0].id}", mapping={
            "parentKey": "bull:q:p", "parent": '{"id": "p", "queueKey": "bull:q", "fpof": true}'
        })  # fmt: skip
        client.set("bull:q:p:dependencies", "no set")

    await broker.cancel(Select("q", state=State.WAITING), "not wanted")

    [stats] = await broker.queues(["q"])
    assert stats.counts[State.FAILED] == 3
    await broker.remove(Select("q", state=State.FAILED))
    [stats] = await broker.queues(["q"])
    assert stats.counts[State.FAILED] == 0


async def test_a_parent_that_may_not_complete_is_kept_like_a_dead_letter(
    broker: Broker, server: Server
) -> None:
    dead, parent = await claimed(broker, 2)
    await broker.finish([Failed(dead, Failure("error", "it broke"))])
    with server.connect() as client:
        client.sadd(f"bull:q:{parent.id}:dependencies", "bull:q:child")

    await broker.finish([Done(parent, "1", Keep(count=1))])

    found = (await broker.find(Select("q", state=State.FAILED))).jobs
    assert {job.id for job in found} == {dead.id, parent.id}


async def test_a_parent_that_waits_for_its_children_is_not_moved_before_them(
    broker: Broker, server: Server
) -> None:
    [added] = await broker.add([NewJob("q", "t", "{}")])
    with server.connect() as client:
        client.lrem("bull:q:wait", 0, added.id)
        client.zadd("bull:q:waiting-children", {added.id: 1})

    assert await broker.update("q", added.id, Patch(delay_ms=0))
    assert await broker.update("q", added.id, Patch(priority=3))

    assert await broker.claim(WANT) == []
    with server.connect(decode_responses=True) as client:
        assert client.hget(f"bull:q:{added.id}", "priority") == "3"
        assert client.zscore("bull:q:waiting-children", added.id)
        assert client.zcard("bull:q:delayed") == 0


async def test_a_scheduler_whose_interval_is_in_its_jobs_only_goes_on(
    broker: Broker, server: Server
) -> None:
    with server.connect() as client:
        client.zadd("bull:q:repeat", {"s": 1_000})
        client.hset("bull:q:repeat:s", mapping={"name": "t"})
        client.hset("bull:q:repeat:s:1000", mapping={
            "name": "t", "data": "{}", "opts": '{"repeat": {"every": 60000}}', "timestamp": "1",
            "delay": "0", "priority": "0", "rjk": "s",
        })  # fmt: skip
        client.lpush("bull:q:wait", "repeat:s:1000")

    assert len(await broker.claim(WANT)) == 1

    with server.connect() as client:
        assert client.zcard("bull:q:delayed") == 1


async def test_a_limit_without_an_end_stops_nobody(broker: Broker, server: Server) -> None:
    await broker.add([NewJob("q", "t", "{}")])
    with server.connect() as client:
        client.hset("bull:q:meta", mapping={"max": 1, "duration": 1_000})
        client.set("bull:q:limiter", 5)

    assert len(await broker.claim(WANT)) == 1


@pytest.mark.parametrize("verb", ["cancel", "remove"])
async def test_room_that_an_operator_makes_in_a_full_queue_is_told(
    broker: Broker, server: Server, verb: str
) -> None:
    await broker.add([NewJob("q", "t", "{}") for _ in range(2)])
    with server.connect() as client:
        client.hset("bull:q:meta", "concurrency", 1)
    [running] = await broker.claim(WANT)
    with server.connect() as client:
        client.delete("bull:q:marker")

    if verb == "cancel":
        await broker.cancel(Select("q", ids=(running.id,)), "not wanted")
    else:
        await broker.remove(Select("q", ids=(running.id,)), force=True)

    with server.connect() as client:
        assert client.exists("bull:q:marker")


async def test_a_job_that_is_due_before_all_time_is_due(broker: Broker, server: Server) -> None:
    [added] = await broker.add([NewJob("q", "t", "{}", delay_ms=60_000)])
    with server.connect() as client:
        client.zadd("bull:q:delayed", {added.id: -1})

    assert [job.id for job in await broker.claim(WANT)] == [added.id]
