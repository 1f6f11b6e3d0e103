"""Renews leases, takes back those of dead workers, and watches the event loop.

In a thread with a loop of its own: a handler that blocks the worker's loop for minutes must not
lose its own job, nor those beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from stoker.broker.base import Broker, Select
from stoker.errors import BrokerError
from stoker.events import emit
from stoker.job.model import JobRecord, Lease
from stoker.job.states import State

TICK_SECONDS = 1.0
"""How often leases are looked after, and so how soon a cancelled run is interrupted."""
PATIENCE_TICKS = 1.5
"""How many ticks a holder has to renew a lease that was seen run out: one, and for the call."""
BLOCKED_SECONDS = 1.0
"""Loop lag worth a warning."""


class Keeper:
    """Looks after the leases in ``held``, which the worker's loop fills and empties."""

    def __init__(
        self,
        broker: Broker,
        held: dict[Lease, float],
        lost: Callable[[Mapping[Lease, JobRecord | None]], None],
        buried: Callable[[Sequence[JobRecord]], None],
        queues: Sequence[str],
        *,
        lease_ms: int,
        recover_ms: int,
        max_stalls: int,
        on_loop: Callable[[], JobRecord | None] = lambda: None,
    ) -> None:
        self._broker = broker
        self._held = held
        self._lost = lost
        self._buried = buried
        self._queues = queues
        self._lease_ms = lease_ms
        # Two looks: one sees that a lease has run out, the next takes what is not renewed by then.
        self._look_seconds = recover_ms / 1_000 / 2
        self._max_stalls = max_stalls
        self._on_loop = on_loop
        # Three chances to renew before a lease runs out.
        self._tick = min(TICK_SECONDS, lease_ms / 3_000)
        self._patience_ms = round(1_000 * self._tick * PATIENCE_TICKS)
        self._worker_loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._serve, name="stoker-keeper", daemon=True)
        self._stop: Callable[[], object] = lambda: None
        self._ready = threading.Event()
        self.died: asyncio.Future[None] = self._worker_loop.create_future()
        """Fails if the keeper does."""
        self._pinged_at: float | None = None
        self._warned = False

    def start(self) -> None:
        """Begin to keep."""
        self._thread.start()
        self._ready.wait()

    async def stop(self) -> None:
        """Stop keeping; the leases that are left run out by themselves."""
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # it failed, and its loop is closed already
                self._stop()
            await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        try:
            asyncio.run(self._keep())
        except Exception as error:
            # Leases are no longer renewed: a worker that went on would run what others run too.
            self._worker_loop.call_soon_threadsafe(self.died.set_exception, error)
        finally:
            self._ready.set()

    async def _keep(self) -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._stop = lambda: loop.call_soon_threadsafe(stopping.set)
        self._ready.set()
        recover_at = time.monotonic()
        while not stopping.is_set():
            self._watch_loop()
            renewed = await self._attempt(self._renew, "renew leases")
            # Not after a failure: when the store is back, who holds a lease comes before who would
            # take it back, or this worker would take its own.
            if renewed and time.monotonic() >= recover_at:
                await self._attempt(self._recover, "recover")
                # Spread out: the workers of a fleet that were started together stay apart.
                recover_at = time.monotonic() + self._look_seconds * random.uniform(0.8, 1.2)
            pause = min(self._tick, recover_at - time.monotonic()) if renewed else self._tick
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(pause, 0)):
                    await stopping.wait()

    async def _attempt(self, work: Callable[[], Awaitable[None]], doing: str) -> bool:
        try:
            await work()
        except BrokerError as error:
            emit("broker.failed", error=error, doing=doing)
            return False
        return True

    async def _renew(self) -> None:
        # A job that began within this tick has nearly all of its lease left. Most end before the
        # next one, so that short jobs are never renewed at all.
        old = time.monotonic() - self._tick / 2
        leases = [lease for lease, since in list(self._held.items()) if since < old]
        if lost := await self._broker.extend(leases, self._lease_ms):
            # One that was settled meanwhile is not lost.
            lost = {lease for lease in lost if lease in self._held}
            self._worker_loop.call_soon_threadsafe(self._lost, await self._look_at(lost))

    async def _look_at(self, lost: set[Lease]) -> dict[Lease, JobRecord | None]:
        """Return what became of the jobs whose leases are lost; ``None`` of one that is gone."""
        now: dict[Lease, JobRecord | None] = {}
        for queue in {lease.queue for lease in lost}:
            leases = [lease for lease in lost if lease.queue == queue]
            jobs = await self._find(queue, [lease.id for lease in leases])
            found = {job.id: job for job in jobs}
            now |= {lease: found.get(lease.id) for lease in leases}
        return now

    async def _recover(self) -> None:
        for queue in self._queues:
            while ids := await self._broker.recover([queue], self._max_stalls, self._patience_ms):
                emit("jobs.recovered", queue=queue, ids=ids)
                dead = await self._find(queue, ids, State.FAILED)
                self._worker_loop.call_soon_threadsafe(self._buried, dead)

    async def _find(
        self, queue: str, ids: Sequence[str], state: State | None = None
    ) -> list[JobRecord]:
        """Return those of these jobs that are there: a call may bring a part of them."""
        jobs: list[JobRecord] = []
        after = None
        while True:
            select = Select(queue, tuple(ids), state, after=after, limit=len(ids))
            page = await self._broker.find(select)
            jobs += page.jobs
            if (after := page.next) is None:
                return jobs

    def _watch_loop(self) -> None:
        """Ping the worker's loop; say so once if it does not answer."""
        now = time.monotonic()
        if self._pinged_at is None:
            self._pinged_at = now
            self._worker_loop.call_soon_threadsafe(self._pong)
        elif now - self._pinged_at > BLOCKED_SECONDS and not self._warned:
            self._warned = True
            emit("loop.blocked", seconds=now - self._pinged_at, job=self._on_loop())

    def _pong(self) -> None:
        self._pinged_at = None
        self._warned = False
