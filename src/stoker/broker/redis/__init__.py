"""The broker on Redis or Valkey, in BullMQ's own data layout."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Self

from stoker.broker.base import (
    Added,
    Broker,
    Clock,
    Detail,
    EventPage,
    Finished,
    Page,
    Patch,
    QueueSettings,
    QueueStats,
    Select,
    Swept,
    Want,
    system_clock,
)
from stoker.broker.redis import add, events, inspect, recover, sweep
from stoker.broker.redis.claim import Claimer
from stoker.broker.redis.finish import SETTLED_AT_ONCE, Settler
from stoker.broker.redis.server import Server
from stoker.config import BrokerURL, ServerAddress
from stoker.job.model import JobRecord, Lease, NewJob
from stoker.job.outcome import Outcome

__all__ = ["RedisBroker"]


class RedisBroker(Broker):
    """Each operation is one script, called by a file beside this one."""

    settled_at_once = SETTLED_AT_ONCE

    def __init__(
        self, url: BrokerURL, server: ServerAddress, *, clock: Clock = system_clock
    ) -> None:
        self._server = Server(url, server, clock)
        self._settler = Settler(self._server)
        self._claimer = Claimer(self._server, self._settler)

    async def open(self) -> Self:
        await self._server.open()
        return self

    def warnings(self) -> Sequence[str]:
        return self._server.warnings()

    async def close(self) -> None:
        await self._server.close()

    # The road of a job

    async def add(self, jobs: Sequence[NewJob]) -> list[Added]:
        return await add.add(self._server, jobs)

    async def claim(self, want: Want, timeout: float = 0.0) -> list[JobRecord]:
        return await self._claimer.claim(want, timeout)

    async def finish(self, outcomes: Sequence[Outcome], want: Want | None = None) -> Finished:
        lost, claimed = await self._settler.settle(outcomes, want)
        jobs = []
        if want is not None and claimed is not None:
            jobs = await self._claimer.settled(want, claimed)
        return Finished(lost, jobs)

    async def extend(self, leases: Collection[Lease], lease_ms: int) -> set[Lease]:
        return await recover.extend(self._server, leases, lease_ms)

    async def recover(
        self, queues: Sequence[str], max_stalls: int, patience_ms: int = 0
    ) -> list[str]:
        return await recover.recover(self._server, queues, max_stalls, patience_ms)

    # An operator's hand

    async def find(self, select: Select) -> Page:
        return await sweep.find(self._server, select)

    async def requeue(self, select: Select) -> Swept:
        return await sweep.requeue(self._server, select)

    async def remove(self, select: Select, *, force: bool = False) -> Swept:
        return await sweep.remove(self._server, select, force=force)

    async def cancel(self, select: Select, why: str) -> Swept:
        return await sweep.cancel(self._server, select, why)

    async def update(self, queue: str, id: str, patch: Patch) -> bool:
        return await inspect.update(self._server, queue, id, patch)

    async def detail(self, queue: str, id: str) -> Detail | None:
        return await inspect.detail(self._server, queue, id)

    async def queues(self, names: Sequence[str] | None = None) -> list[QueueStats]:
        return await inspect.queues(self._server, names)

    async def configure(self, queue: str, settings: QueueSettings) -> None:
        await inspect.configure(self._server, queue, settings)

    async def events(self, queue: str, after: str | None, timeout: float = 0.0) -> EventPage:
        return await events.events(self._server, queue, after, timeout)
