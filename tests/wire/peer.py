"""BullMQ itself, in a Node process that does what a test tells it. See ``node/peer.mjs``."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

from tests.servers.server import Server
from tests.wire.runtime import HERE, runtime


class Flavour(Enum):
    """Which BullMQ; the value is the name of its package in ``node/package.json``."""

    BULLMQ_6 = "bullmq"
    BULLMQ_5 = "bullmq5"

    def __str__(self) -> str:
        return self.name.lower().replace("_", "-")


class PeerError(Exception):
    """What BullMQ raised; ``name`` is the JavaScript class of the error."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class PeerJob(msgspec.Struct, rename="camel"):
    """A job as BullMQ's own ``Job`` reads it. Times are milliseconds since the epoch."""

    id: str
    name: str
    data: Any
    opts: dict[str, Any]
    timestamp: int
    attempts_made: int
    progress: Any = None
    delay: int = 0
    priority: int = 0
    returnvalue: Any = None
    failed_reason: str | None = None
    stacktrace: list[str] | None = None
    finished_on: int | None = None
    processed_on: int | None = None
    processed_by: str | None = None
    attempts_started: int = 0
    stalled_counter: int = 0
    deduplication_id: str | None = None
    repeat_job_key: str | None = None
    parent_key: str | None = None


class Peer:
    """One Node process with one BullMQ. Its calls are coroutines, good in any event loop."""

    def __init__(
        self,
        server: Server,
        flavour: Flavour = Flavour.BULLMQ_6,
        *,
        prefix: str = "bull",
        ledger: Path | None = None,
    ) -> None:
        self.flavour = flavour
        self.prefix = prefix
        node = runtime()
        connection = {"host": server.address[0], "port": server.port, "password": server.password}
        options = msgspec.json.encode({"connection": connection, "prefix": prefix})
        self._waiting: dict[int, Future[Any]] = {}
        self._numbers = itertools.count(1)
        self._sending = threading.Lock()
        self._process = subprocess.Popen(
            [node.node, "peer.mjs", flavour.value, options],
            cwd=HERE,
            env={**node.env, **({"WIRE_LEDGER": str(ledger)} if ledger else {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def queue(self, name: str) -> PeerQueue:
        return PeerQueue(self, name)

    async def call(self, on: str, queue: str, call: str, *args: Any, **more: Any) -> Any:
        """Have one of the parts in ``node/peer.mjs`` do something; raises ``PeerError``."""
        number = next(self._numbers)
        request = {"id": number, "on": on, "queue": queue, "call": call, "args": args, **more}
        future: Future[Any] = Future()
        self._waiting[number] = future
        # In ASCII: to Node, U+2028 ends a line too.
        self._send(json.dumps(request).encode() + b"\n")
        return await asyncio.wrap_future(future)

    def kill(self) -> None:
        """``kill -9``."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Let it close its workers and connections, and end."""
        if self._process.poll() is None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def _send(self, line: bytes) -> None:
        assert self._process.stdin is not None
        with self._sending:
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = msgspec.json.decode(line)
            future = self._waiting.pop(answer["id"])
            if (error := answer.get("error")) is None:
                future.set_result(answer["value"])
            else:
                future.set_exception(PeerError(error["name"], error["message"]))
        while self._waiting:
            _, future = self._waiting.popitem()
            future.set_exception(PeerError("Gone", "the Node process has ended"))


class PeerQueue:
    """What BullMQ's ``Queue``, ``Worker`` and ``QueueEvents`` of one queue can be asked for."""

    def __init__(self, peer: Peer, name: str) -> None:
        self.name = name
        self._peer = peer

    # Queue

    async def add(self, name: str, data: Any = None, **opts: Any) -> str:
        """Add a job with BullMQ's own options; return its id."""
        return (await self.call("add", name, data or {}, opts))["id"]

    async def add_bulk(self, jobs: Sequence[Mapping[str, Any]]) -> list[str]:
        """Add jobs, each ``{"name", "data", "opts"}``; return their ids."""
        return [job["id"] for job in await self.call("addBulk", jobs)]

    async def add_flow(
        self, name: str, parent: Mapping[str, Any], *children: Mapping[str, Any]
    ) -> None:
        """Add a parent and its children, all of this queue and name, with these options."""
        node = {"name": name, "queueName": self.name, "data": {}}
        await self._peer.call("flow", "", "add", {
            **node, "opts": parent, "children": [{**node, "opts": opts} for opts in children]
        })  # fmt: skip

    async def job(self, id: str) -> PeerJob | None:
        found = await self.call("getJob", id)
        return None if found is None else msgspec.convert(found, PeerJob)

    async def state(self, id: str) -> str:
        return await self.call("getJobState", id)

    async def counts(self) -> dict[str, int]:
        """Return the states that have jobs, by BullMQ's names, with how many."""
        counts = await self.call("getJobCounts")
        return {state: count for state, count in counts.items() if count}

    async def logs(self, id: str) -> list[str]:
        return (await self.call("getJobLogs", id))["logs"]

    async def pause(self) -> None:
        await self.call("pause")

    async def resume(self) -> None:
        await self.call("resume")

    async def call(self, method: str, *args: Any) -> Any:
        """Call a method of BullMQ's ``Queue``."""
        return await self._peer.call("queue", self.name, method, *args)

    async def of_job(self, id: str, method: str, *args: Any) -> Any:
        """Call a method of BullMQ's ``Job``."""
        return await self._peer.call("job", self.name, method, *args, job=id)

    # A worker by hand: each step when the test says

    async def claim(self, token: str = "hand") -> PeerJob | None:
        """Claim the next job, without waiting."""
        found = await self._peer.call("hand", self.name, "claim", token)
        return None if found is None else msgspec.convert(found, PeerJob)

    async def complete(self, id: str, value: Any = None, token: str = "hand") -> None:
        await self._peer.call("hand", self.name, "complete", id, value, token)

    async def fail(
        self, id: str, message: str, token: str = "hand", *, unrecoverable: bool = False
    ) -> None:
        await self._peer.call("hand", self.name, "fail", id, message, token, unrecoverable)

    async def schedule(self, id: str, repeat: Mapping[str, Any], name: str) -> None:
        """Have a job of this name made again and again."""
        await self.call("upsertJobScheduler", id, repeat, {"name": name, "data": {}})

    async def recover(self) -> None:
        """Take back the jobs whose workers were lost."""
        await self._peer.call("hand", self.name, "recover")

    # Workers that run by themselves; what they do with a job: node/perform.mjs

    async def start_worker(self, name: str = "node", **options: Any) -> None:
        await self._peer.call("worker", self.name, "start", name, options)

    async def stop_worker(self, name: str = "node") -> None:
        await self._peer.call("worker", self.name, "stop", name)

    # QueueEvents

    async def listen(self) -> None:
        """Begin to record events; what happened before is not seen."""
        await self._peer.call("events", self.name, "listen")

    async def seen(self) -> list[dict[str, Any]]:
        """Return the events recorded so far, each with ``event``, ``jobId`` and its own fields."""
        return await self._peer.call("events", self.name, "seen")

    async def wait_until_finished(self, id: str, ttl_ms: int = 20_000) -> Any:
        """Return the result; raises ``PeerError`` with the reason if the job failed."""
        return await self._peer.call("events", self.name, "waitUntilFinished", id, ttl_ms)

    # Bull Board

    async def board(self, method: str, path: str, **request: Any) -> Any:
        """Ask Bull Board's API: ``board("get", "/api/queues", query={"status": "failed"})``."""
        answer = await self._peer.call("board", self.name, method, path, request)
        assert answer["status"] in (200, 204), answer
        return answer["body"]
