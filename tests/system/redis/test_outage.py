"""The server goes away and comes back: nothing acknowledged is lost, everybody works on."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.servers.fixtures import MakeServer
from tests.servers.kinds import OFFERED, Kind
from tests.servers.server import DURABLE, Server
from tests.system.arena import soak
from tests.system.redis.scene import Scene

pytestmark = pytest.mark.system

MakeSceneOn = Callable[[Server], Scene]


@pytest.mark.parametrize("seconds", [1, 6, 15, soak(60)])
def test_a_killed_server_that_comes_back(
    make_server: MakeServer, make_scene_on: MakeSceneOn, seconds: int
) -> None:
    server = make_server(**DURABLE)

    producer = make_scene_on(server).outlive(seconds, server.kill, server.start)

    assert producer.slowest < 15, "a producer is told soon, and does not hang"


@pytest.mark.parametrize("kind", [OFFERED[0], Kind.VALKEY_9], ids=str)
def test_killed_again_and_again(
    make_server: MakeServer, make_scene_on: MakeSceneOn, kind: Kind
) -> None:
    server = make_server(kind, **DURABLE)
    scene = make_scene_on(server)
    workers = scene.workers("w0", "w1", "w2")
    producer = scene.producer()

    for _ in range(4):
        scene.until_running(scene.rng.randrange(10, 100))
        time.sleep(scene.rng.uniform(0, 0.05))  # the instant is the fault's
        server.kill()
        scene.note("server killed")
        server.start()
        scene.until_all_consume(workers, time.time())

    producer.until_acknowledged(20)
    scene.settle()


@pytest.mark.parametrize("seconds", [3, soak(30)])
def test_a_server_that_takes_connections_and_does_not_answer(
    make_server: MakeServer, make_scene_on: MakeSceneOn, seconds: int
) -> None:
    server = make_server()
    scene = make_scene_on(server)
    workers = scene.workers("w0", "w1")
    scene.producer()
    scene.until_running(50)

    server.freeze()
    scene.note("server frozen")
    time.sleep(seconds)  # the length of the outage is the fault
    server.thaw()
    scene.note("server thawed")

    scene.until_all_consume(workers, time.time())
    scene.settle()


def test_an_outage_costs_no_attempt_and_no_processor_time(
    make_server: MakeServer, make_scene_on: MakeSceneOn
) -> None:
    server = make_server(**DURABLE)
    scene = make_scene_on(server)
    (worker,) = scene.workers("w0")
    server.kill()
    before = processor_seconds(worker.pid)

    time.sleep(5)  # so that there is something to measure

    assert processor_seconds(worker.pid) - before < 1, "it tries in a tight loop"
    assert len(worker.tail().splitlines()) < 50, worker.tail()
    server.start()
    scene.producer().until_acknowledged(5)
    scene.settle()


def processor_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
