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

from stoker.broker.redis.faults import CLOSED, is_of_a_replica

_NOTHING = object()
_PUSH: Any = getattr(hiredis, "PushNotification", ())
_MOVING = "MOVING"
"""What a managed server pushes before it goes."""

Deliver = Callable[[Any], None]
"""Is given an answer: what the server answered, or an error, its own or of the connection. It must
not raise."""


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
        self._heard_at = 0.0
        """When something came last."""
        self._room: asyncio.Future[None] | None = None
        self._is_left = False
        """No more is asked here; it is closed when all is answered."""
        self._transport.set_protocol(self)

    @property
    def takes_more(self) -> bool:
        """Whether more may be asked: not where it was lost, nor where the server is to be left."""
        return not self._is_left and not self._transport.is_closing()

    @property
    def room(self) -> asyncio.Future[None] | None:
        """What is done when more can be sent; ``None``: it can be."""
        return self._room

    def ask(self, sent: bytes, *delivers: Deliver) -> None:
        """Send commands; each answer is delivered in its turn, or why there is none."""
        until = self._loop.time() + self._seconds
        for deliver in delivers:
            self._asked.append((deliver, until))
        self._transport.write(sent)
        if self._watch is None:
            self._watch = self._loop.call_at(until, self._look)

    def close(self) -> None:
        """Disconnect; whoever waits is told."""
        self._fail(redis_errors.ConnectionError, "Connection closed")

    def _look(self) -> None:
        """See whether the oldest question is overdue."""
        self._watch = None
        if not self._asked:
            return
        _, until = self._asked[0]
        if self._reader.has_data():
            # The rest is on its way: the answer is large, or the loop was held up in between.
            until = max(until, self._heard_at + self._seconds)
        if until > self._loop.time():
            self._watch = self._loop.call_at(until, self._look)
        else:
            self._fail(redis_errors.TimeoutError, "no answer in time")

    def _deliver(self, deliver: Deliver, answer: Any) -> None:
        try:
            deliver(answer)
        except Exception as error:  # a mistake of ours: it must not cost others their answers
            told = {"message": "an answer could not be delivered", "exception": error}
            self._loop.call_exception_handler(told)

    def _fail(self, kind: type[Exception], why: str) -> None:
        """Tell all who wait, and disconnect."""
        self._is_left = True
        self._transport.abort()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self.resume_writing()
        asked, self._asked = self._asked, deque()
        for deliver, _ in asked:
            self._deliver(deliver, kind(why))

    # What the transport tells

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        self._reader.feed(data)
        while True:
            try:
                answer = self._reader.gets()
            except redis_errors.InvalidResponse as error:
                self._fail(redis_errors.ConnectionError, f"what answers is no Redis: {error}")
                return
            if answer is _NOTHING:
                break
            if isinstance(answer, _PUSH):
                if answer and answer[0] == _MOVING:
                    self._is_left = True
                continue
            if isinstance(answer, Exception) and is_of_a_replica(answer):
                # It was the primary, and another is now: that one is found by connecting anew.
                self._is_left = True
            if not self._asked:
                self._fail(redis_errors.ConnectionError, "an answer that nobody asked for")
                return
            deliver, _ = self._asked.popleft()
            self._deliver(deliver, answer)
        if self._is_left and not self._asked:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        number = getattr(exc, "errno", None)
        why = CLOSED if number is None else f"Error {number}: {exc}"
        self._fail(redis_errors.ConnectionError, why)
        self._former.connection_lost(exc)

    def pause_writing(self) -> None:
        self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)
