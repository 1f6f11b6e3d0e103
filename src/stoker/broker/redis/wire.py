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
        return await in_time(self._converse(sent, len(commands), heard), self._seconds)

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
            await self._pool.release(connection)
            raise
        self._idle.append(connection)
        return answers


async def in_time(asking: Awaitable[T], seconds: float) -> T:
    """Return an answer, or raise what the client raises where none comes in time."""
    try:
        async with asyncio.timeout(seconds):
            return await asking
    except TimeoutError:
        raise redis_errors.TimeoutError(f"no answer within {seconds:.0f} s") from None


async def _answer_on(connection: Any) -> Any:
    try:
        return await connection.read_response()
    except redis_errors.ResponseError as error:
        return error
