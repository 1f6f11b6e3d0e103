"""Claims that wait in the server: carried out there, hastened, and never lost sight of."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from stoker.broker import Broker, make_broker
from stoker.broker.base import Want
from stoker.broker.redis.bell import Bell
from stoker.broker.redis.connection import BLOCK_SECONDS
from stoker.broker.redis.standby import Standby
from stoker.errors import BrokerUnavailable
from stoker.job.model import JobRecord, Keep, NewJob, lease_of
from stoker.job.outcome import Done
from stoker.job.states import State
from tests.servers.fixtures import MakeServer
from tests.servers.front import Front
from tests.servers.server import Server

WANT = Want({"q": 5}, 5, "w")
LONG = 60.0
JOB = NewJob("q", "t", "{}")
WAITS = """
import asyncio, sys
from stoker.broker import make_broker
from stoker.broker.base import Want

async def main():
    broker = await make_broker(sys.argv[1]).open()
    await broker.claim(Want({"q": 5}, 5, "w"), 60)

asyncio.run(main())
"""


@pytest.fixture
async def broker(server: Server) -> AsyncIterator[Broker]:
    with server.connect() as client:
        client.config_resetstat()
    broker = await make_broker(server.url).open()
    yield broker
    await broker.close()


async def standing_by(
    broker: Broker, server: Server, want: Want = WANT
) -> asyncio.Task[list[JobRecord]]:
    """Return a claim once it waits in the server."""
    waiting = asyncio.create_task(broker.claim(want, LONG))
    await blocked(server, 1 if len(want.queues) == 1 else len(want.queues))
    return waiting


async def blocked(server: Server, count: int) -> None:
    with server.connect() as client:
        while client.info("clients")["blocked_clients"] != count:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def calls(server: Server, command: str) -> int:
    with server.connect() as client:
        return client.info("commandstats").get(f"cmdstat_{command}", {"calls": 0})["calls"]


async def test_a_job_comes_with_the_word_that_there_is_one(server: Server, broker: Broker) -> None:
    other = await make_broker(server.url).open()
    await other.add([NewJob("other", "t", "{}")])  # all are connected, and know the scripts
    waiting = await standing_by(broker, server)
    before = calls(server, "evalsha")

    [added] = await other.add([JOB])
    [job] = await waiting

    assert calls(server, "evalsha") - before == 2, "one to add, one to claim"
    assert (job.id, job.state, job.starts) == (added.id, State.ACTIVE, 1)
    detail = await broker.detail("q", job.id)
    assert detail is not None
    assert detail.job.claimed_at == job.claimed_at
    assert detail.job.token == job.token
    await other.close()


async def test_a_bell_that_rings_as_its_claim_is_cancelled_rings_for_the_next(
    make_server: MakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = make_server()
    with server.connect() as client:
        client.execute_command("ACL", "SETUSER", "default", "-client|unblock", "-client|id")
    broker = await make_broker(server.url).open()
    both = Want({"q": 1, "other": 1}, 1, "w")
    await broker.add([NewJob("other", "t", "{}")])
    [running] = await broker.claim(both)
    with server.connect() as client:
        client.delete("bull:other:marker")
    await broker.claim(WANT, 0.01)  # finds out that nothing can stand by
    claiming = await standing_by(broker, server)
    ring = Bell._ring

    def ring_and_cancel(bell: Bell, popped: Sequence[Any] | None) -> None:
        ring(bell, popped)
        claiming.cancel()

    monkeypatch.setattr(Bell, "_ring", ring_and_cancel)
    await broker.finish([Done(lease_of(running), "null", Keep())], both)
    await broker.add([JOB])
    await asyncio.wait([claiming])
    monkeypatch.undo()

    assert claiming.cancelled()
    async with asyncio.timeout(BLOCK_SECONDS / 2):
        assert len(await broker.claim(both, LONG)) == 1
    await broker.close()


async def test_a_bell_that_rings_behind_a_claim_in_vain_is_heard(
    server: Server, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = Standby.over
    is_over, goes_on = asyncio.Event(), asyncio.Event()

    async def over_later(standby: Standby) -> None:  # the answer is on its way
        await over(standby)
        is_over.set()
        await goes_on.wait()

    monkeypatch.setattr(Standby, "over", over_later)
    claiming = await standing_by(broker, server, Want({"q": 5, "other": 5}, 5, "w"))
    with server.connect() as client:
        client.zadd("bull:q:marker", {"0": 0})  # another worker has the job already
    await is_over.wait()
    await broker.add([NewJob("other", "t", "{}")])
    with server.connect() as client:
        while client.exists("bull:other:marker"):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.05)  # what was popped is here
    goes_on.set()

    async with asyncio.timeout(BLOCK_SECONDS / 2):
        assert len(await claiming) == 1


async def test_jobs_that_come_one_at_a_time_take_three_scripts_each(
    server: Server, broker: Broker
) -> None:
    waiting = await standing_by(broker, server)
    before = calls(server, "evalsha")
    for _ in range(10):
        await broker.add([JOB])
        [job] = await waiting
        # What it finds, nothing, need not be looked for once more before it is waited.
        await broker.finish([Done(lease_of(job), "null", Keep())], WANT)
        waiting = await standing_by(broker, server)
    assert calls(server, "evalsha") - before == 30
    waiting.cancel()


async def test_what_came_before_the_wait_is_not_waited_for(server: Server, broker: Broker) -> None:
    await broker.add([JOB])
    [job] = await broker.claim(WANT)
    await broker.finish([Done(lease_of(job), "null", Keep())], WANT)
    await broker.add([JOB])
    assert len(await broker.claim(WANT, LONG)) == 1


async def test_a_settlement_that_finds_nothing_knows_when_to_look(
    server: Server, broker: Broker
) -> None:
    await broker.add([JOB, NewJob("q", "t", "{}", delay_ms=200)])
    [job] = await broker.claim(WANT)
    await broker.finish([Done(lease_of(job), "null", Keep())], WANT)
    with server.connect() as client:
        client.delete("bull:q:marker")  # another worker has popped it, and died
    async with asyncio.timeout(BLOCK_SECONDS / 2):
        assert len(await broker.claim(WANT, LONG)) == 1


async def test_a_queue_that_a_settlement_did_not_look_at_is_looked_at(
    server: Server, broker: Broker
) -> None:
    await broker.add([JOB, NewJob("other", "t", "{}")])
    [job] = await broker.claim(WANT)
    with server.connect() as client:
        client.delete("bull:q:marker", "bull:other:marker")  # nothing will ring
    await broker.finish([Done(lease_of(job), "null", Keep())], WANT)
    async with asyncio.timeout(BLOCK_SECONDS / 2):
        assert len(await broker.claim(Want({"q": 5, "other": 5}, 5, "w"), LONG)) == 1


async def test_a_claim_that_is_cancelled_is_called_back(server: Server, broker: Broker) -> None:
    waiting = await standing_by(broker, server)

    waiting.cancel()
    await asyncio.wait([waiting])

    assert waiting.cancelled()
    assert calls(server, "client|unblock") == 1
    await blocked(server, 0)
    await broker.add([JOB])
    [job] = await broker.claim(WANT)
    assert job.starts == 1, "it was given to nobody in between"


async def test_a_job_of_another_queue_hastens_the_claim(server: Server, broker: Broker) -> None:
    waiting = await standing_by(broker, server, Want({"first": 1, "q": 1}, 1, "w"))

    await broker.add([JOB])
    [job] = await waiting

    assert job.queue == "q"
    assert calls(server, "client|unblock") == 1


async def test_two_claims_at_one_queue_get_a_job_each(server: Server, broker: Broker) -> None:
    one = Want({"q": 1}, 1, "w")
    first = await standing_by(broker, server, one)
    second = asyncio.create_task(broker.claim(one, LONG))
    await broker.queues()

    await broker.add([JOB, JOB])

    claimed = [job.id for jobs in await asyncio.gather(first, second) for job in jobs]
    assert sorted(claimed) == ["1", "2"]


@pytest.mark.parametrize("calls", [1, 2])
async def test_a_marker_that_was_popped_by_one_who_has_no_room_wakes_another(
    server: Server, broker: Broker, calls: int
) -> None:
    other = await make_broker(server.url).open()
    for _ in range(3):
        narrow = asyncio.create_task(broker.claim(Want({"first": 1, "q": 1}, 1, "w"), LONG))
        await blocked(server, 2)
        idle = asyncio.create_task(other.claim(Want({"q": 1}, 1, "v"), LONG))
        await blocked(server, 3)
        both = [NewJob("first", "t", "{}"), JOB]

        for jobs in [both] if calls == 1 else [both[:1], both[1:]]:
            await other.add(jobs)

        # Unwoken, it would look after 5 s.
        claimed = await asyncio.wait_for(asyncio.gather(narrow, idle), 4)
        assert sorted(job.queue for jobs in claimed for job in jobs) == ["first", "q"]
    await other.close()


async def test_what_a_claim_that_is_cancelled_twice_brings_is_handed_back(
    server: Server, broker: Broker
) -> None:
    other = await make_broker(server.url).open()
    await other.add([NewJob("other", "t", "{}")])  # it is connected
    waiting = await standing_by(broker, server)
    server.freeze()
    adding = asyncio.create_task(other.add([JOB]))
    for _ in range(2):
        waiting.cancel()
        await asyncio.wait([waiting], timeout=0.05)
    assert waiting.cancelled()
    server.thaw()
    await adding

    assert await other.claim(WANT, LONG), "its lease is not waited for"
    await other.close()


@pytest.mark.parametrize("turns", range(6))
async def test_who_is_closed_while_the_bell_is_hung_leaves_nothing_behind(
    server: Server, turns: int
) -> None:
    broker = await make_broker(server.url).open()
    assert await broker.claim(WANT) == []
    waiting = asyncio.create_task(broker.claim(WANT, LONG))
    for _ in range(20 + 5 * turns):
        await asyncio.sleep(0)

    await broker.close()
    await asyncio.wait_for(asyncio.wait([waiting]), 4)  # what is blocked in a server: 5 s

    assert isinstance(waiting.exception(), BrokerUnavailable)
    with server.connect() as client:
        clients = [one["name"] for one in client.client_list()]
        assert not any(name.startswith("bull") for name in clients)


async def test_scripts_that_are_flushed_meanwhile_are_sent_again(
    server: Server, broker: Broker
) -> None:
    waiting = await standing_by(broker, server)
    with server.connect() as client:
        client.script_flush()

    await broker.add([JOB])

    assert len(await waiting) == 1


async def test_a_claim_dies_with_its_process(server: Server, broker: Broker) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", WAITS, server.url)
    await blocked(server, 1)

    process.kill()
    await process.wait()
    await blocked(server, 0)

    await broker.add([JOB])
    [job] = await broker.claim(WANT)
    assert job.starts == 1, "the dead were given a job"


async def test_a_broker_that_is_closed_lets_its_claim_go(server: Server) -> None:
    broker = await make_broker(server.url).open()
    waiting = await standing_by(broker, server)

    await broker.close()

    with pytest.raises(BrokerUnavailable):
        await waiting
    await blocked(server, 0)


@pytest.mark.parametrize("turns", range(6))
def test_a_loop_that_ends_while_a_claim_waits_ends(server: Server, turns: int) -> None:
    async def main() -> None:
        broker = await make_broker(server.url).open()
        await broker.claim(WANT)  # connected
        waiting.append(asyncio.ensure_future(broker.claim(WANT, LONG)))
        for _ in range(turns):
            await broker.queues()

    waiting: list[asyncio.Future[list[JobRecord]]] = []
    asyncio.run(main())
    assert waiting[0].cancelled()


@pytest.mark.parametrize("forbidden", ["client|id", "client|unblock"])
async def test_without_the_right_to_hasten_nothing_is_lost(
    make_server: MakeServer, forbidden: str
) -> None:
    server = make_server()
    with server.connect() as client:
        client.execute_command("ACL", "SETUSER", "default", f"-{forbidden}")
    broker = await make_broker(server.url).open()
    waiting = await standing_by(broker, server)
    waiting.cancel()

    await broker.add([JOB])
    await asyncio.wait([waiting])

    assert waiting.cancelled()
    waiting = asyncio.create_task(broker.claim(WANT, LONG))
    [job] = await waiting
    assert job.id == "1"
    again = await standing_by(broker, server)  # as others do it: woken, and asking
    await broker.add([JOB])
    assert [job.id for job in await again] == ["2"]
    await broker.close()


async def test_a_delayed_job_hastens_the_claim_when_it_is_due(make_server: MakeServer) -> None:
    # The server's own timer would end the wait too, but up to a tenth of a second late: here by
    # a whole one, so that it is not the first however busy the machine is.
    server = make_server(hz=1, dynamic_hz="no")
    broker = await make_broker(server.url).open()
    await broker.add([NewJob("q", "t", "{}", delay_ms=300)])
    waiting = await standing_by(broker, server)

    [job] = await waiting

    assert calls(server, "client|unblock") == 1
    assert job.claimed_at is not None
    assert job.claimed_at >= job.created_at + 300
    await broker.close()


@pytest.mark.parametrize("ahead_ms", [-4_000, 4_000])
async def test_delays_are_the_clients_whatever_the_servers_clock_says(
    server: Server, broker: Broker, monkeypatch: pytest.MonkeyPatch, ahead_ms: int
) -> None:
    monkeypatch.setattr("stoker.broker.base.time", Shifted(ahead_ms))
    waiting = await standing_by(broker, server)
    await broker.add([NewJob("q", "t", "{}", delay_ms=300)])
    await blocked(server, 1)
    with server.connect() as client:  # it is looked for before it is due, by the server
        client.zadd("bull:q:marker", {"0": 0})

    [job] = await waiting

    assert job.claimed_at is not None
    assert 300 <= job.claimed_at - job.created_at < 3_000


class Shifted:
    """The module ``time``, on a machine whose clock is so far ahead."""

    def __init__(self, ahead_ms: int) -> None:
        self._ahead = ahead_ms * 1_000_000

    def time_ns(self) -> int:
        return time.time_ns() + self._ahead


@pytest.mark.parametrize("how", ["cancel", "close"])
async def test_a_server_that_does_not_answer_keeps_nobody(
    make_server: MakeServer, how: str
) -> None:
    server = make_server()
    broker = await make_broker(server.url).open()
    waiting = await standing_by(broker, server)
    server.freeze()

    if how == "cancel":
        waiting.cancel()
        await asyncio.wait(
            [waiting], timeout=4
        )  # an answer would be waited for three times as long
        assert waiting.cancelled()
    await asyncio.wait_for(broker.close(), 4)

    server.thaw()
    await asyncio.wait([waiting])


async def test_a_connection_that_went_silent_fails_once(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stoker.broker.redis.connection.ANSWER_SECONDS", 0.5)
    async with Front(server) as front:
        broker = await make_broker(front.url).open()
        await asyncio.gather(*(broker.add([JOB]) for _ in range(20)))
        front.fall_silent()

        with pytest.raises(BrokerUnavailable):
            await broker.add([JOB])

        assert await broker.add([JOB])
        await broker.close()
