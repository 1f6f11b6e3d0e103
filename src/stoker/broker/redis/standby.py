"""A claim that waits in the server, and runs there the moment a queue's marker is popped.

It is sent behind the pop on the same connection: the server turns to it as soon as the pop has
answered. A job so starts one way there and back sooner than if the pop were answered first. What
was sent cannot be taken back, only hastened: then it runs at once, and brings what there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from redis import exceptions as redis_errors

from stoker.broker.redis.answers import packed
from stoker.broker.redis.faults import CLIENT_FAULTS


class Brought(NamedTuple):
    """What came of it. Each may be an error that the server answered with."""

    popped: Any
    """The marker's member, or ``None`` where the time was up first."""
    claimed: Any


class Standby:
    """One claim. ``ask`` sends a command on another connection than ``client``'s."""

    def __init__(self, client: Any, ask: Callable[..., Awaitable[Any]]) -> None:
        self._client = client
        self._ask = ask
        self._connection_id: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()
        self._hastening: asyncio.Task[None] | None = None
        self.can_be_hastened = True
        """As far as is known: the server's user may not be allowed to."""

    async def run(self, key: str, seconds: float, claim: Sequence[Any]) -> Brought:
        """Pop from ``key``, for so long at the most, and claim. Raises what the client raises."""
        words = (("CLIENT", "ID"), ("BZPOPMIN", key, seconds), claim)
        try:
            return await self._sent(b"".join(map(packed, words)))
        finally:
            self._over.set()
            self._connection_id.cancel()

    async def _sent(self, commands: bytes) -> Brought:
        pool = self._client.connection_pool
        connection = await pool.get_connection()
        try:
            await connection.send_packed_command(commands)
            number = await _answer_on(connection)
            self.can_be_hastened = isinstance(number, int)
            self._connection_id.set_result(number)
            return Brought(await _answer_on(connection), await _answer_on(connection))
        finally:
            await pool.release(connection)

    def hasten_soon(self) -> None:
        """Have it run as soon as can be, without waiting for it."""
        if not self._over.is_set():
            self._hastening = asyncio.ensure_future(self.hasten())

    async def hasten(self) -> None:
        """Have it run now, and wait until it has; where that cannot be had, until it has anyway."""
        await asyncio.wait([self._connection_id])
        if self.can_be_hastened and not self._over.is_set():
            try:
                await self._ask("CLIENT", "UNBLOCK", self._connection_id.result())
            except redis_errors.NoPermissionError:
                self.can_be_hastened = False
            except CLIENT_FAULTS:
                pass  # its own connection is likely to end as well
        await self._over.wait()


async def _answer_on(connection: Any) -> Any:
    try:
        return await connection.read_response()
    except redis_errors.ResponseError as error:
        return error
