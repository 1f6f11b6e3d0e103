"""What reaches a server: a connection that is opened when it is needed, and anew when it was lost.

It is used without what a client does around every command: a task to send it, hooks, the pool's
lock and its counters, a Python call for each word: more than the rest of a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any, TypeVar

from redis import exceptions as redis_errors

from stoker.broker.redis.answers import packed
from stoker.broker.redis.faults import CLOSED
from stoker.broker.redis.pipe import Pipe

CLOSED_HERE = "Connection closed"

T = TypeVar("T")
Words = Sequence[Any]
"""A command."""


class Wire:
    """Asks over a connection that one client makes, which must have no timeouts of its own.

    An answer, and the connection itself, is waited for ``seconds``.
    """

    def __init__(self, client: Any, seconds: float) -> None:
        self._pool = client.connection_pool
        self._seconds = seconds
        self._pipe: Pipe | None = None
        self._opening: asyncio.Task[Pipe] | None = None
        self._is_closed = False

    async def ask(self, *words: Any) -> Any:
        """Return what is answered; an error that the server answers with is raised.

        Whoever is cancelled meanwhile has sent the command, and it is carried out.
        """
        sent = packed(words)
        pipe = await self.pipe()
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        pipe.ask(sent, partial(_settle, answered))
        answer = await answered
        if isinstance(answer, Exception):
            raise answer from None
        return answer

    async def pipe(self) -> Pipe:
        """Return the connection, which takes more."""
        has_opened = False
        while not self._is_closed:
            if self._pipe is None or not self._pipe.takes_more:
                if has_opened:  # once is enough: what hangs up at once would do it again
                    raise redis_errors.ConnectionError(CLOSED)
                await self._until_opened()
                has_opened = True
            elif room := self._pipe.room:
                await asyncio.shield(room)
            else:
                return self._pipe
        raise redis_errors.ConnectionError(CLOSED_HERE)

    async def _until_opened(self) -> None:
        if self._opening is None:
            # A task of its own: whoever asked first may be cancelled, others wait as well.
            self._opening = asyncio.ensure_future(self._open())
            self._opening.add_done_callback(self._has_opened)
        opening = self._opening
        await asyncio.wait([opening])
        if opening.cancelled():
            raise redis_errors.ConnectionError(CLOSED_HERE)
        opening.result()

    async def _open(self) -> Pipe:
        connection = self._pool.make_connection()
        try:
            await in_time(connection.connect(), self._seconds)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return Pipe(connection, self._seconds)

    def _has_opened(self, opening: asyncio.Task[Pipe]) -> None:
        self._opening = None
        if not opening.cancelled() and opening.exception() is None:
            self._pipe = opening.result()

    async def close(self) -> None:
        """Disconnect for good; whoever waits or asks from now on is told."""
        self._is_closed = True
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        if self._pipe is not None:
            self._pipe.close()


def _settle(answered: asyncio.Future[Any], answer: Any) -> None:
    if not answered.done():
        answered.set_result(answer)


async def in_time(asking: Awaitable[T], seconds: float) -> T:
    """Return an answer, or raise what the client raises where none comes in time."""
    try:
        async with asyncio.timeout(seconds):
            return await asking
    except TimeoutError:
        raise redis_errors.TimeoutError("no answer in time") from None
