"""Waking those who wait for jobs of a queue: one blocked connection for all of a loop.

BullMQ's ``marker`` is a sorted set that gets a member when there may be something to do. Whoever
pops it looks. It is popped only while somebody here waits, and put back if nobody does any more:
a worker elsewhere may be free.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Any

from stoker.broker.redis.answers import answer
from stoker.broker.redis.faults import CLIENT_FAULTS

PAUSE_SECONDS = 1.0
"""How long it is not listened, at the most, after that failed."""


class Bell:
    """Rings when the marker of one queue is popped."""

    def __init__(self, client: Any, key: str, block_seconds: float) -> None:
        self.client = client
        self._key = key
        self._block_seconds = block_seconds
        self._waiting: set[asyncio.Future[None]] = set()
        self._listening: asyncio.Task[None] | None = None

    def wake(self, ringing: asyncio.Future[None]) -> None:
        """Have ``ringing`` done when the bell rings; cancel it when it is not waited for."""
        self._waiting.add(ringing)
        ringing.add_done_callback(self._waiting.discard)
        if self._listening is None or self._listening.done():
            self._listening = asyncio.ensure_future(self._listen())

    def ring(self) -> None:
        """Wake everyone."""
        for ringing in list(self._waiting):
            if not ringing.done():
                ringing.set_result(None)

    async def _listen(self) -> None:
        while self._waiting:
            try:
                popped = await answer(self.client, "BZPOPMIN", self._key, self._block_seconds)
                if popped and not self._waiting:
                    _, member, score = popped
                    await answer(self.client, "ZADD", self._key, "NX", score, member)
            except CLIENT_FAULTS:
                # Who waits looks for himself, and says what is wrong with the server.
                self.ring()
                # Not at once again: looking may work all the while, where this does not.
                await asyncio.sleep(random.uniform(0.5, 1.0) * PAUSE_SECONDS)
                continue
            if popped:
                self.ring()

    async def close(self) -> None:
        """Stop listening, and wake everyone; the client is the caller's to close."""
        self.ring()
        if self._listening is not None:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening
