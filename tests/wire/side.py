"""The two sides of the wire, as a scenario sees them: the same verbs, done by BullMQ or by Stoker.

Options are BullMQ's own, in its own words. Each step happens when the scenario says so: nothing
runs by itself.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from stoker import Backoff, Dedup, JobRecord, Keep, Stoker
from stoker.broker import Broker
from stoker.broker.base import Patch, Want
from stoker.failure import Failure
from stoker.job.model import lease_of
from stoker.job.outcome import Raised, Report, Returned, decide
from stoker.job.retry import Policy, policy_for
from tests.servers.server import Server
from tests.wire.peer import PeerQueue

Options = Mapping[str, Any]
"""BullMQ's job options, in its words."""

LEASE_MS = 30_000
WORKER = "hand"


class Side(Protocol):
    """One side of one queue."""

    async def add(self, name: str, data: Any = None, **opts: Any) -> str: ...
    async def claim(self) -> str | None: ...
    async def complete(self, id: str, value: Any = None) -> None: ...
    async def fail(self, id: str, message: str, *, final: bool = False) -> None: ...
    async def progress(self, id: str, value: Any) -> None: ...
    async def log(self, id: str, line: str) -> None: ...
    async def change_data(self, id: str, data: Any) -> None: ...
    async def change_priority(self, id: str, priority: int) -> None: ...
    async def change_delay(self, id: str, delay: int) -> None: ...
    async def promote(self, id: str) -> None: ...
    async def retry(self, id: str) -> None: ...
    async def remove(self, id: str) -> None: ...
    async def pause(self) -> None: ...
    async def resume(self) -> None: ...
    async def recover(self) -> None: ...
    async def lose_lease(self, id: str) -> None: ...
    async def add_flow(self, parent: Options, *children: Options) -> None: ...
    async def schedule(self, id: str, repeat: Options, name: str) -> None: ...


class NodeSide:
    """BullMQ's."""

    def __init__(self, queue: PeerQueue, server: Server) -> None:
        self._queue = queue
        self._server = server
        self.add = queue.add
        self.complete = queue.complete
        self.pause = queue.pause
        self.resume = queue.resume
        self.schedule = queue.schedule

    async def claim(self) -> str | None:
        job = await self._queue.claim()
        return None if job is None else job.id

    async def fail(self, id: str, message: str, *, final: bool = False) -> None:
        await self._queue.fail(id, message, unrecoverable=final)

    async def progress(self, id: str, value: Any) -> None:
        await self._queue.of_job(id, "updateProgress", value)

    async def log(self, id: str, line: str) -> None:
        await self._queue.of_job(id, "log", line)

    async def change_data(self, id: str, data: Any) -> None:
        await self._queue.of_job(id, "updateData", data)

    async def change_priority(self, id: str, priority: int) -> None:
        await self._queue.of_job(id, "changePriority", {"priority": priority})

    async def change_delay(self, id: str, delay: int) -> None:
        await self._queue.of_job(id, "changeDelay", delay)

    async def promote(self, id: str) -> None:
        await self._queue.of_job(id, "promote")

    async def retry(self, id: str) -> None:
        state = await self._queue.state(id)
        options = {"resetAttemptsMade": True, "resetAttemptsStarted": True}
        await self._queue.of_job(id, "retry", state, options)

    async def remove(self, id: str) -> None:
        await self._queue.of_job(id, "remove")

    async def recover(self) -> None:
        await self._queue.recover()

    async def lose_lease(self, id: str) -> None:
        lose_lease(self._server, self._queue.name, id)

    async def add_flow(self, parent: Options, *children: Options) -> None:
        await self._queue.add_flow("perform", parent, *children)


class StokerSide:
    """Stoker's: jobs are added as an application adds them, and run as a worker runs them."""

    def __init__(self, app: Stoker, broker: Broker, name: str, server: Server) -> None:
        self._server = server
        self._queue = app.queue(name)
        self._broker = broker
        self._held: dict[str, JobRecord] = {}
        self._rng = random.Random(0)
        self.pause = self._queue.pause
        self.resume = self._queue.resume

    async def add(self, name: str, data: Any = None, **opts: Any) -> str:
        return (await self._queue.add(name, data, **settings_of(opts))).id

    async def claim(self) -> str | None:
        jobs = await self._broker.claim(Want({self._queue.name: 1}, 1, WORKER, LEASE_MS))
        for job in jobs:
            self._held[job.id] = job
            return job.id
        return None

    async def complete(self, id: str, value: Any = None) -> None:
        await self._settle(id, Returned(msgspec.json.encode(value).decode()))

    async def fail(self, id: str, message: str, *, final: bool = False) -> None:
        await self._settle(id, Raised(Failure("error", message, f"Error: {message}"), final))

    async def progress(self, id: str, value: Any) -> None:
        await self._patch(id, progress=msgspec.json.encode(value).decode())

    async def log(self, id: str, line: str) -> None:
        await self._patch(id, log=(line,))

    async def change_data(self, id: str, data: Any) -> None:
        await self._patch(id, data=msgspec.json.encode(data).decode())

    async def change_priority(self, id: str, priority: int) -> None:
        await self._patch(id, priority=priority)

    async def change_delay(self, id: str, delay: int) -> None:
        await self._patch(id, delay_ms=delay)

    async def promote(self, id: str) -> None:
        assert await self._queue.job(id).promote()

    async def retry(self, id: str) -> None:
        assert await self._queue.job(id).retry()

    async def remove(self, id: str) -> None:
        assert await self._queue.job(id).remove()

    async def recover(self) -> None:
        await self._broker.recover([self._queue.name], max_stalls=1)

    async def lose_lease(self, id: str) -> None:
        lose_lease(self._server, self._queue.name, id)
        self._held.pop(id, None)

    async def add_flow(self, parent: Options, *children: Options) -> None:
        raise NotImplementedError("Stoker's applications add no parents yet")

    async def schedule(self, id: str, repeat: Options, name: str) -> None:
        raise NotImplementedError("Stoker's applications make no job schedulers of BullMQ's")

    def forget(self) -> None:
        """Let go of all jobs."""
        self._held.clear()

    async def _settle(self, id: str, report: Report) -> None:
        job = self._held.pop(id)
        policy = policy_for(BULLMQS_DEFAULTS, job.options, max_stalls=1)
        outcome = decide(job, lease_of(job), report, policy, self._rng)
        assert not (await self._broker.finish([outcome])).lost

    async def _patch(self, id: str, **changes: Any) -> None:
        token = self._held[id].token if id in self._held else None
        assert await self._broker.update(self._queue.name, id, Patch(token=token, **changes))


def mixed(*, adds: Side, runs: Side) -> Side:
    """Return a side on which one adds the jobs and the other does all the rest."""
    side = copy.copy(runs)
    side.add, side.add_flow, side.schedule = adds.add, adds.add_flow, adds.schedule
    return side


def lose_lease(server: Server, queue: str, id: str) -> None:
    """Let a lease run out at this moment, and let the next recovery act on it."""
    with server.connect() as client:
        client.delete(f"bull:{queue}:{id}:lock", f"bull:{queue}:stalled-check")
        client.sadd(f"bull:{queue}:stalled", id)


BULLMQS_DEFAULTS = Policy(
    attempts=1,
    backoff=Backoff("fixed", 0, 0, 0.0),
    keep_completed=Keep(),
    keep_failed=Keep(),
    max_stalls=1,
)
"""What BullMQ does with a job on which nothing was set."""


def settings_of(opts: Mapping[str, Any]) -> dict[str, Any]:
    """Return BullMQ's job options as Stoker's settings."""
    translate = {
        "jobId": lambda id: {"id": id},
        "delay": lambda ms: {"delay": ms / 1_000},
        "backoff": lambda backoff: {"backoff": _backoff(backoff)},
        "removeOnComplete": lambda keep: {"keep_completed": _keep(keep)},
        "removeOnFail": lambda keep: {"keep_failed": _keep(keep)},
        "deduplication": lambda dedup: {"dedup": Dedup(dedup["id"], dedup.get("ttl"))},
    }
    settings: dict[str, Any] = {}
    for name, value in opts.items():
        settings |= translate[name](value) if name in translate else {name: value}
    return settings


def _backoff(value: int | Mapping[str, Any]) -> Backoff:
    if isinstance(value, int):
        return Backoff.fixed(value / 1_000)
    kind, delay = value["type"], value.get("delay", 0) / 1_000
    jitter = value.get("jitter", 0.0)
    if kind == "fixed":
        return Backoff.fixed(delay, jitter=jitter)
    # BullMQ knows no longest wait.
    return Backoff.exponential(delay, max="36500d", jitter=jitter)


def _keep(value: bool | int | Mapping[str, int]) -> Keep:
    """BullMQ says what to remove, Stoker what to keep."""
    match value:
        case True:
            return Keep(count=0)
        case False:
            return Keep()
        case int():
            return Keep(count=value)
        case _:
            age = value.get("age")
            return Keep(value.get("count"), None if age is None else age * 1_000)
