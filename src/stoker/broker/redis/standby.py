"""A claim that waits in the server, and runs there the moment a queue's marker is popped.

It is sent behind the pop on the same connection: the server turns to it as soon as the pop has
answered. A job so starts one way there and back sooner than if the pop were answered first. What
was sent cannot be taken back, only hastened: then it runs at once, and brings what there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from redis import exceptions as redis_errors

from stoker.broker.redis.faults import CLIENT_FAULTS
from stoker.broker.redis.wire import Wire, Words


class Brought(NamedTuple):
    """What came of it. Each may be an error that the server answered with."""

    popped: Any
    """The marker's member, or ``None`` where the time was up first."""
    claimed: Any


class Standby:
    """One claim. ``ask`` sends a command on another connection than the ``wire``'s."""

    def __init__(self, wire: Wire, ask: Callable[..., Awaitable[Any]]) -> None:
        self._wire = wire
        self._ask = ask
        self._connection: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()
        self._hastening: asyncio.Task[None] | None = None
        self.can_be_hastened = True
        """As far as is known: the server's user may not be allowed to."""

    async def run(self, key: str, seconds: float, claim: Words) -> Brought:
        """Pop from ``key``, for so long at the most, and claim. Raises what the client raises."""
        pop = ("BZPOPMIN", key, seconds)
        try:
            _, *brought = await self._wire.ask_all(("CLIENT", "ID"), pop, claim, heard=self._sent)
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

    def _sent(self, connection: Any) -> None:
        self.can_be_hastened = isinstance(connection, int)
        self._connection.set_result(connection)

    def hasten_soon(self) -> None:
        """Have it run as soon as can be, without waiting for it."""
        if not self.is_over:
            self._hastening = asyncio.ensure_future(self.hasten())

    async def hasten(self) -> None:
        """Have it run now, and wait until it has; where that cannot be had, until it has anyway."""
        await asyncio.wait([self._connection])
        if self.can_be_hastened and not self.is_over:
            try:
                await self._ask("CLIENT", "UNBLOCK", self._connection.result())
            except redis_errors.NoPermissionError:
                self.can_be_hastened = False
            except CLIENT_FAULTS:
                pass  # its own connection is likely to end as well
        await self._over.wait()
