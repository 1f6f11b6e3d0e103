"""A claim that waits in the server, and runs there the moment a queue's marker is popped.

It is sent behind the pop on the same connection: the server turns to it as soon as the pop has
answered. A job so starts one way there and back sooner than if the pop were answered first. What
was sent cannot be taken back, only hastened: then it runs at once, and brings what there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from stoker.broker.redis.answers import packed
from stoker.broker.redis.faults import CLIENT_FAULTS, is_forbidden
from stoker.broker.redis.pipe import Pipe
from stoker.broker.redis.wire import Words

RECALL_SECONDS = 1.0
"""How long a claim that is called back is waited for. A server that is away answers nothing."""


class Standby:
    """One claim: sent when this is made, until it was answered. Whoever waits for it may leave.

    ``ask_aside`` sends a command on another connection; ``when_over`` is called at the end, before
    anybody has the answer.
    """

    def __init__(
        self,
        pipe: Pipe,
        pop: Words,
        claim: Words,
        ask_aside: Callable[..., Awaitable[Any]],
        when_over: Callable[[Standby], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._pipe = pipe
        self._ask_aside = ask_aside
        self._when_over = when_over
        self._number: asyncio.Future[int | None] = self._loop.create_future()
        self._hastening: asyncio.Task[None] | None = None
        self._waiting: set[asyncio.Future[None]] = set()
        self.can_be_hastened = True
        """As far as is known: the server's user may not be allowed to."""
        self.popped: Any = None
        """The marker's member, an error, or ``None`` where the time was up."""
        self._claimed: Any = None
        self.is_over = False
        """It has run, or never will."""
        # In one piece: the claim lies in the server, unread, for as long as the pop waits there.
        sent = b"".join(map(packed, (("CLIENT", "ID"), pop, claim)))
        pipe.ask(sent, self._is_numbered, self._has_popped, self._has_claimed)

    def _is_numbered(self, number: Any) -> None:
        self.can_be_hastened = not is_forbidden(number)
        self._number.set_result(number if isinstance(number, int) else None)

    def _has_popped(self, popped: Any) -> None:
        self.popped = popped

    def _has_claimed(self, claimed: Any) -> None:
        self._claimed = claimed
        self.is_over = True
        self._when_over(self)
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    @property
    def has_listened(self) -> bool:
        """The pop was answered, and not with an error."""
        return self.is_over and not isinstance(self.popped, Exception)

    @property
    def answer(self) -> Any:
        """What the claim answered; ``None``: nothing yet, or it could not be run."""
        return None if isinstance(self._claimed, Exception) else self._claimed

    async def over(self) -> None:
        """Wait until it is."""
        if not self.is_over:
            waiting: asyncio.Future[None] = self._loop.create_future()
            self._waiting.add(waiting)
            try:
                await waiting
            finally:
                self._waiting.discard(waiting)

    def hasten(self) -> None:
        """Have it run as soon as can be."""
        under_way = self._hastening is not None and not self._hastening.cancelled()
        if not self.is_over and not under_way:
            self._hastening = asyncio.ensure_future(self._unblock())

    async def _unblock(self) -> None:
        # Shielded: this task may be cancelled, and others still have to be told the number.
        number = await asyncio.shield(self._number)
        if self.is_over or number is None:
            return
        try:
            await self._ask_aside("CLIENT", "UNBLOCK", number)
        except CLIENT_FAULTS as error:
            # Else it passes: its own connection is likely to end as well, or the server is busy.
            self.can_be_hastened = not is_forbidden(error)

    async def call_back(self) -> None:
        """Have it run, and wait until it has. Where that takes too long, it is given up.

        What it brings then comes back with the end of its lease.
        """
        self.hasten()
        try:
            async with asyncio.timeout(RECALL_SECONDS):
                await self.over()
        except TimeoutError:
            self._pipe.close()
