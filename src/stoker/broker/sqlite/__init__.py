"""The embedded broker: one SQLite file, any number of processes on one machine."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection, Sequence
from typing import Self

import apsw

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
from stoker.broker.sqlite import add, claim, finish, forks, housekeeping, inspect, recover, sweep
from stoker.broker.sqlite.call import Synced
from stoker.broker.sqlite.changes import Changes
from stoker.broker.sqlite.connection import connect, connect_for_reading
from stoker.broker.sqlite.lane import Lane
from stoker.broker.sqlite.transaction import Transaction
from stoker.config import MEMORY
from stoker.errors import BrokerError
from stoker.job.model import JobRecord, Lease, NewJob, lease_of
from stoker.job.outcome import Outcome, Released

__all__ = ["SQLiteBroker"]

HOUSEKEEPING_MS = 10_000


class SQLiteBroker(Broker):
    """One connection that writes, one that reads, each on a thread of its own.

    In memory there is only the one that writes, which then reads too.
    """

    def __init__(self, path: str, *, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._writer = Lane(path, connect, clock, "stoker-writer")
        self._reader = (
            self._writer
            if path == MEMORY
            else Lane(path, connect_for_reading, clock, "stoker-reader")
        )
        self._changes = Changes(path)
        self._in_memory = path == MEMORY
        self._opened = False
        self._house_kept_at = 0
        self._looks = recover.Looks()
        self._returning: set[asyncio.Task[None]] = set()

    async def open(self) -> Self:
        if self._opened:
            return self
        self._opened = True
        forks.enter(self)
        try:
            await self._writer.open(self._changes.note)
            if self._reader is not self._writer:
                await self._reader.open()
        except BaseException:
            self._writer.end()
            forks.leave(self)
            raise
        self._changes.start()
        return self

    def rest(self) -> None:
        """Close the file for a moment; calls that come meanwhile wait for ``resume``."""
        if self._in_memory:
            return  # there is no file, and to close it would be to lose it
        self._changes.rest()
        self._reader.rest()
        self._writer.rest()

    def resume(self) -> None:
        """Open it again."""
        if self._in_memory:
            return
        self._writer.resume()
        self._reader.resume()
        self._changes.resume()

    def disown(self) -> None:
        """In a child that was forked: refuse every call, since the threads are the parent's."""
        self._reader.disown()
        self._writer.disown()

    async def close(self) -> None:
        await self._changes.close()
        await self._reader.close()
        await self._writer.close()
        forks.leave(self)  # only now: until then a fork would carry an open file across

    # The road of a job

    async def add(self, jobs: Sequence[NewJob]) -> list[Added]:
        if not jobs:
            return []
        return await self._writer.write(lambda tx: add.add(tx, jobs), Synced.BEFORE_ANSWER)

    async def claim(self, want: Want, timeout: float = 0.0) -> list[JobRecord]:
        def claimable(connection: apsw.Connection, now: int) -> bool:
            return claim.claimable(connection, now, want)

        def work(tx: Transaction) -> list[JobRecord]:
            return claim.claim(tx, want)

        deadline = time.monotonic() + timeout
        while True:
            seen = self._changes.version
            claiming = self._writer.write_if(claimable, work, Synced.NEVER)
            jobs = await self._unless_cancelled(claiming)
            left = deadline - time.monotonic()
            if jobs or left <= 0:
                return jobs
            ride = self._writer.ride(claimable, work)
            try:
                await self._changes.wait(seen, min(left, await self._until_due(want)))
            except BaseException:
                await self._hand_back(ride.leave())
                raise
            if jobs := await self._unless_cancelled(ride.leave()):
                return jobs

    async def _unless_cancelled(
        self, claiming: asyncio.Future[list[JobRecord] | None]
    ) -> list[JobRecord]:
        """Return what is claimed, or if whoever asked for it is cancelled, hand it back."""
        try:
            return await asyncio.shield(claiming) or []
        except asyncio.CancelledError:
            # The thread may be committing it this moment.
            await self._hand_back(claiming)
            raise

    async def _hand_back(self, claiming: asyncio.Future[list[JobRecord] | None]) -> None:
        """Give back what is claimed; goes on by itself if its caller is cancelled once more."""
        returning = asyncio.ensure_future(self._release(claiming))
        self._returning.add(returning)
        returning.add_done_callback(self._returning.discard)
        await asyncio.shield(returning)

    async def _release(self, claiming: asyncio.Future[list[JobRecord] | None]) -> None:
        with contextlib.suppress(BrokerError):
            if jobs := await claiming:
                await self.finish([Released(lease_of(job)) for job in jobs])

    async def _until_due(self, want: Want) -> float:
        due = await self._reader.read(lambda connection, _: claim.next_due(connection, want))
        return float("inf") if due is None else max(0.001, (due - self._clock()) / 1_000)

    async def finish(self, outcomes: Sequence[Outcome], want: Want | None = None) -> Finished:
        if not outcomes and want is None:
            return Finished()
        return await self._writer.write(lambda tx: finish.finish(tx, outcomes, want))

    async def extend(self, leases: Collection[Lease], lease_ms: int) -> set[Lease]:
        if not leases:
            return set()
        return await self._writer.write(lambda tx: recover.extend(tx, leases, lease_ms))

    async def recover(
        self, queues: Sequence[str], max_stalls: int, patience_ms: int = 0
    ) -> list[str]:
        await self._keep_house()
        ids = await self._writer.write_if(
            lambda connection, now: recover.recoverable(connection, now, queues),
            lambda tx: recover.recover(tx, queues, max_stalls, self._looks, patience_ms),
        )
        return ids or []

    async def _keep_house(self) -> None:
        now = self._clock()
        if now - self._house_kept_at >= HOUSEKEEPING_MS:
            self._house_kept_at = now
            while await self._writer.write_if(housekeeping.untidy, housekeeping.tidy):
                pass  # a bounded piece at a time, so that others come between

    # An operator's hand

    async def find(self, select: Select) -> Page:
        return await self._reader.read(lambda connection, _: sweep.find(connection, select))

    async def requeue(self, select: Select) -> Swept:
        return await self._writer.write(lambda tx: sweep.requeue(tx, select))

    async def remove(self, select: Select, *, force: bool = False) -> Swept:
        return await self._writer.write(lambda tx: sweep.remove(tx, select, force))

    async def cancel(self, select: Select, why: str) -> Swept:
        return await self._writer.write(lambda tx: sweep.cancel(tx, select, why))

    async def update(self, queue: str, id: str, patch: Patch) -> bool:
        return await self._writer.write(lambda tx: inspect.update(tx, queue, id, patch))

    async def detail(self, queue: str, id: str) -> Detail | None:
        return await self._reader.read(lambda connection, _: inspect.detail(connection, queue, id))

    async def queues(self, names: Sequence[str] | None = None) -> list[QueueStats]:
        return await self._reader.read(lambda connection, _: inspect.queues(connection, names))

    async def configure(self, queue: str, settings: QueueSettings) -> None:
        await self._writer.write(lambda tx: inspect.configure(tx, queue, settings))

    async def events(self, queue: str, after: str | None, timeout: float = 0.0) -> EventPage:
        deadline = time.monotonic() + timeout
        while True:
            seen = self._changes.version
            page = await self._reader.read(
                lambda connection, _: inspect.events(connection, queue, after)
            )
            left = deadline - time.monotonic()
            if page.events or page.gap or after is None or left <= 0:
                return page
            await self._changes.wait(seen, left)
