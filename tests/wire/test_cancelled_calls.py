"""A call that is cancelled ends as cancelled, whatever it was doing in that turn of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from stoker.broker import make_broker
from stoker.broker.base import Broker, Select
from stoker.broker.redis.connection import ABREAST
from stoker.job.model import NewJob
from stoker.job.states import State
from tests.servers.cluster import Cluster
from tests.servers.front import Front
from tests.servers.server import Server

TURNS = 40
"""More than a call takes to be sent."""


@pytest.fixture
async def broker(server: Server) -> AsyncIterator[Broker]:
    broker = await make_broker(server.url).open()
    await broker.add([NewJob("q", "t", "{}")])
    yield broker
    await broker.close()


@pytest.mark.parametrize("turns", range(TURNS))
async def test_at_whatever_turn_it_is_cancelled(broker: Broker, turns: int) -> None:
    calls = [
        asyncio.ensure_future(broker.find(Select("q", state=State.WAITING))),
        asyncio.ensure_future(broker.events("q", "0-0")),
        asyncio.ensure_future(broker.events("q", "9999999999999-0", timeout=0.5)),
    ]
    for _ in range(turns):
        await asyncio.sleep(0)

    cancelled = [call for call in calls if call.cancel()]
    await asyncio.wait(calls, timeout=20)

    assert [call for call in cancelled if not call.cancelled()] == []


async def test_who_is_cancelled_while_a_clusters_nodes_are_looked_for_stops_nobody_from_it(
    cluster: Cluster,
) -> None:
    """Else callers who have less time than that takes would begin it anew, each of them."""
    asked = cluster.nodes[0]

    async def elsewhere() -> None:  # each loop looks for itself
        asked.freeze()
        adding = asyncio.ensure_future(broker.add([NewJob("q", "t", "{}")]))
        while front.connected == before:  # noqa: ASYNC110
            await asyncio.sleep(0)
        adding.cancel()
        await asyncio.wait([adding], timeout=4)  # an answer would be waited for longer
        asked.thaw()
        assert adding.cancelled()
        assert await broker.add([NewJob("q", "t", "{}")])

    async with Front(asked) as front:
        broker = await make_broker(front.url.replace("redis:", "redis+cluster:")).open()
        before = front.connected
        await asyncio.to_thread(asyncio.run, elsewhere())

        assert front.connected == before + 1
        await broker.close()


async def test_of_those_who_gave_up_waiting_for_a_cluster_few_are_carried_out(
    cluster: Cluster,
) -> None:
    broker = await make_broker(cluster.url).open()
    await broker.add([NewJob("q", "t", "{}")])
    before = asyncio.all_tasks()
    for node in cluster.nodes:
        node.freeze()
    adding = [asyncio.ensure_future(broker.add([NewJob("q", "t", "{}")])) for _ in range(200)]
    await asyncio.wait(adding, timeout=0.05)
    for each in adding:
        each.cancel()
    await asyncio.wait(adding)

    gone_on_with = asyncio.all_tasks() - before
    assert len(gone_on_with) <= ABREAST
    for node in cluster.nodes:
        node.thaw()
    await asyncio.wait(gone_on_with)
    [queue] = await broker.queues(["q"])
    assert queue.counts[State.WAITING] <= 1 + ABREAST
    await broker.close()


async def test_what_goes_on_for_nobody_ends_with_the_broker(cluster: Cluster) -> None:
    broker = await make_broker(cluster.url).open()
    before = asyncio.all_tasks()
    for node in cluster.nodes:
        node.freeze()
    adding = asyncio.ensure_future(broker.add([NewJob("q", "t", "{}")]))
    await asyncio.wait([adding], timeout=0.05)
    adding.cancel()
    await asyncio.wait([adding])
    assert len(asyncio.all_tasks() - before) == 1, "it goes on"

    await asyncio.wait_for(broker.close(), 4)  # an answer would be waited for longer

    assert asyncio.all_tasks() == before
    for node in cluster.nodes:
        node.thaw()
