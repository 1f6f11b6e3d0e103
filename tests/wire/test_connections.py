"""Ways to reach a server: a password, a socket, TLS, another prefix."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker import BrokerUnavailable, ConfigError, Stoker
from tests.servers.fixtures import MakeServer
from tests.servers.tls import TLSFront
from tests.wire.peer import Peer
from tests.wire.perform import QUEUE, application, working
from tests.wire.test_node_adds import ended, steps


async def test_a_password(make_server: MakeServer) -> None:
    server = make_server(requirepass="s:e/s@me%")

    assert await runs(application(server.url)) == "ok"


async def test_a_wrong_password_is_said_and_not_shown(make_server: MakeServer) -> None:
    server = make_server(requirepass="sesame")
    app = application(server.url.replace("sesame", "hunter2"))

    with pytest.raises(ConfigError) as refused:
        await app.queue(QUEUE).add("perform", {})

    await app.close()
    assert "password" in str(refused.value).lower()
    assert "hunter2" not in str(refused.value)


async def test_tls_with_a_password(tls_front: TLSFront) -> None:
    assert await runs(application(f"{tls_front.url}?ssl_ca_certs={tls_front.ca_file}")) == "ok"


async def test_a_certificate_that_is_not_trusted_is_said(tls_front: TLSFront) -> None:
    app = application(tls_front.url)

    with pytest.raises(BrokerUnavailable, match="certificate"):
        await app.queue(QUEUE).add("perform", {})

    await app.close()


async def test_a_unix_socket(make_server: MakeServer, tmp_path: Path) -> None:
    socket = tmp_path / "socket"
    make_server(unixsocket=socket)

    assert await runs(application(f"unix://{socket}")) == "ok"


async def test_another_database(make_server: MakeServer) -> None:
    server = make_server()

    assert await runs(application(server.url.removesuffix("/0") + "/3")) == "ok"
    with server.connect(db=3) as client:
        assert client.dbsize() > 0


async def test_another_prefix_is_shared_with_node(make_server: MakeServer) -> None:
    server = make_server()
    app = application(f"{server.url}?prefix=shop")

    with Peer(server, prefix="shop") as peer:
        theirs = peer.queue(QUEUE)
        id = await theirs.add("perform", steps(("return", "ok")))
        async with working(app):
            assert (await ended(theirs, id)).returnvalue == "ok"
    await app.close()


async def runs(app: Stoker) -> object:
    """Return what a job returns that is added and run there."""
    job = await app.queue(QUEUE).add("perform", steps(("return", "ok")))
    async with working(app):
        result = await job.wait(20)
    await app.close()
    return result
