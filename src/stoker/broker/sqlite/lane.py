"""A thread that owns a connection: calls go in, are served in groups, and answers come out.

While one group is being committed (most of that is waiting for the disk) further calls pile up and
ride on the next: a hundred callers share one sync, and a lone caller waits for nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import apsw

from stoker.broker.base import Clock
from stoker.broker.sqlite.call import Call, Read, Ride, Riders, Synced, Write, fail
from stoker.broker.sqlite.files import gone
from stoker.broker.sqlite.session import Session, ours
from stoker.config import MEMORY
from stoker.errors import BrokerUnavailable

T = TypeVar("T")


class _Rest:
    """The mark at which a lane closes its connection for a while."""

    __slots__ = ("begun", "over")

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.over = threading.Event()


class Lane:
    """Runs calls on one connection, in order, on a thread of its own."""

    def __init__(
        self, path: str, connect: Callable[[str], apsw.Connection], clock: Clock, name: str
    ) -> None:
        self._path = path
        self._connect = connect
        self._clock = clock
        self._calls: SimpleQueue[Call[Any] | _Rest | None] = SimpleQueue()
        self._rest: _Rest | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._riders = Riders()
        self._committed: Callable[[], None] = lambda: None
        self._gate = threading.Lock()
        """Held to close and to hand in a call: none may come in behind the last look."""
        self._closed = False
        self._opened = False
        self._log_distrusted = False
        self._refusal: Exception = BrokerUnavailable(f"{path} is closed")

    async def open(self, committed: Callable[[], None] = lambda: None) -> None:
        """Start the thread and connect; ``committed`` is called after each commit, on it."""
        self._committed = committed
        self._thread.start()
        try:
            await self.read(lambda _connection, _now: None)
        except BaseException:
            self.end()  # the thread, which may still be about to connect
            raise

    def end(self) -> None:
        """Take no more calls; the thread ends behind those that were begun."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._calls.put(None)

    async def close(self) -> None:
        """Finish the calls that were begun and close the connection."""
        self.end()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)

    def rest(self) -> None:
        """Finish the calls that were begun and close the connection; others wait for ``resume``."""
        self._rest = _Rest()
        self._calls.put(self._rest)
        while self._thread.is_alive() and not self._rest.begun.wait(0.01):
            pass

    def resume(self) -> None:
        """Connect again and go on."""
        if self._rest is not None:
            self._rest.over.set()
            self._rest = None

    def disown(self) -> None:
        """Refuse every call: this is a copy in a forked process, without its thread."""
        self._gate = threading.Lock()  # another thread may have held it
        self._closed = True
        self._refusal = BrokerUnavailable(
            f"{self._path} was opened by the process that forked this one",
            hint="open a broker in each process after the fork",
        )

    def read(self, work: Read[T]) -> asyncio.Future[T]:
        """Return what ``work`` finds."""
        return self._submit(Call(work, writes=False))

    def write(self, work: Write[T], synced: Synced = Synced.BEFORE_SEEN) -> asyncio.Future[T]:
        """Run ``work`` in a transaction and return its value."""
        return self._submit(Call(work, writes=True, synced=synced))

    def write_if(
        self, peek: Read[bool], work: Write[T], synced: Synced = Synced.BEFORE_SEEN
    ) -> asyncio.Future[T | None]:
        """Look first, and only then begin a transaction; ``None`` if there was nothing to do."""
        return self._submit(Call(work, writes=True, peek=peek, synced=synced))

    def ride(self, peek: Read[bool], work: Write[T]) -> Ride[T]:
        """Run ``work`` within the first transaction after which ``peek`` finds something.

        It is answered as soon as that is committed, whether the disk has it or not.
        """
        return Ride(Call(work, writes=True, peek=peek, synced=Synced.NEVER), self._riders)

    def _submit(self, call: Call[T]) -> asyncio.Future[T]:
        with self._gate:
            if self._closed:
                raise self._refusal
            self._calls.put(call)
        return call.future

    # On the thread

    def _run(self) -> None:
        try:
            pending = self._pending()
            while pending is not None:
                if isinstance(pending, _Rest):
                    pending.begun.set()
                    pending.over.wait()
                    pending = self._pending()
                else:
                    pending = self._serve(pending)
        except Exception as error:
            self._refuse(error)
            raise
        self._refuse(self._refusal)

    def _serve(self, calls: list[Call[Any]]) -> list[Call[Any]] | _Rest | None:
        """Serve on one connection as long as it is good; return what came then."""
        try:
            session = self._connected()
        except Exception as error:
            fail(calls, ours(error, self._path))
            if not self._opened:
                self._refusal = error
                return None
            return self._pending()  # whoever asks next has it tried again
        with contextlib.closing(session):
            pending: list[Call[Any]] | _Rest | None = calls
            while isinstance(pending, list) and session.serve(pending):
                pending = self._pending()
            self._log_distrusted = session.log_distrusted
        return self._pending() if isinstance(pending, list) else pending

    def _connected(self) -> Session:
        # A file that was there and is not any more may come back: it is not made anew, empty.
        if self._opened and self._path != MEMORY and not Path(self._path).exists():
            raise gone(self._path)
        session = Session(
            self._path,
            self._connect,
            self._clock,
            self._riders,
            self._committed,
            distrusted=self._log_distrusted,
        )
        self._opened = True
        return session

    def _pending(self) -> list[Call[Any]] | _Rest | None:
        """Wait for a call and take all that wait with it, or the mark to rest or to close."""
        call = self._calls.get()
        calls: list[Call[Any]] = []
        while isinstance(call, Call):
            if not call.future.cancelled():
                calls.append(call)
            try:
                call = self._calls.get_nowait() if calls else self._calls.get()
            except Empty:
                return calls
        if not calls:
            return call
        self._calls.put(call)  # the calls before the mark are served first, then it is met again
        return calls

    def _refuse(self, error: Exception) -> None:
        """Answer whoever still waits with ``error``."""
        with self._gate:
            self._closed = True
            self._refusal = ours(error, self._path)
        calls: list[Call[Any]] = []
        while not self._calls.empty():
            if isinstance(call := self._calls.get(), Call):
                calls.append(call)
        fail(calls, self._refusal)
