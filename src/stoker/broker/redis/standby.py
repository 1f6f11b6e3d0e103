"""A claim that waits in the server, and runs there the moment a queue's marker is popped.

It is sent behind the pop on the same connection: the server turns to it as soon as the pop has
answered. A job so starts one way there and back sooner than if the pop were answered first. What
was sent cannot be taken back, only hastened: then it runs at once, and brings what there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from redis import exceptions as redis_errors

from stoker.broker.redis.faults import CLIENT_FAULTS
from stoker.broker.redis.wire import Wire, Words

RECALL_SECONDS = 1.0
"""How long a claim that is called back is waited for. A server that is away answers nothing."""


class Standby:
    """One claim, from when it is to be sent. Whoever waits for it may leave: it has its own task.

    That ends when both have been answered, or the connection is cut off, or given up by
    ``call_back``, and with its loop. ``ask`` sends a command on another connection.
    """

    def __init__(
        self, wire: Wire, ask: Callable[..., Awaitable[Any]], pop: Words, claim: Words
    ) -> None:
        self._ask = ask
        self._connection: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._hastening: asyncio.Task[None] | None = None
        self._is_given_up = False
        self.can_be_hastened = True
        """As far as is known: the server's user may not be allowed to."""
        self.popped: Any = None
        """The marker's member, an error, or ``None`` where the time was up or no answer came."""
        self._claimed: Any = None
        self.has_listened = False
        """The pop was answered, and not with an error."""
        self._task = asyncio.ensure_future(self._run(wire, pop, claim))

    async def _run(self, wire: Wire, pop: Words, claim: Words) -> None:
        try:
            _, self.popped, self._claimed = await wire.ask_all(
                ("CLIENT", "ID"), pop, claim, heard=self._sent
            )
            self.has_listened = not isinstance(self.popped, Exception)
        except CLIENT_FAULTS:
            pass  # whoever waits claims once more then, and is told why
        except asyncio.CancelledError:
            if not self._is_given_up:
                raise

    def _sent(self, connection: Any) -> None:
        self.can_be_hastened = isinstance(connection, int)
        self._connection.set_result(connection)

    @property
    def is_over(self) -> bool:
        """It has run, or never will."""
        return self._task.done()

    def when_over(self, do: Callable[[Standby], None]) -> None:
        """Have something done at the end, before anybody has the answer."""
        self._task.add_done_callback(lambda _: do(self))

    async def answer(self) -> Any:
        """Return what the claim answered, once it is over; ``None``: it could not be run."""
        await self._task
        return None if isinstance(self._claimed, Exception) else self._claimed

    def hasten(self) -> None:
        """Have it run as soon as can be."""
        if not self.is_over and self._hastening is None:
            self._hastening = asyncio.ensure_future(self._unblock())

    async def _unblock(self) -> None:
        await asyncio.wait([self._connection, self._task], return_when=asyncio.FIRST_COMPLETED)
        if self.is_over or not self.can_be_hastened:
            return
        try:
            await self._ask("CLIENT", "UNBLOCK", self._connection.result())
        except redis_errors.ResponseError:
            self.can_be_hastened = False
        except CLIENT_FAULTS:
            pass  # its own connection is likely to end as well

    async def call_back(self) -> None:
        """Have it run, and wait until it has. Where that takes too long, it is given up.

        What it brings then comes back with the end of its lease.
        """
        self.hasten()
        await asyncio.wait([self._task], timeout=RECALL_SECONDS)
        if not self.is_over:
            self._is_given_up = True
            self._task.cancel()
            await asyncio.wait([self._task])
