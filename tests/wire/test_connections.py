"""Ways to reach a server: a password, a socket, TLS, another prefix."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from stoker import BrokerUnavailable, ConfigError, Stoker
from stoker.errors import StokerError
from tests.servers.fixtures import MakeServer
from tests.servers.sentinel import SentinelSetup
from tests.servers.server import HOST
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


async def test_a_missing_password_is_said(make_server: MakeServer) -> None:
    server = make_server(requirepass="sesame")

    refused = await why_not(server.url.replace(":sesame@", ""))

    assert isinstance(refused, ConfigError)
    assert "asks for a password" in refused.message


async def test_a_name_that_the_sentinels_do_not_know_is_said(sentinels: SentinelSetup) -> None:
    hosts = sentinels.url.removesuffix("/main/0")

    refused = await why_not(f"{hosts},127.0.0.1:1/wrong/0")

    assert refused.message.endswith(
        "its Sentinels know no primary 'wrong' that is up (1 of 4 do not answer)"
    )
    assert "SENTINEL MASTERS" in str(refused.hint)


async def test_sentinels_that_are_away_are_said() -> None:
    refused = await why_not("redis+sentinel://127.0.0.1:1,127.0.0.1:2/main/0")

    assert refused.message.endswith("none of its Sentinels answers")


async def test_a_server_that_is_no_sentinel_is_said(make_server: MakeServer) -> None:
    server = make_server()

    refused = await why_not(f"redis+sentinel://{server.host}:{server.port}/main/0")

    # It may be one again in a moment: a worker waits for that.
    assert isinstance(refused, BrokerUnavailable)
    assert refused.message.endswith("what answers there is no Sentinel")


async def test_a_user_whom_the_server_does_not_know_is_said(make_server: MakeServer) -> None:
    server = make_server()

    refused = await why_not(f"redis://ada:hunter2@{server.host}:{server.port}/0")

    assert isinstance(refused, ConfigError)
    assert "user and password" in str(refused.hint)
    assert "hunter2" not in str(refused)


async def test_a_certificate_that_is_not_trusted_is_said(
    tls_front: TLSFront, tmp_path: Path
) -> None:
    another = tmp_path / "another.pem"
    trustme.CA().cert_pem.write_to_path(another)

    for url in (tls_front.url, f"{tls_front.url}?ssl_ca_certs={another}"):
        refused = await why_not(url)
        assert isinstance(refused, BrokerUnavailable), "a server may have its certificate renewed"
        assert "certificate verify failed" in refused.message
        assert "ssl_ca_certs" in str(refused.hint)


async def test_a_certificate_for_another_host_is_said(tls_front: TLSFront) -> None:
    url = tls_front.url.replace(HOST, "0.0.0.0")  # this machine, by a name of which it says nothing

    refused = await why_not(f"{url}?ssl_ca_certs={tls_front.ca_file}")

    assert isinstance(refused, BrokerUnavailable)
    assert "the host in the URL" in str(refused.hint)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (
            "ssl_ca_certs=/nowhere/ca.pem",
            "ssl_ca_certs names /nowhere/ca.pem, which does not exist",
        ),
        (f"ssl_ca_certs={__file__}", "a file that the URL names holds no certificate"),
        ("ssl_cacerts=x", "there is no option 'ssl_cacerts'"),
    ],
)
async def test_an_option_that_cannot_work_is_said(
    tls_front: TLSFront, option: str, says: str
) -> None:
    refused = await why_not(f"{tls_front.url}?{option}")

    assert isinstance(refused, ConfigError)
    assert says in refused.message


async def test_without_tls_where_it_is_spoken_is_said(tls_front: TLSFront) -> None:
    refused = await why_not(tls_front.url.replace("rediss://", "redis://"))

    assert isinstance(refused, BrokerUnavailable)
    assert "rediss://" in str(refused.hint)


async def test_with_tls_where_it_is_not_spoken_is_said(make_server: MakeServer) -> None:
    refused = await why_not(make_server().url.replace("redis://", "rediss://"))

    assert isinstance(refused, BrokerUnavailable)
    assert "does it speak TLS" in str(refused.hint)


async def test_a_database_that_there_is_not_is_said(make_server: MakeServer) -> None:
    refused = await why_not(make_server(databases=4).url.removesuffix("/0") + "/4")

    assert isinstance(refused, ConfigError)
    assert "has no database of that number" in refused.message


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


async def why_not(url: str) -> StokerError:
    """Return why nothing can be added there."""
    app = application(url)
    with pytest.raises(StokerError) as refused:
        await app.queue(QUEUE).add("perform", {})
    await app.close()
    return refused.value
