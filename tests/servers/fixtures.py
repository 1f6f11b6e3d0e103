"""Servers as fixtures; ``conftest.py`` of the repository brings them to every test.

``redis_server`` is the shared one and costs nothing. A fault test makes its own, with what that
fault needs: ``make_server(appendonly="yes")``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.servers.cluster import Cluster
from tests.servers.kinds import DEFAULT, OFFERED, Kind
from tests.servers.network import Network
from tests.servers.sentinel import SentinelSetup
from tests.servers.server import Server
from tests.servers.shared import emptied
from tests.servers.tls import TLSFront

MakeServer = Callable[..., Server]
"""``make_server(kind, **options)``: start a server of the test's own; options as ``Server``'s."""


@pytest.fixture
def redis_server() -> Server:
    """The shared server of the default kind, empty."""
    return emptied()


@pytest.fixture(params=OFFERED, ids=str)
def any_server(request: pytest.FixtureRequest) -> Server:
    """The shared server of each kind in turn, empty."""
    return emptied(request.param)


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[MakeServer]:
    with ExitStack() as stack:
        made: list[Server] = []

        def make(kind: Kind = DEFAULT, **options: Any) -> Server:
            server = Server(tmp_path / f"server{len(made)}", kind, **options)
            made.append(server)
            return stack.enter_context(server)

        yield make


@pytest.fixture
def sentinels(tmp_path: Path) -> Iterator[SentinelSetup]:
    with SentinelSetup(tmp_path) as setup:
        yield setup


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(tmp_path) as cluster:
        yield cluster


@pytest.fixture
def tls_front(make_server: MakeServer, tmp_path: Path) -> Iterator[TLSFront]:
    """TLS in front of a server of the test's own, which also wants a password."""
    with TLSFront(make_server(requirepass="sesame"), tmp_path) as front:
        yield front


@pytest.fixture
def network() -> Iterator[Network]:
    with Network() as network:
        yield network
