"""One call on its way through a lane, and the answering of many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from typing import Any, Generic, TypeVar

import apsw

from stoker.broker.sqlite.transaction import Transaction

T = TypeVar("T")
Read = Callable[[apsw.Connection, int], T]
"""Looks, without a transaction; gets the time."""
Write = Callable[[Transaction], T]
"""Changes something. May be run twice: if its group fails, each member is tried alone."""


class Synced(IntEnum):
    """When the disk must have what a call wrote. A group waits as its most careful member does."""

    NEVER = 0
    """A power cut may undo it: the answer promises nothing that has to outlive one."""
    BEFORE_ANSWER = 1
    """Others may see it before, and act on it: nobody has been promised anything yet."""
    BEFORE_SEEN = 2
    """Not even others see it before: who sees it may rely on it for good."""


class Call(Generic[T]):
    """What is to be done, and the future of whoever waits for it."""

    __slots__ = ("error", "future", "loop", "peek", "synced", "value", "work", "writes")

    def __init__(
        self,
        work: Any,
        *,
        writes: bool,
        peek: Read[bool] | None = None,
        synced: Synced = Synced.BEFORE_SEEN,
    ) -> None:
        self.work = work
        self.writes = writes
        self.peek = peek
        self.synced = synced
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self.loop.create_future()
        self.value: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        """Answer, on its loop; once."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.value)
        else:
            self.future.set_exception(self.error)


class Riders:
    """Calls that wait for somebody else's transaction to give them something to do."""

    def __init__(self) -> None:
        self._calls: dict[Call[Any], Call[Any]] = {}

    def __iter__(self) -> Iterator[Call[Any]]:
        # A loop that ended without a word has nobody left to run a job.
        return iter([call for call in list(self._calls) if not call.loop.is_closed()])

    def add(self, call: Call[Any]) -> None:
        """Wait, from now on."""
        self._calls[call] = call

    def take(self, call: Call[Any]) -> bool:
        """Take it out, to run it or to give it up; only one of those who try gets it."""
        return self._calls.pop(call, None) is not None


class Ride(Generic[T]):
    """One of the riders, as its caller sees it."""

    __slots__ = ("_call", "_riders")

    def __init__(self, call: Call[T | None], riders: Riders) -> None:
        self._call = call
        self._riders = riders
        riders.add(call)

    def leave(self) -> asyncio.Future[T | None]:
        """Wait no longer; the answer is ``None`` unless a transaction has taken it along."""
        if self._riders.take(self._call):
            self._call.settle()
        return self._call.future


def answer(calls: Sequence[Call[Any]]) -> None:
    """Settle the futures on the loops they belong to: one wake-up a loop, however many calls."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Call[Any]]] = {}
    for call in calls:
        by_loop.setdefault(call.loop, []).append(call)
    for loop, own in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, own)
        except RuntimeError:  # the loop was closed: nobody waits there any more
            continue


def fail(calls: Sequence[Call[Any]], error: Exception) -> None:
    """Answer all of them with ``error``."""
    for call in calls:
        call.value, call.error = None, error
    answer(calls)


def _settle(calls: Sequence[Call[Any]]) -> None:
    for call in calls:
        call.settle()
