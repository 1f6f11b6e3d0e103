"""Applications and brokers in memory, closed when the test is over."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from stoker import Stoker
from stoker.broker import Broker, make_broker
from stoker.broker.base import Clock
from tests.unit.support import Watched


@pytest.fixture
async def app() -> AsyncIterator[Stoker]:
    app = Stoker("sqlite://:memory:")
    yield app
    await app.close()


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    broker = await make_broker("sqlite://:memory:").open()
    yield broker
    await broker.close()


@pytest.fixture
def brokers(monkeypatch: pytest.MonkeyPatch) -> list[Watched]:
    """The brokers that clients make in this test, each of them watched."""
    made: list[Watched] = []

    def make(url: str, *, clock: Clock) -> Watched:
        made.append(Watched(make_broker(url, clock=clock)))
        return made[-1]

    monkeypatch.setattr("stoker.client.make_broker", make)
    return made
