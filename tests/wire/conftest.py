"""BullMQ beside Stoker on one server. A Node process lives as long as its module's tests do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import pytest

from stoker import Stoker
from tests.servers.server import Server
from tests.servers.shared import emptied, shared
from tests.wire.peer import Flavour, Peer, PeerQueue
from tests.wire.perform import application
from tests.wire.side import StokerSide


@pytest.fixture(scope="module")
def peers() -> Iterator[Callable[[Flavour], Peer]]:
    """Node processes on the shared server, one for each BullMQ, started when first asked for."""
    with ExitStack() as stack:
        started: dict[Flavour, Peer] = {}

        def peer(flavour: Flavour) -> Peer:
            if flavour not in started:
                started[flavour] = stack.enter_context(Peer(shared(), flavour))
            return started[flavour]

        yield peer


@pytest.fixture
def server() -> Server:
    """The shared server, empty."""
    return emptied()


@pytest.fixture
def node(server: Server, peers: Callable[[Flavour], Peer]) -> Peer:
    """BullMQ 6."""
    return peers(Flavour.BULLMQ_6)


@pytest.fixture
def theirs(node: Peer) -> PeerQueue:
    """BullMQ 6's view of the test's queue."""
    return node.queue("q")


@pytest.fixture
async def app(server: Server) -> AsyncIterator[Stoker]:
    """An application of Stoker's on the same server."""
    app = application(server.url)
    yield app
    await app.close()


@pytest.fixture
async def ours(server: Server) -> AsyncIterator[StokerSide]:
    """Stoker's side of the test's queue, of an application that has no task in it."""
    async with Stoker(server.url) as app:
        yield StokerSide(app, await app.client.broker(), "q", server)
