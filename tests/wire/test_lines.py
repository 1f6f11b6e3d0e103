"""What the connections go through: cancelled callers, loops that end, commands that are refused."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import weakref

from stoker.broker import make_broker
from stoker.broker.base import Broker, Want
from stoker.job.model import NewJob
from stoker.job.states import State
from tests.servers.fixtures import MakeServer
from tests.servers.server import Server


async def test_nobody_gets_the_answer_of_one_who_was_cancelled(server: Server) -> None:
    broker = await make_broker(server.url).open()
    for count in range(1, 6):
        await broker.add([NewJob(f"q{count}", "t", "{}")] * count)
    draw = random.Random(7)
    answers = 0

    async def look() -> None:
        nonlocal answers
        count = draw.randint(1, 5)
        [stats] = await broker.queues([f"q{count}"])
        assert stats.counts[State.WAITING] == count
        answers += 1

    for _ in range(300):
        looks = [asyncio.ensure_future(look()) for _ in range(12)]
        for _ in range(draw.randint(0, 12)):
            await asyncio.sleep(0)
        for one in draw.sample(looks, 8):
            one.cancel()
        for one in looks:
            with contextlib.suppress(asyncio.CancelledError):
                await one
    assert answers >= 300 * 4
    await broker.close()


def test_loops_that_ended_are_let_go(server: Server) -> None:
    broker = make_broker(server.url)
    asyncio.run(_opened(broker))
    ended: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def use() -> None:
        ended.append(weakref.ref(asyncio.get_running_loop()))
        await broker.queues([])
        await broker.add([NewJob("q", "t", "{}")])

    for _ in range(5):
        asyncio.run(use())

    gc.collect()
    assert [loop() for loop in ended] == [None] * 5
    asyncio.run(broker.close())


async def _opened(broker: Broker) -> None:
    await broker.open()


async def test_waiting_goes_on_calmly_where_the_marker_may_not_be_popped(
    make_server: MakeServer,
) -> None:
    server = make_server()
    with server.connect() as client:
        client.execute_command("ACL", "SETUSER", "default", "-bzpopmin")
        broker = await make_broker(server.url).open()
        want = Want({"q": 1}, count=1, lease_ms=30_000, worker="w")

        assert await broker.claim(want, timeout=1.0) == []

        calls = client.info("commandstats")["cmdstat_evalsha"]["calls"]
        assert calls < 20
        claiming = asyncio.ensure_future(broker.claim(want, timeout=20.0))
        await broker.add([NewJob("q", "t", "{}")])
        assert len(await claiming) == 1
    await broker.close()
