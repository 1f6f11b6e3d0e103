"""Claims that wait in the server: carried out there, hastened, and never lost sight of."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest

from stoker.broker import Broker, make_broker
from stoker.broker.base import Want
from stoker.errors import BrokerUnavailable
from stoker.job.model import JobRecord, NewJob
from stoker.job.states import State
from tests.servers.fixtures import MakeServer
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
