"""The servers do what the tests that use them take for granted."""

from __future__ import annotations

import subprocess
import sys

import pytest
import redis

from tests.servers.cluster import Cluster
from tests.servers.fixtures import MakeServer
from tests.servers.kinds import OFFERED, Kind
from tests.servers.network import Network
from tests.servers.sentinel import SentinelSetup
from tests.servers.server import DURABLE, NEVER_AGAIN, Server
from tests.servers.shared import emptied
from tests.servers.tls import TLSFront


def test_each_kind_is_the_version_that_it_says(any_server: Server) -> None:
    with any_server.connect(decode_responses=True) as client:
        info = client.info("server")

    name = info.get("server_name", "redis")
    version = info[f"{name}_version"]
    assert f"{name}-{'.'.join(version.split('.')[:2])}" == any_server.kind.title


def test_a_shared_server_is_handed_out_empty(any_server: Server) -> None:
    with any_server.connect() as client:
        client.set("a", 1)

        assert emptied(any_server.kind) is any_server
        assert client.dbsize() == 0


@pytest.mark.parametrize("kind", OFFERED, ids=str)
def test_what_was_acknowledged_survives_a_kill(make_server: MakeServer, kind: Kind) -> None:
    server = make_server(kind, **DURABLE)
    with server.connect() as client:
        client.set("a", "kept")

    server.kill()

    assert not server.running
    with pytest.raises(redis.ConnectionError), server.connect() as client:
        client.ping()
    with server.start().connect() as client:
        assert client.get("a") == b"kept"


def test_a_frozen_server_takes_a_connection_and_never_answers(make_server: MakeServer) -> None:
    server = make_server()

    server.freeze()

    with server.connect(socket_timeout=0.1) as client, pytest.raises(redis.TimeoutError):
        client.ping()
    server.thaw()
    server.until_ready()


def test_a_password_is_asked_for(make_server: MakeServer) -> None:
    server = make_server(requirepass="sesame")

    with server.connect(password=None) as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    with redis.Redis.from_url(server.url) as client:
        assert client.ping()


def test_tls_is_checked_by_the_client(tls_front: TLSFront) -> None:
    with redis.Redis.from_url(tls_front.url, ssl_ca_certs=str(tls_front.ca_file)) as client:
        assert client.ping()
    with (
        redis.Redis.from_url(tls_front.url, retry=NEVER_AGAIN) as stranger,
        pytest.raises(redis.ConnectionError, match="certificate verify failed"),
    ):
        stranger.ping()


def test_a_server_that_cannot_start_says_why(make_server: MakeServer) -> None:
    with pytest.raises(AssertionError, match="no-such-setting"):
        make_server(no_such_setting="1")


def test_sentinels_choose_another_primary(sentinels: SentinelSetup) -> None:
    first = sentinels.primary
    with first.connect() as client:
        client.set("a", "kept")
        client.wait(1, 1_000)

    first.kill()

    second = sentinels.until_primary_is_not(first)
    with second.connect() as client:
        assert client.get("a") == b"kept"


def test_a_cluster_elects_another_master(cluster: Cluster) -> None:
    first = cluster.master_of("{bull}")
    with first.connect() as client:
        client.set("{bull}", "kept")
        client.wait(1, 1_000)

    first.kill()

    second = cluster.until_master_is_not(first, "{bull}")
    with second.connect() as client:
        assert client.get("{bull}") == b"kept"


def test_a_cut_network_is_silent_and_heals(network: Network, make_server: MakeServer) -> None:
    server = make_server(
        host=network.far.address,
        within=network.far.within,
    )
    probe = [*network.near.within, sys.executable, "-c", PROBE, server.host, str(server.port)]

    assert subprocess.run(probe, capture_output=True, text=True).stdout == "+PONG\n"
    network.cut()
    assert subprocess.run(probe, capture_output=True, text=True).stdout == "timeout\n"
    network.heal()
    assert subprocess.run(probe, capture_output=True, text=True).stdout == "+PONG\n"


PROBE = """
import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), 0.5) as server:
        server.sendall(b"PING\\r\\n")
        print(server.recv(100).decode().strip())
except TimeoutError:
    print("timeout")
"""
