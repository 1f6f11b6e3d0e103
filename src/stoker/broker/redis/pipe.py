"""One connection: commands go out at once, answers come back in their order.

A client connects it, logs in, and finds the primary. Its own streams are not used: they would put
two turns of the loop and a hundred calls between a command and its answer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import hiredis
from redis import exceptions as redis_errors

_NOTHING = object()
_PUSH: Any = getattr(hiredis, "PushNotification", ())
_MOVING = "MOVING"
"""What a managed server pushes before it goes."""

Deliver = Callable[[Any], None]
"""Is given an answer: what the server answered, or an error, its own or of the connection."""


class Pipe(asyncio.Protocol):
    """Takes over the transport of a client's connection that has logged in.

    An answer is waited for ``seconds``; then the connection is given up as dead.
    """

    def __init__(self, connection: Any, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        # Kept for as long as the transport: a writer that nobody has closes it, and so would the
        # connection that had it.
        self._writer: asyncio.StreamWriter = connection._writer
        connection._reader = connection._writer = None
        self._transport = cast(asyncio.Transport, self._writer.transport)
        self._former = self._transport.get_protocol()
        self._reader = hiredis.Reader(
            protocolError=redis_errors.InvalidResponse,
            replyError=connection._parser.parse_error,
            encoding="utf-8",
            errors="surrogateescape",
            notEnoughData=_NOTHING,
        )
        self._asked: deque[tuple[Deliver, float]] = deque()
        self._watch: asyncio.TimerHandle | None = None
        self._room: asyncio.Future[None] | None = None
        self.is_open = True
        """Whether more may be asked. Not when it was lost, nor when the server is to be left."""
        self._transport.set_protocol(self)

    def ask(self, sent: bytes, *delivers: Deliver) -> None:
        """Send commands; each answer is delivered, or why there is none, also in this very call."""
        until = self._loop.time() + self._seconds
        for deliver in delivers:
            self._asked.append((deliver, until))
        self._transport.write(sent)
        if self._watch is None:
            self._watch = self._loop.call_at(until, self._look)

    @property
    def held(self) -> int:
        """How many bytes are still to be sent."""
        return self._transport.get_write_buffer_size()

    @property
    def room(self) -> asyncio.Future[None] | None:
        """What is done when more can be sent; ``None``: it can be."""
        return self._room

    def close(self) -> None:
        """Disconnect; whoever waits is told."""
        self._lose(redis_errors.ConnectionError, "Connection closed")

    def _look(self) -> None:
        """See whether the oldest question is overdue."""
        self._watch = None
        if not self._asked:
            return
        _, until = self._asked[0]
        if until <= self._loop.time():
            self._lose(redis_errors.TimeoutError, "no answer in time")
        else:
            self._watch = self._loop.call_at(until, self._look)

    def _leave(self) -> None:
        """Ask no more here, and disconnect when all is answered."""
        self.is_open = False
        if not self._asked:
            self._transport.close()

    def _lose(self, kind: type[Exception], why: str) -> None:
        self.is_open = False
        self._transport.abort()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self.resume_writing()
        asked, self._asked = self._asked, deque()
        for deliver, _ in asked:
            deliver(kind(why))

    # What the transport tells

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (answer := self._reader.gets()) is not _NOTHING:
                if isinstance(answer, _PUSH):
                    if answer and answer[0] == _MOVING:
                        self.is_open = False
                    continue
                if isinstance(answer, redis_errors.ReadOnlyError):
                    # It was the primary, and another is now: that one is found by connecting anew.
                    self.is_open = False
                deliver, _ = self._asked.popleft()
                deliver(answer)
        except (redis_errors.InvalidResponse, IndexError) as error:
            self._lose(redis_errors.ConnectionError, f"what answers is no Redis: {error}")
        if not self.is_open:
            self._leave()

    def connection_lost(self, exc: Exception | None) -> None:
        number = getattr(exc, "errno", None)
        why = "Connection closed by server." if number is None else f"Error {number}: {exc}"
        self._lose(redis_errors.ConnectionError, why)
        self._former.connection_lost(exc)

    def pause_writing(self) -> None:
        self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)
