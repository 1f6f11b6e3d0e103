"""A primary with replicas under the eyes of three sentinels, who choose another when it is gone."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import redis

from tests.servers.kinds import DEFAULT, Kind
from tests.servers.server import HOST, Server, until

NAME = "main"
"""What the sentinels call the primary."""
DOWN_AFTER_MS = 1_000


class SentinelSetup:
    """One primary, one replica, three sentinels; a failover takes about two seconds."""

    def __init__(self, folder: Path, kind: Kind = DEFAULT, **settings: Any) -> None:
        self._stack = ExitStack()
        self.data = [Server(folder / f"data{number}", kind, **settings) for number in range(2)]
        self.sentinels = [
            Server(folder / f"sentinel{number}", kind, sentinel=True) for number in range(3)
        ]

    def __enter__(self) -> SentinelSetup:
        primary, replica = self.data
        for server in (*self.data, *self.sentinels):
            self._stack.enter_context(server)
        with replica.connect() as client:
            client.replicaof(HOST, primary.port)
            until(lambda: client.info()["master_link_status"] == "up", "the replica to follow")
        for sentinel in self.sentinels:
            self._watch(sentinel, primary)
        until(self._agreed, "the sentinels to know each other and the replica")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        """``redis+sentinel://HOST:PORT,…/NAME/0``."""
        hosts = ",".join(f"{HOST}:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{NAME}/0"

    @property
    def primary(self) -> Server:
        """The server that the sentinels name at this moment."""
        with self.sentinels[0].connect(decode_responses=True) as client:
            answer: Any = client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)
        return next(server for server in self.data if server.port == int(answer[1]))

    def until_primary_is_not(self, gone: Server) -> Server:
        """Wait for a failover to be through; return the new primary, which takes writes."""
        until(lambda: self.primary is not gone, "the sentinels to name another primary")
        with self.primary.connect() as client:
            until(lambda: client.info("replication")["role"] == "master", "it to be one")
        return self.primary

    def _watch(self, sentinel: Server, primary: Server) -> None:
        with sentinel.connect() as client:
            client.execute_command("SENTINEL", "MONITOR", NAME, HOST, primary.port, 2)
            for key, value in {
                "down-after-milliseconds": DOWN_AFTER_MS,
                "failover-timeout": 3_000,
                "parallel-syncs": 1,
            }.items():
                client.execute_command("SENTINEL", "SET", NAME, key, value)

    def _agreed(self) -> bool:
        return all(self._sees_all(sentinel) for sentinel in self.sentinels)

    def _sees_all(self, sentinel: Server) -> bool:
        with sentinel.connect(decode_responses=True) as client:
            found = _pairs(client, "MASTER", NAME)
        return found["num-slaves"] == "1" and found["num-other-sentinels"] == "2"


def _pairs(client: redis.Redis, *command: str) -> dict[str, str]:
    answer: Any = client.execute_command("SENTINEL", *command)
    return answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=True))
