"""Claim jobs: at once, or as soon as there may be some."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Collection, Coroutine, Sequence
from typing import Any, NamedTuple, TypeVar

from stoker.broker.base import Want, system_clock
from stoker.broker.redis import claimed, schedulers, scripts
from stoker.broker.redis.bell import Bell, first_ring
from stoker.broker.redis.calls import Call
from stoker.broker.redis.claimed import Born, Claimed
from stoker.broker.redis.connection import BLOCK_SECONDS
from stoker.broker.redis.finish import Settler
from stoker.broker.redis.pipe import Pipe
from stoker.broker.redis.server import Server
from stoker.broker.redis.standby import Standby
from stoker.errors import BrokerCorrupt, BrokerError
from stoker.failure import Failure
from stoker.job.model import JobRecord, Keep, lease_of
from stoker.job.outcome import Failed, Released

T = TypeVar("T")

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
    """Claims for all workers of a broker, and sees to what was claimed."""

    def __init__(self, server: Server, settler: Settler) -> None:
        self._server = server
        self._settler = settler
        self._server_ahead_ms = 0
        """How far the server's clock was ahead of ours when it was last claimed."""
        self._looked: Look | None = None
        self._under_way: set[asyncio.Task[Any]] = set()

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
        return (await self.see_to(brought)).jobs

    def _just_looked(self, want: Want) -> Claimed | None:
        """Return what was found a moment ago, if that was nothing, in all that is wanted now."""
        looked, self._looked = self._looked, None
        if looked is None or time.monotonic() > looked.until:
            return None
        if any(most > 0 and queue not in looked.queues for queue, most in want.queues.items()):
            return None
        return Claimed([], [], [], self._server.clock(), looked.due)

    async def see_to(self, brought: Claimed) -> Claimed:
        """Arm schedulers and end what is doomed; what was brought is to be run then.

        Does not fail: what else was claimed has to be run, and what was settled before is settled.
        A job whose scheduler cannot be reached now is left until its lease runs out: it is claimed
        again then, and its scheduler armed.
        """
        for born in brought.born:
            try:
                await self._arm(born, brought.at)
            except BrokerError as error:
                self._leave_out(brought, born, error)
        if brought.doomed:
            with contextlib.suppress(BrokerError):  # these, too, are claimed again
                await self._settler.settle(brought.doomed)
                await self._settler.refund(brought.doomed)
        return brought

    def _leave_out(self, brought: Claimed, born: Born, error: BrokerError) -> None:
        for job in [job for job in brought.jobs if (job.queue, job.id) == (born.queue, born.id)]:
            brought.jobs.remove(job)
            if isinstance(error, BrokerCorrupt):  # it would be so each time
                why = f"its scheduler {born.scheduler!r} cannot go on: {error.message}"
                brought.doomed.append(Failed(lease_of(job), Failure("unrecoverable", why), Keep()))

    async def _arm(self, born: Born, at: int) -> None:
        following = schedulers.following(born, at)
        if following is not None:
            call = self._server.new_call()
            call.place(born.queue)
            call.add(born.scheduler, born.id, following.due, following.opts)
            await self._server.run("schedule", call)

    async def _take(self, want: Want) -> Claimed:
        call = self._server.new_call()
        call.want(want)
        answer = await self._server.run("claim", call)
        return await self.see_to(self._read(call, want, answer))

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
                    self._begin(bell.put_back())  # it rang in this very turn of the loop
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
                await self._to_the_end(self._called_back(standby, call, want))
                raise
            rung = ringing.result() if ringing.done() else None
        if standby.answer is None:
            now = self._server.clock()
            return Claimed([], [], [], now, now)  # it is time to look
        brought = self._read(call, want, standby.answer)
        if rung is not None and brought.jobs:
            # It may have rung behind the claim, which is not looked for again before there is room.
            self._begin(rung.put_back())
        elif rung is not None:
            brought = brought._replace(due=brought.at)  # as before, but there is room: look again
        if brought.born or brought.doomed:
            return await self._unharmed(self.see_to(brought))
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
            await self._hand_back(self.see_to(self._read(call, want, standby.answer)))

    async def _unharmed(self, claiming: Coroutine[Any, Any, Claimed]) -> Claimed:
        """Claim to the end though the caller is cancelled meanwhile, and then hand back."""
        task = self._begin(claiming)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await self._to_the_end(self._hand_back(task))
            raise

    async def _hand_back(self, claiming: Awaitable[Claimed]) -> None:
        brought = await claiming
        if brought.jobs:
            await self._settler.settle([Released(lease_of(job)) for job in brought.jobs])

    async def _to_the_end(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait for what goes on though whoever waits for it is cancelled once more."""

        async def whole() -> None:
            with contextlib.suppress(BrokerError):
                await work

        await asyncio.shield(self._begin(whole()))

    def _begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.ensure_future(work)
        self._under_way.add(task)  # the loop itself would not hold on to it
        task.add_done_callback(self._under_way.discard)
        return task
