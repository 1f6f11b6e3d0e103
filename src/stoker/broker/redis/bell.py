"""Waking those who wait for jobs of a queue: one blocked connection for all of a loop.

BullMQ's ``marker`` is a sorted set that gets a member when there may be something to do. Whoever
pops it looks. It is popped only while somebody here waits, and put back if nobody does any more:
a worker elsewhere may be free.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

from stoker.broker.redis.faults import CLIENT_FAULTS
from stoker.broker.redis.pipe import Pipe
from stoker.broker.redis.standby import Standby
from stoker.broker.redis.wire import Wire, Words

PAUSE_SECONDS = 1.0
"""How long it is not listened, at the most, after that failed."""


Ask = Callable[..., Awaitable[Any]]


class Bell:
    """Rings when the marker of one queue is popped.

    ``ask`` sends a command that waits in the server, ``ask_aside`` one that does not, on another
    connection. On ``wire``, where there is one, a claim can wait behind a pop.
    """

    def __init__(
        self,
        key: str,
        block_seconds: float,
        ask: Ask,
        ask_aside: Ask,
        wire: Wire | None = None,
    ) -> None:
        self._key = key
        self._block_seconds = block_seconds
        self._ask = ask
        self._ask_aside = ask_aside
        self._wire = wire
        self._waiting: set[Ringing] = set()
        self._listening: asyncio.Task[None] | None = None
        self._standby: Standby | None = None
        self._popped: Sequence[Any] | None = None
        """The marker, if it was popped when this last rang."""
        self._can_be_hastened = True
        """Until the server refuses it, which is for good."""
        self._is_sound = True
        """Not after a fault, until it was listened once without one."""

    def wake(self, ringing: Ringing) -> None:
        """Have ``ringing`` done when the bell rings."""
        self._waiting.add(ringing)
        self._listen_on()

    def leave(self, ringing: Ringing) -> None:
        """It is not waited for any more."""
        self._waiting.discard(ringing)

    def _ring(self, popped: Sequence[Any] | None) -> None:
        """Wake everyone."""
        self._popped = popped
        waiting, self._waiting = self._waiting, set()
        for ringing in waiting:
            if not ringing.done():
                ringing.set_result(self)

    @property
    def _is_awaited(self) -> bool:
        # One that another bell has woken may not have left here yet.
        return any(not ringing.done() for ringing in self._waiting)

    async def put_back(self) -> None:
        """Give the marker back that was popped when this rang: a worker elsewhere may be free."""
        if self._popped is not None:
            with contextlib.suppress(*CLIENT_FAULTS):
                await self._restore(self._popped)

    async def _restore(self, popped: Sequence[Any]) -> None:
        _, member, score = popped
        await self._ask_aside("ZADD", self._key, "NX", score, member)

    async def free(self, seconds: float) -> Pipe | None:
        """Return the connection on which a claim may stand by; ``None``: none may now.

        It is waited for so long at the most.
        """
        if self._wire is None or not self._may_stand_by:
            return None
        try:
            async with asyncio.timeout(seconds):
                pipe = await self._wire.pipe()
        except CLIENT_FAULTS:
            self._is_sound = False
            return None
        return pipe if self._may_stand_by else None  # as it is by now

    @property
    def _may_stand_by(self) -> bool:
        return self._can_be_hastened and self._is_sound and not self._is_heard

    def stand_by(self, pipe: Pipe, claim: Words, seconds: float) -> Standby:
        """Have a claim run when the bell rings, or after ``seconds``."""
        pop = ("BZPOPMIN", self._key, seconds)
        self._standby = Standby(pipe, pop, claim, self._ask_aside, self._has_stood_by)
        return self._standby

    def _has_stood_by(self, standby: Standby) -> None:
        self._standby = None
        self._can_be_hastened = standby.can_be_hastened
        self._is_sound = standby.has_listened
        if standby.popped:
            self._ring(standby.popped if standby.has_listened else None)
        self._listen_on()

    @property
    def _is_heard(self) -> bool:
        is_listening = self._listening is not None and not self._listening.done()
        return is_listening or self._standby is not None

    def _listen_on(self) -> None:
        if self._waiting and not self._is_heard:
            self._listening = asyncio.ensure_future(self._listen())

    async def _listen(self) -> None:
        while self._is_awaited:
            try:
                popped = await self._ask("BZPOPMIN", self._key, self._block_seconds)
                if popped and not self._is_awaited:
                    await self._restore(popped)
            except CLIENT_FAULTS:
                # Who waits looks for himself, and says what is wrong with the server.
                self._ring(None)
                # Not at once again: looking may work all the while, where this does not.
                await asyncio.sleep(random.uniform(0.5, 1.0) * PAUSE_SECONDS)
                continue
            self._is_sound = True
            if popped:
                self._ring(popped)

    async def close(self) -> None:
        """Stop listening, and wake everyone."""
        self._ring(None)
        if self._standby is not None:
            await self._standby.call_back()
        if self._listening is not None:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening
        if self._wire is not None:
            # What waits there would pop the marker for nobody.
            await self._wire.close()


Ringing = asyncio.Future[Bell | None]
"""Done with the bell that rang first, or without one when the time was up."""


@contextmanager
def first_ring(bells: Sequence[Bell], seconds: float) -> Generator[Ringing]:
    """Provide what is done when the first of the bells rings, or after ``seconds``."""
    loop = asyncio.get_running_loop()
    ringing: Ringing = loop.create_future()
    for bell in bells:
        bell.wake(ringing)
    # The server's own timer is up to a tenth of a second late.
    timer = loop.call_later(seconds, lambda: ringing.done() or ringing.set_result(None))
    try:
        yield ringing
    finally:
        timer.cancel()
        for bell in bells:
            bell.leave(ringing)
        ringing.cancel()
