"""A cluster's client closes a node's connections, for what one command met there, under others."""

from __future__ import annotations

import asyncio
from typing import Any

from redis.exceptions import ConnectionError as ConnectionLost

from stoker.broker.redis.answers import answer
from stoker.broker.redis.connection import make_client
from stoker.config import BrokerURL
from tests.servers.cluster import Cluster

TURNS = 12
"""More than it takes to close a connection."""


async def test_at_whatever_turn_of_it_a_command_begins_it_is_answered_or_was_cut_off(
    cluster: Cluster,
) -> None:
    url = BrokerURL.parse(cluster.url)
    assert url.server is not None
    client: Any = make_client(url, url.server)
    await answer(client, "SET", "{bull}", "here")
    node = client.get_node_from_key("{bull}")
    cut_off = 0

    for turns in range(TURNS):
        closing = asyncio.create_task(node.disconnect_free_connections())
        for _ in range(turns):
            await asyncio.sleep(0)
        try:
            assert await answer(client, "GET", "{bull}") == "here"
        except ConnectionLost:
            cut_off += 1
        await closing
        assert await answer(client, "GET", "{bull}") == "here"

    await client.aclose()
    assert cut_off, "no command ever met a connection that was being closed"
