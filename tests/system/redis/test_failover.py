"""Another server takes over: Sentinel, and a cluster.

Replication is asynchronous, so what a primary acknowledged in its last moments may die with it;
Redis says so, and no client can help it. Here the replica has caught up before the fault.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers.cluster import Cluster
from tests.servers.sentinel import SentinelSetup
from tests.servers.server import DURABLE, Server, until
from tests.system.arena import soak
from tests.system.redis.scene import Producer, Scene

pytestmark = pytest.mark.system

MakeScene = Callable[..., Scene]


def test_sentinels_choose_another_primary(sentinels: SentinelSetup, make_scene: MakeScene) -> None:
    scene = make_scene(sentinels.url, lambda: sentinels.primary.connect(decode_responses=True))
    workers = scene.workers("w0", "w1", "w2")
    producer = scene.producer()
    scene.until_running(50)
    first = sentinels.primary

    caught_up(producer, first)
    first.kill()
    scene.note("primary killed")
    sentinels.until_primary_is_not(first)
    scene.note("another primary")

    producer = scene.producer()
    scene.until_all_consume(workers, time.time())
    scene.settle()


def test_a_cluster_elects_another_master(cluster: Cluster, make_scene: MakeScene) -> None:
    scene = make_scene(
        cluster.url,
        lambda: cluster.master_of("{bull}").connect(decode_responses=True),
        prefix="{bull}",
    )
    workers = scene.workers("w0", "w1", "w2")
    producer = scene.producer()
    scene.until_running(50)
    first = cluster.master_of("{bull}")

    caught_up(producer, first)
    first.kill()
    scene.note("master killed")
    cluster.until_master_is_not(first, "{bull}")
    scene.note("another master")

    producer = scene.producer()
    scene.until_all_consume(workers, time.time())
    scene.settle()


@pytest.mark.parametrize("seconds", [6, soak(30)])
def test_a_cluster_that_was_gone_as_a_whole_comes_back(
    tmp_path: Path, make_scene: MakeScene, seconds: int
) -> None:
    durable: dict[str, Any] = DURABLE
    with Cluster(tmp_path, **durable) as cluster:
        scene = make_scene(
            cluster.url,
            lambda: cluster.master_of("{bull}").connect(decode_responses=True),
            prefix="{bull}",
        )

        scene.outlive(seconds, cluster.kill, cluster.start_again)

        scene.close()


def caught_up(producer: Producer, primary: Server) -> None:
    """Stop to add, and wait until the replica has all of it."""
    producer.finish()
    with primary.connect() as client:

        def same() -> bool:
            info = client.info("replication")
            return info["slave0"]["offset"] == info["master_repl_offset"]

        until(same, "the replica to catch up")
