"""The definition of a broker: what is promised in ``stoker.broker.base``, as tests.

Every test runs for every store in ``stores.py`` and knows none of them. Time is the test's own:
a clock that moves only when it is told to. A test that needs what not every store can give says
so with ``@pytest.mark.needs("…")``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stoker.broker import Broker, make_broker
from tests.contract.stores import CAPABILITIES, STORES, Store
from tests.contract.support import Clock, Opener


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(capability): runs only for stores that declare it")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "store" in metafunc.fixturenames:
        needed = {name for mark in metafunc.definition.iter_markers("needs") for name in mark.args}
        assert needed <= CAPABILITIES, f"{metafunc.definition.nodeid}: {needed - CAPABILITIES}?"
        fit = [store for store in STORES if needed <= store.capabilities]
        metafunc.parametrize("store", fit, ids=lambda store: store.name)


@pytest.fixture
def clock(store: Store) -> Clock:
    return store.clock()


@pytest.fixture
async def another(store: Store, tmp_path: Path, clock: Clock) -> AsyncIterator[Opener]:
    """Open a broker on the test's store; each call opens one more on the same store."""
    url = store.url(tmp_path)
    opened: list[Broker] = []

    async def another() -> Broker:
        opened.append(make_broker(url, clock=clock))
        return await opened[-1].open()

    yield another

    for broker in opened:
        await broker.close()


@pytest.fixture
async def broker(another: Opener) -> Broker:
    return await another()
