"""The network between workers and server is cut: both directions, in silence."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.servers.fixtures import MakeServer
from tests.servers.network import Network
from tests.system.arena import soak
from tests.system.redis.scene import Scene

pytestmark = pytest.mark.system

JOBS = 1_000


@pytest.mark.parametrize("seconds", [8, soak(30)])
def test_workers_that_are_cut_off_come_back(
    network: Network, make_server: MakeServer, make_scene: Callable[..., Scene], seconds: int
) -> None:
    server = make_server(host=network.far.address, within=network.far.within)
    scene = make_scene(server.url, lambda: server.connect(decode_responses=True))
    workers = [scene.worker(name, network.near.within) for name in ("w0", "w1", "w2")]
    scene.fill(JOBS, network.far.within)
    scene.until_running(100)

    network.cut()
    scene.note("cut")
    time.sleep(seconds)  # the length of the cut is the fault
    network.heal()
    scene.note("healed")

    scene.until_all_consume(workers, time.time())
    scene.settle()


@pytest.mark.parametrize("seconds", [3, 7, soak(30)])
def test_idle_workers_find_what_was_added_while_they_were_cut_off(
    network: Network, make_server: MakeServer, make_scene: Callable[..., Scene], seconds: int
) -> None:
    server = make_server(host=network.far.address, within=network.far.within)
    scene = make_scene(server.url, lambda: server.connect(decode_responses=True))
    workers = [scene.worker(name, network.near.within) for name in ("w0", "w1", "w2")]

    network.cut()
    scene.note("cut")
    scene.fill(JOBS, network.far.within)
    time.sleep(seconds)  # the length of the cut is the fault
    network.heal()
    scene.note("healed")

    scene.until_all_consume(workers, time.time())
    scene.settle()
