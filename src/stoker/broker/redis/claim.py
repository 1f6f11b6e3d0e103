"""Claim jobs: at once, or as soon as there may be some."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Collection, Coroutine, Sequence
from typing import Any, NamedTuple

from stoker.broker.base import Want, system_clock
from stoker.broker.redis import claimed, scripts
from stoker.broker.redis.arrivals import Arrivals
from stoker.broker.redis.bell import Bell, first_ring
from stoker.broker.redis.calls import Call
from stoker.broker.redis.claimed import Claimed
from stoker.broker.redis.connection import BLOCK_SECONDS
from stoker.broker.redis.detached import Detached
from stoker.broker.redis.finish import Settler
from stoker.broker.redis.pipe import Pipe
from stoker.broker.redis.server import Server
from stoker.broker.redis.standby import Standby
from stoker.job.model import JobRecord, lease_of
from stoker.job.outcome import Released

SHORTEST_SECONDS = 0.001
"""For less than this an old server would wait for ever."""
LOOK_SECONDS = 0.1
"""For so long after a settlement found nothing to claim, nobody who can wait looks once more."""


class Look(NamedTuple):
    """A settlement's claim that found nothing."""

    queues: Collection[str]
    due: int | None
    """When the next job may be there, as far as it is known."""
    until: float
    """When it counts no longer, on the monotonic clock."""


class Claimer:
    """Claims for all workers of a broker."""

    def __init__(self, server: Server, settler: Settler) -> None:
        self._server = server
        self._settler = settler
        self._arrivals = Arrivals(server, settler)
        self._server_ahead_ms = 0
        """How far the server's clock was ahead of ours when it was last claimed."""
        self._looked: Look | None = None
        self._detached = Detached()

    async def claim(self, want: Want, timeout: float) -> list[JobRecord]:
        """Return the jobs to run, having waited so many seconds for the first."""
        deadline = time.monotonic() + timeout
        brought = self._just_looked(want) if timeout > 0 else None
        if brought is None:
            brought = await self._unharmed(self._take(want))
        while not brought.jobs:
            due, now = brought.due, self._server.clock()
            if due is not None and due <= now:
                # A script does so much at once: there is more to be looked at.
                brought = await self._unharmed(self._take(want))
            elif (left := deadline - time.monotonic()) > 0:
                until_due = BLOCK_SECONDS if due is None else (due - now) / 1_000
                brought = await self._wait(want, min(left, BLOCK_SECONDS, until_due))
            else:
                break
        return brought.jobs

    async def settled(self, want: Want, brought: Claimed) -> list[JobRecord]:
        """Return the jobs to run of those that a settlement brought.

        If none came, whoever claims next need not ask for them, and waits: what comes from then on
        rings a bell. Where jobs come one at a time this is a script less for each.
        """
        if not (brought.jobs or brought.doomed):
            queues = [queue for queue, most in want.queues.items() if most > 0]
            self._looked = Look(queues, brought.due, time.monotonic() + LOOK_SECONDS)
        return (await self._arrivals.see_to(brought)).jobs

    def _just_looked(self, want: Want) -> Claimed | None:
        """Return what was found a moment ago, if that was nothing, in all that is wanted now."""
        looked, self._looked = self._looked, None
        if looked is None or time.monotonic() > looked.until:
            return None
        if any(most > 0 and queue not in looked.queues for queue, most in want.queues.items()):
            return None
        return Claimed([], [], [], self._server.clock(), looked.due)

    async def _take(self, want: Want) -> Claimed:
        call = self._server.new_call()
        call.want(want)
        answer = await self._server.run("claim", call)
        return await self._arrivals.see_to(self._read(call, want, answer))

    def _read(self, call: Call, want: Want, answer: Any) -> Claimed:
        given, call.now, self._server_ahead_ms = answer
        return claimed.read(call, want.worker, given)

    async def _wait(self, want: Want, seconds: float) -> Claimed:
        """Wait until there may be something to claim, and claim."""
        async with self._server.line() as line:
            queues = [queue for queue, most in want.queues.items() if most > 0]
            bells = [line.bell(queue, want.worker) for queue in queues]
        until = time.monotonic() + seconds
        pipe = await bells[0].free(seconds) if bells else None
        left = max(until - time.monotonic(), SHORTEST_SECONDS)
        if pipe is not None:
            return await self._stand_by(bells, pipe, want, left)
        with first_ring(bells, left) as ringing:
            try:
                await ringing
            except asyncio.CancelledError:
                if ringing.done() and (bell := ringing.result()) is not None:
                    self._detached.begin(bell.put_back())  # it rang in this very turn of the loop
                raise
        return await self._unharmed(self._take(want))

    async def _stand_by(
        self, bells: Sequence[Bell], pipe: Pipe, want: Want, seconds: float
    ) -> Claimed:
        """Claim in the server when the first bell rings there, or as soon as another does."""
        first, *others = bells
        call = self._call_later(want)
        words = scripts.words("claim", call.keys, call.args)
        standby = first.stand_by(pipe, words, seconds)
        with first_ring(others, seconds) as ringing:
            ringing.add_done_callback(lambda _: standby.hasten())
            try:
                await standby.over()
            except asyncio.CancelledError:
                await self._detached.to_the_end(self._called_back(standby, call, want))
                raise
            rung = ringing.result() if ringing.done() else None
        if standby.answer is None:
            now = self._server.clock()
            return Claimed([], [], [], now, now)  # it is time to look
        brought = self._read(call, want, standby.answer)
        if rung is not None and brought.jobs:
            # It may have rung behind the claim, which is not looked for again before there is room.
            self._detached.begin(rung.put_back())
        elif rung is not None:
            brought = brought._replace(due=brought.at)  # as before, but there is room: look again
        if brought.born or brought.doomed:
            return await self._unharmed(self._arrivals.see_to(brought))
        return brought  # at once: a task would cost two turns of the loop

    def _call_later(self, want: Want) -> Call:
        call = self._server.new_call()
        call.want(want)
        if self._server.clock is system_clock:
            call.later(self._server_ahead_ms)
        return call

    async def _called_back(self, standby: Standby, call: Call, want: Want) -> None:
        await standby.call_back()
        if standby.answer is not None:
            await self._hand_back(self._arrivals.see_to(self._read(call, want, standby.answer)))

    async def _unharmed(self, claiming: Coroutine[Any, Any, Claimed]) -> Claimed:
        """Claim to the end though the caller is cancelled meanwhile, and then hand back."""
        task = self._detached.begin(claiming)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await self._detached.to_the_end(self._hand_back(task))
            raise

    async def _hand_back(self, claiming: Awaitable[Claimed]) -> None:
        brought = await claiming
        if brought.jobs:
            await self._settler.settle([Released(lease_of(job)) for job in brought.jobs])
