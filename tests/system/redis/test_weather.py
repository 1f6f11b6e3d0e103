"""What a server answers in bad weather: scripts forgotten, a replica's refusals, still loading."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import redis

from stoker import BrokerUnavailable
from tests.servers.fixtures import MakeServer
from tests.servers.server import DURABLE, Server, free_port, until
from tests.system.redis.scene import Scene

pytestmark = pytest.mark.system

MakeSceneOn = Callable[[Server], Scene]


def test_scripts_are_forgotten_every_100_ms(
    make_server: MakeServer, make_scene_on: MakeSceneOn
) -> None:
    server = make_server()
    scene = make_scene_on(server)
    scene.workers("w0", "w1", "w2")

    with flushing(server):
        producer = scene.producer()
        scene.until_running(500)
        scene.settle()

    assert producer.refused == []


@contextmanager
def flushing(server: Server) -> Iterator[None]:
    """Have the server forget all scripts, every 100 ms."""
    enough = threading.Event()

    def flush() -> None:
        with server.connect() as client:
            while not enough.wait(0.1):
                client.script_flush()

    thread = threading.Thread(target=flush)
    thread.start()
    yield
    enough.set()
    thread.join()


def test_a_server_that_is_a_replica_for_a_while(
    make_server: MakeServer, make_scene_on: MakeSceneOn
) -> None:
    """READONLY: as after a failover, on the server that was the primary."""
    server = make_server()
    scene = make_scene_on(server)
    workers = scene.workers("w0", "w1")
    producer = scene.producer()
    scene.until_running(50)

    with server.connect() as client:
        client.replicaof("127.0.0.1", free_port())  # of nobody: so it keeps its data
        scene.note("READONLY")
        assert isinstance(producer.until_refused(), BrokerUnavailable)
        time.sleep(2)  # the length of the outage is the fault
        client.replicaof("NO", "ONE")
        scene.note("primary again")

    scene.until_all_consume(workers, time.time())
    scene.settle()


def test_a_server_that_loads_its_data_for_a_while(
    make_server: MakeServer, make_scene_on: MakeSceneOn
) -> None:
    """LOADING: it takes connections and refuses every command."""
    server = make_server(
        **DURABLE, key_load_delay=5_000, loading_process_events_interval_bytes=1_024
    )
    scene = make_scene_on(server)
    workers = scene.workers("w0", "w1")
    producer = scene.producer()
    scene.until_running(300)
    with server.connect() as client:
        client.bgrewriteaof()  # keys are delayed one by one only if they come from a snapshot
        until(lambda: not client.info("persistence")["aof_rewrite_in_progress"], "the rewrite")

    server.kill()
    server.start(wait=False)
    until(lambda: loading(server), "the server to be loading")
    scene.note("LOADING")
    assert isinstance(producer.until_refused(), BrokerUnavailable)
    server.until_ready()
    scene.note("loaded")

    scene.until_all_consume(workers, time.time())
    scene.settle()


def loading(server: Server) -> bool:
    with server.connect(decode_responses=True) as client:
        try:
            return bool(client.info("persistence")["loading"])
        except redis.ConnectionError:
            return False
