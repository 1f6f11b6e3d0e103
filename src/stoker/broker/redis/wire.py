"""A client's connections, used without what the client does around every command.

That is a task to send it, hooks, the pool's lock and its counters, a Python call for each word:
more than the rest of a call. The client is still what connects, logs in, and finds the primary.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from redis import exceptions as redis_errors

from stoker.broker.redis.answers import packed
from stoker.broker.redis.faults import CLIENT_FAULTS

T = TypeVar("T")
Words = Sequence[Any]
"""A command."""


class Wire:
    """Asks over connections of one client, which must have no timeouts of its own."""

    def __init__(self, client: Any, seconds: float) -> None:
        self._pool = client.connection_pool
        self._seconds = seconds
        self._idle: list[Any] = []

    async def ask(self, *words: Any) -> Any:
        """Return what is answered; an error that the server answers with is raised."""
        [given] = await self.ask_all(words)
        if isinstance(given, Exception):
            raise given from None
        return given

    async def ask_all(
        self, *commands: Words, heard: Callable[[Any], None] | None = None
    ) -> list[Any]:
        """Send commands at once and return the answers, of which each may be an error.

        ``heard`` is called with the first while the others are still waited for.
        """
        sent = b"".join(map(packed, commands))
        conversation = self._converse(sent, len(commands), heard)
        try:
            return await in_time(conversation, self._seconds)
        except CLIENT_FAULTS:
            # What has happened to this one may have happened to all: each that is kept would fail
            # a call, after its time.
            await self._let_go_idle()
            raise

    async def _converse(
        self, sent: bytes, count: int, heard: Callable[[Any], None] | None
    ) -> list[Any]:
        connection = self._idle.pop() if self._idle else await self._pool.get_connection()
        answers: list[Any] = []
        try:
            await self._pool.ensure_connection(connection)
            await connection.send_packed_command(sent)
            while len(answers) < count:
                answers.append(await _answer_on(connection))
                if heard is not None and len(answers) == 1:
                    heard(answers[0])
        except BaseException:
            await self._drop(connection)
            raise
        if _is_to_move(connection):
            await self._drop(connection)
        else:
            self._idle.append(connection)
        return answers

    async def _let_go_idle(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            await self._drop(connection)

    async def _drop(self, connection: Any) -> None:
        # Disconnected: there may be answers on their way that nobody waits for.
        await connection.disconnect(nowait=True)
        await self._pool.release(connection)


async def in_time(asking: Awaitable[T], seconds: float) -> T:
    """Return an answer, or raise what the client raises where none comes in time."""
    try:
        async with asyncio.timeout(seconds):
            return await asking
    except TimeoutError:
        raise redis_errors.TimeoutError("no answer in time") from None


def _is_to_move(connection: Any) -> bool:
    """Whether the server has announced that it will go, where the client listens for that."""
    asks = getattr(connection, "should_reconnect", None)
    return asks is not None and asks()


async def _answer_on(connection: Any) -> Any:
    try:
        return await connection.read_response()
    except redis_errors.ResponseError as error:
        return error
