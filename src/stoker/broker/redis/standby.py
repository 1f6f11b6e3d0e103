"""A claim that waits in the server, and runs there the moment a queue's marker is popped.

It is sent behind the pop on the same connection: the server turns to it as soon as the pop has
answered. A job so starts one way there and back sooner than if the pop were answered first. What
was sent cannot be taken back, only hastened: then it runs at once, and brings what there is.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from redis import exceptions as redis_errors

from stoker.broker.redis.faults import CLIENT_FAULTS
from stoker.broker.redis.wire import Wire, Words

RECALL_SECONDS = 1.0
"""How long a claim that is called back is waited for. A server that is away answers nothing."""


class Brought(NamedTuple):
    """What came of it. Each may be an error that the server answered with."""

    popped: Any
    """The marker's member, or ``None`` where the time was up first."""
    claimed: Any


class Standby:
    """One claim. ``ask`` sends a command on another connection than the ``wire``'s."""

    def __init__(self, wire: Wire, ask: Callable[..., Awaitable[Any]], seconds: float) -> None:
        self._wire = wire
        self._ask = ask
        self._limit = asyncio.timeout(seconds)
        self._connection: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()
        self._hastening: asyncio.Task[None] | None = None
        self.can_be_hastened = True
        """As far as is known: the server's user may not be allowed to."""

    async def run(self, key: str, seconds: float, claim: Words) -> Brought:
        """Pop from ``key``, for so long at the most, and claim. Raises what the client raises."""
        pop = ("BZPOPMIN", key, seconds)
        try:
            _, *brought = await self._wire.ask_all(
                ("CLIENT", "ID"), pop, claim, heard=self._sent, limit=self._limit
            )
            return Brought(*brought)
        finally:
            self.end()

    @property
    def is_over(self) -> bool:
        """It has run, or never will."""
        return self._over.is_set()

    def end(self) -> None:
        """Let nobody wait for it any more."""
        self._over.set()
        self._connection.cancel()

    def hasten(self) -> None:
        """Have it run as soon as can be."""
        if not self.is_over and self._hastening is None:
            self._hastening = asyncio.ensure_future(self._unblock())

    async def call_back(self) -> None:
        """Have it run, and wait until it has. Where that takes too long, it is given up.

        What it brings then comes back with the end of its lease.
        """
        self.hasten()
        try:
            async with asyncio.timeout(RECALL_SECONDS):
                await self._over.wait()
        except TimeoutError:
            with contextlib.suppress(RuntimeError):  # it ends in this moment
                self._limit.reschedule(asyncio.get_running_loop().time())
            await self._over.wait()

    def _sent(self, connection: Any) -> None:
        self.can_be_hastened = isinstance(connection, int)
        self._connection.set_result(connection)

    async def _unblock(self) -> None:
        await asyncio.wait([self._connection])
        if not self.can_be_hastened or self.is_over:
            return
        try:
            await self._ask("CLIENT", "UNBLOCK", self._connection.result())
        except redis_errors.ResponseError:
            self.can_be_hastened = False
        except CLIENT_FAULTS:
            pass  # its own connection is likely to end as well
