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

    ``ask`` sends a command that waits in the server. On ``wire``, where there is one, a claim can
    wait behind a pop; ``hasten`` sends what calls it back, on another.
    """

    def __init__(
        self,
        key: str,
        block_seconds: float,
        ask: Ask,
        wire: Wire | None = None,
        hasten: Ask | None = None,
    ) -> None:
        self._key = key
        self._block_seconds = block_seconds
        self._ask = ask
        self._wire = wire
        self._hasten = hasten or ask
        self._waiting: set[asyncio.Future[None]] = set()
        self._listening: asyncio.Task[None] | None = None
        self._standby: Standby | None = None
        self._can_be_hastened = True
        self._may_stand_by = True
        """Not after a fault, until it was listened once without one."""

    def wake(self, ringing: asyncio.Future[None]) -> None:
        """Have ``ringing`` done when the bell rings; cancel it when it is not waited for."""
        self._waiting.add(ringing)
        ringing.add_done_callback(self._waiting.discard)
        self._listen_on()

    def ring(self) -> None:
        """Wake everyone."""
        for ringing in list(self._waiting):
            if not ringing.done():
                ringing.set_result(None)

    async def free(self) -> Pipe | None:
        """Return the connection on which a claim may stand by; ``None``: none may now."""
        if self._wire is None or not self._may_stand_by or self._is_heard:
            return None
        try:
            pipe = await self._wire.pipe()
        except CLIENT_FAULTS:
            self._may_stand_by = False
            return None
        return None if self._is_heard else pipe  # since

    def stand_by(self, pipe: Pipe, claim: Words, seconds: float) -> Standby:
        """Have a claim run when the bell rings, or after ``seconds``."""
        pop = ("BZPOPMIN", self._key, seconds)
        self._standby = Standby(pipe, pop, claim, self._hasten, self._has_stood_by)
        return self._standby

    def _has_stood_by(self, standby: Standby) -> None:
        self._standby = None
        self._can_be_hastened = standby.can_be_hastened
        self._may_stand_by = standby.has_listened and standby.can_be_hastened
        if standby.popped:
            self.ring()
        self._listen_on()

    @property
    def _is_heard(self) -> bool:
        is_listening = self._listening is not None and not self._listening.done()
        return is_listening or self._standby is not None

    def _listen_on(self) -> None:
        if self._waiting and not self._is_heard:
            self._listening = asyncio.ensure_future(self._listen())

    async def _listen(self) -> None:
        while self._waiting:
            try:
                popped = await self._ask("BZPOPMIN", self._key, self._block_seconds)
                if popped and not self._waiting:
                    _, member, score = popped
                    await self._ask("ZADD", self._key, "NX", score, member)
            except CLIENT_FAULTS:
                # Who waits looks for himself, and says what is wrong with the server.
                self.ring()
                # Not at once again: looking may work all the while, where this does not.
                await asyncio.sleep(random.uniform(0.5, 1.0) * PAUSE_SECONDS)
                continue
            self._may_stand_by = self._can_be_hastened
            if popped:
                self.ring()

    async def close(self) -> None:
        """Stop listening, and wake everyone."""
        self.ring()
        if self._standby is not None:
            await self._standby.call_back()
        if self._listening is not None:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening
        if self._wire is not None:
            # What waits there would pop the marker for nobody.
            await self._wire.close()


@contextmanager
def first_ring(bells: Sequence[Bell], seconds: float) -> Generator[asyncio.Future[None]]:
    """Provide what is done when the first of the bells rings, or after ``seconds``."""
    loop = asyncio.get_running_loop()
    ringing: asyncio.Future[None] = loop.create_future()
    for bell in bells:
        bell.wake(ringing)
    # The server's own timer is up to a tenth of a second late.
    timer = loop.call_later(seconds, lambda: ringing.done() or ringing.set_result(None))
    try:
        yield ringing
    finally:
        timer.cancel()
        ringing.cancel()
