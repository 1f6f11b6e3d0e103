"""A cluster of three masters with a replica each, put together by plain commands."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.servers.kinds import DEFAULT, Kind
from tests.servers.server import HOST, Server, until

SLOTS = 16_384
MASTERS = 3
NODE_TIMEOUT_MS = 1_000


class Cluster:
    """Six servers; a failover takes about two seconds."""

    def __init__(self, folder: Path, kind: Kind = DEFAULT, **settings: Any) -> None:
        self._stack = ExitStack()
        self.nodes = [
            Server(
                folder / f"node{number}",
                kind,
                cluster_enabled="yes",
                cluster_node_timeout=NODE_TIMEOUT_MS,
                cluster_replica_validity_factor=0,  # a replica may always stand for election
                **settings,
            )
            for number in range(2 * MASTERS)
        ]

    def __enter__(self) -> Cluster:
        with self._stack:  # so that none outlives a cluster that does not come about
            self._found()
            self._stack = self._stack.pop_all()
        return self

    def _found(self) -> None:
        for node in self.nodes:
            self._stack.enter_context(node)
        masters, replicas = self.nodes[:MASTERS], self.nodes[MASTERS:]
        for number, master in enumerate(masters):
            with master.connect() as client:
                client.cluster("ADDSLOTS", *range(number, SLOTS, MASTERS))
                client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        self._introduce(self.nodes)
        for master, replica in zip(masters, replicas, strict=True):
            with replica.connect(decode_responses=True) as client:
                client.cluster("REPLICATE", _id(master))
        until(lambda: all(map(_settled, self.nodes)), "the cluster to agree")

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        """``redis+cluster://HOST:PORT,…``: three nodes, who know the others."""
        hosts = ",".join(f"{HOST}:{node.port}" for node in self.nodes[:MASTERS])
        return f"redis+cluster://{hosts}"

    def kill(self) -> None:
        """Kill all nodes at once."""
        for node in self.nodes:
            node.kill()

    def start_again(self) -> None:
        """Start all nodes, and wait until they agree."""
        for node in self.nodes:
            node.start()
        until(lambda: all(map(_settled, self.nodes)), "the cluster to agree again")

    def master_of(self, key: str) -> Server:
        """Return the node that at this moment serves a key, as a node that runs sees it."""
        witness = next(node for node in self.nodes if node.running)
        with witness.connect(decode_responses=True) as client:
            slot = int(client.cluster("KEYSLOT", key))
            shares: Any = client.execute_command("CLUSTER SLOTS")
            for line in shares:
                if line[0] <= slot <= line[1]:
                    return next(node for node in self.nodes if node.port == line[2][1])
        raise AssertionError(f"nobody serves slot {slot}")

    def until_master_is_not(self, gone: Server, key: str) -> Server:
        """Wait until another node serves the key; return it."""
        until(lambda: self.master_of(key) is not gone, "a replica to be elected")
        return self.master_of(key)

    def _introduce(self, nodes: Sequence[Server]) -> None:
        """Make every node known to every other.

        The servers give a handshake up, for good, once it has taken longer than the node timeout,
        as it may on a busy machine: whoever is unknown to a node then is introduced to it again.
        """
        ports = {node.port for node in nodes}

        def met() -> bool:
            strangers = [(node, ports - _seen(node)) for node in nodes]
            for node, unknown in strangers:
                with node.connect() as client:
                    for port in unknown:
                        client.cluster("MEET", HOST, port)
            return not any(unknown for _, unknown in strangers) and all(map(_greeted, nodes))

        until(met, "the nodes to meet")


def _id(node: Server) -> str:
    with node.connect(decode_responses=True) as client:
        return str(client.execute_command("CLUSTER MYID"))


def _seen(node: Server) -> set[int]:
    """The ports of the nodes that a node knows or is about to know, its own among them."""
    return {int(address.rpartition(":")[2]) for address in _nodes(node)}


def _greeted(node: Server) -> bool:
    return not any("handshake" in other["flags"] for other in _nodes(node).values())


def _nodes(node: Server) -> dict[str, Any]:
    with node.connect(decode_responses=True) as client:
        return dict(client.cluster("NODES"))


def _settled(node: Server) -> bool:
    with node.connect(decode_responses=True) as client:
        replication = client.info("replication")
        followed = replication["role"] == "master" or replication["master_link_status"] == "up"
        return followed and client.cluster("INFO")["cluster_state"] == "ok"
