"""Out of memory, with ``noeviction``: what runs goes on and finishes, what is new is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stoker import BrokerFull, State
from tests.servers.fixtures import MakeServer
from tests.servers.server import Server, until
from tests.system.redis.scene import Scene
from tests.wire.perform import QUEUE, application

pytestmark = pytest.mark.system

RUNNING = 3
LEASE_SECONDS = 1.0


def test_running_jobs_keep_their_leases_and_finish(
    make_server: MakeServer, make_scene_on: Callable[[Server], Scene], tmp_path: Path
) -> None:
    server = make_server()
    scene = make_scene_on(server)
    gate = tmp_path / "gate"
    app = application(server.url)
    queue = app.queue(QUEUE)
    scene.workers("w0")
    jobs = [queue.add_sync("perform", {"steps": [["gate", str(gate)]]}) for _ in range(RUNNING)]
    until(lambda: len(scene.runs()) == RUNNING, "all jobs to run")

    with server.connect() as client:
        client.config_set("maxmemory", 1)
    with pytest.raises(BrokerFull) as refused:
        queue.add_sync("perform", {})
    time.sleep(3 * LEASE_SECONDS)  # long enough to lose leases that are not renewed
    gate.touch()

    for job in jobs:
        job.wait_sync(20)
    assert [app.run(job.state()) for job in jobs] == [State.COMPLETED] * RUNNING
    assert len(scene.runs()) == RUNNING, "a job was taken back and run again"
    assert refused.value.hint
    with server.connect() as client:
        client.config_set("maxmemory", 0)
    queue.add_sync("perform", {}).wait_sync(20)
    app.run(app.close())


def test_a_full_server_takes_all_jobs_again_once_there_is_room(
    make_server: MakeServer, make_scene_on: Callable[[Server], Scene]
) -> None:
    server = make_server()
    scene = make_scene_on(server)
    workers = scene.workers("w0", "w1")
    producer = scene.producer()
    scene.until_running(50)

    with server.connect() as client:
        client.config_set("maxmemory", 1)
        scene.note("full")
        assert isinstance(producer.until_refused(), BrokerFull)
        time.sleep(2)  # the length of the fault
        client.config_set("maxmemory", 0)
        scene.note("room")

    scene.until_all_consume(workers, time.time())
    scene.settle()
    assert {type(error) for error in producer.refused} == {BrokerFull}
