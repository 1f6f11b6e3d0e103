"""Workers killed in the middle of draining a queue: nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.servers.fixtures import MakeServer
from tests.servers.kinds import Kind
from tests.servers.server import Server
from tests.system.arena import soak
from tests.system.redis.scene import Scene

pytestmark = pytest.mark.system


@pytest.mark.parametrize("kills", [6, soak(100)])
@pytest.mark.parametrize("kind", [Kind.REDIS_8, Kind.VALKEY_9], ids=str)
def test_what_killed_workers_held_runs_again(
    make_server: MakeServer, make_scene_on: Callable[[Server], Scene], kind: Kind, kills: int
) -> None:
    scene = make_scene_on(make_server(kind))
    fleet = scene.workers("w0", "w1", "w2")
    scene.producer()

    for number in range(kills):
        scene.until_running(scene.rng.randrange(10, 100))
        time.sleep(scene.rng.uniform(0, 0.02))  # the instant is the fault's
        victim = scene.rng.randrange(len(fleet))
        fleet[victim].kill()
        fleet[victim] = scene.worker(f"heir{number}")

    scene.settle()
    runs = [entry.job for entry in scene.runs()]
    assert len(runs) > len(set(runs)), "no kill hit a running job: the test showed nothing"
