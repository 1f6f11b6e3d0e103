"""One connection for all that a loop asks: answers in turn, and when it is given up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.exceptions import TimeoutError as ServerSilent

from stoker.broker import Broker, make_broker
from stoker.broker.redis.connection import make_client
from stoker.broker.redis.pipe import Deliver, Pipe
from stoker.broker.redis.wire import Wire
from stoker.config import BrokerURL
from stoker.errors import BrokerUnavailable
from stoker.job.model import NewJob
from tests.servers.fixtures import MakeServer
from tests.servers.front import Front
from tests.servers.kinds import OFFERED, Kind
from tests.servers.server import Server

JOB = NewJob("q", "t", "{}")


@asynccontextmanager
async def behind(front: Front) -> AsyncIterator[Broker]:
    """A broker that has connected for all it asks."""
    broker = await make_broker(front.url).open()
    await broker.add([JOB])
    yield broker
    await broker.close()


@asynccontextmanager
async def wired(server: Server, seconds: float = 20.0) -> AsyncIterator[Wire]:
    url = BrokerURL.parse(server.url)
    assert url.server is not None
    client = make_client(url, url.server, patience=None)
    wire = Wire(client, seconds)
    yield wire
    await wire.close()
    await client.aclose()


async def test_what_is_asked_at_once_is_answered_in_turn(server: Server) -> None:
    with server.connect() as client:
        before = client.info("stats")["total_connections_received"]
        async with wired(server) as wire:
            answers = await asyncio.gather(*(wire.ask("ECHO", str(n)) for n in range(1_000)))

            assert answers == [str(n) for n in range(1_000)]
            assert client.info("stats")["total_connections_received"] == before + 1


async def test_what_is_pushed_is_no_answer(server: Server) -> None:
    async with Front(server) as front, behind(front) as broker:
        front.say_first(b">2\r\n$7\r\nwhether\r\n:1\r\n")

        [added] = await broker.add([NewJob("q", "t", "{}", id="mine")])

        assert added.id == "mine"


async def test_a_server_that_says_it_will_go_is_left(server: Server) -> None:
    async with Front(server) as front, behind(front) as broker:
        before = front.connected
        front.say_first(b">3\r\n$6\r\nMOVING\r\n:1\r\n:30\r\n")

        await broker.add([JOB])
        assert front.connected == before, "it was told behind the answer"
        await asyncio.gather(broker.add([JOB]), broker.add([JOB]))

        assert front.connected == before + 1


@pytest.mark.parametrize("kind", OFFERED, ids=str)
async def test_a_server_that_is_a_replica_now_is_left(make_server: MakeServer, kind: Kind) -> None:
    server = make_server(kind)
    broker = await make_broker(server.url).open()
    await broker.add([JOB])
    with server.connect() as client:
        before = client.info("stats")["total_connections_received"]
        client.replicaof("127.0.0.1", 1)
        with pytest.raises(BrokerUnavailable, match="read only"):
            await broker.add([JOB])
        client.replicaof("NO", "ONE")

        await broker.add([JOB])

        assert client.info("stats")["total_connections_received"] == before + 1
    await broker.close()


async def test_who_lets_in_and_hangs_up_is_tried_once_a_call(server: Server) -> None:
    async with Front(server) as front:
        broker = await make_broker(front.url).open()
        await broker.add([JOB])
        front.hang_up_behind("LIB-VER")  # the last of the login
        front.lose_answer_to("EVALSHA")
        for _ in range(2):
            with pytest.raises(BrokerUnavailable):
                await asyncio.wait_for(broker.add([JOB]), 10)
        before = front.connected

        with pytest.raises(BrokerUnavailable):
            await asyncio.wait_for(broker.add([JOB]), 10)

        assert front.connected <= before + 1
        await broker.close()


async def test_what_is_no_answer_of_a_server_ends_the_connection(server: Server) -> None:
    async with Front(server) as front, behind(front) as broker:
        front.say_first(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        with pytest.raises(BrokerUnavailable, match="no Redis"):
            await broker.add([JOB])

        assert await broker.add([JOB])


async def test_no_more_is_taken_than_a_slow_server_does(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = "x" * 1_000_000
    asked: list[int] = []
    ask = Pipe.ask

    def counted(self: Pipe, sent: bytes, *delivers: Deliver) -> None:
        asked.append(len(sent))
        ask(self, sent, *delivers)

    monkeypatch.setattr(Pipe, "ask", counted)
    async with wired(server) as wire:
        await wire.ask("PING")
        server.freeze()
        asking = [asyncio.create_task(wire.ask("ECHO", large)) for _ in range(50)]
        await asyncio.sleep(0.1)
        assert sum(asked) < 10 * len(large), "those behind wait for their turn"
        server.thaw()

        answers = await asyncio.gather(*asking)

    assert answers == [large] * 50


async def test_who_waited_when_it_was_lost_is_told(server: Server) -> None:
    async with wired(server) as wire:
        asking = [asyncio.create_task(wire.ask("BLPOP", "nothing", 0)) for _ in range(3)]
        with server.connect() as client:
            while client.info("clients")["blocked_clients"] == 0:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            client.client_kill_filter(_type="normal", skipme=True)

        told = await asyncio.gather(*asking, return_exceptions=True)

        assert [type(one).__name__ for one in told] == ["ConnectionError"] * 3
        assert await wire.ask("PING") == "PONG"


async def test_a_large_answer_is_waited_for_while_it_comes(server: Server) -> None:
    large = "x" * 20_000_000
    async with wired(server, seconds=1.0) as wire:
        await wire.ask("SET", "large", large)
        asking = asyncio.create_task(wire.ask("GET", "large"))
        for _ in range(3):
            await asyncio.sleep(0)
        time.sleep(1.2)  # noqa: ASYNC251 - a handler that blocks the loop

        assert await asking == large


async def test_what_was_answered_before_gives_no_more_time(server: Server) -> None:
    async with wired(server, seconds=2.0) as wire:
        asking = [asyncio.create_task(wire.ask(*words)) for words in (["PING"], ["BLPOP", "k", 0])]
        assert await asking[0] == "PONG"

        with pytest.raises(ServerSilent):
            await asyncio.wait_for(asking[1], 3.5)
