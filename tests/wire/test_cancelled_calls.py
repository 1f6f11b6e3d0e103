"""A call that is cancelled ends as cancelled, whatever it was doing in that turn of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from stoker.broker import make_broker
from stoker.broker.base import Broker, Select
from stoker.job.model import NewJob
from stoker.job.states import State
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
