"""A thread that owns a connection: calls go in, are committed in groups, and answers come out.

While one group is being committed (most of that is waiting for the disk) further calls pile up and
ride on the next: a hundred callers share one sync, and a lone caller waits for nobody.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

import apsw

from stoker.broker.base import Clock
from stoker.broker.sqlite.faults import translate
from stoker.broker.sqlite.transaction import Transaction
from stoker.errors import BrokerCorrupt, BrokerError, BrokerUnavailable

T = TypeVar("T")
Read = Callable[[apsw.Connection, int], T]
"""Looks, without a transaction; gets the time."""
Write = Callable[[Transaction], T]
"""Changes something. May be run twice: if its group fails, each member is tried alone."""

RECONNECT_SECONDS = 0.2
GROUP_SECONDS = 0.010
"""Once a transaction has lasted this long, it is committed and the rest waits for the next."""


class _Call(Generic[T]):
    __slots__ = ("error", "future", "loop", "peek", "value", "work", "writes")

    def __init__(self, work: Any, writes: bool, peek: Read[bool] | None) -> None:
        self.work = work
        self.writes = writes
        self.peek = peek
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self.loop.create_future()
        self.value: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.value)
        else:
            self.future.set_exception(self.error)


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
        self._calls: SimpleQueue[_Call[Any] | _Rest | None] = SimpleQueue()
        self._rest: _Rest | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._committed: Callable[[], None] = lambda: None
        self._gate = threading.Lock()
        """Held to close and to hand in a call: none may come in behind the last look."""
        self._closed = False
        self._reconnecting = False
        self._refusal: Exception = BrokerUnavailable(f"{path} is closed")

    async def open(self, committed: Callable[[], None] = lambda: None) -> None:
        """Start the thread and connect; ``committed`` is called after each commit, on it."""
        self._committed = committed
        self._thread.start()
        try:
            await self.read(lambda _connection, _now: None)
        except BaseException:
            self._closed = True
            raise

    async def close(self) -> None:
        """Finish the calls that were begun and close the connection."""
        if not self._closed:
            self._closed = True
            self._calls.put(None)
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

    async def read(self, work: Read[T]) -> T:
        """Return what ``work`` finds."""
        return await self._submit(_Call(work, writes=False, peek=None))

    async def write(self, work: Write[T]) -> T:
        """Run ``work`` in a transaction and return its value once that is durable."""
        return await self._submit(_Call(work, writes=True, peek=None))

    async def write_if(self, peek: Read[bool], work: Write[T]) -> T | None:
        """Look first, and only then begin a transaction; ``None`` if there was nothing to do."""
        return await self._submit(_Call(work, writes=True, peek=peek))

    async def _submit(self, call: _Call[T]) -> T:
        with self._gate:
            if self._closed:
                raise self._refusal
            self._calls.put(call)
        return await call.future

    # On the thread

    def _run(self) -> None:
        try:
            while (rest := self._shift()) is not None:
                rest.begun.set()
                rest.over.wait()
                self._reconnecting = True
        except Exception as error:
            self._refuse(error)
            raise
        self._refuse(self._refusal)

    def _shift(self) -> _Rest | None:
        """Serve on one connection, until the lane is to rest or to close."""
        try:
            connection = self._connect_again() if self._reconnecting else self._connect(self._path)
        except Exception as error:
            self._refusal = error
            return None
        try:
            while isinstance(pending := self._pending(), list):
                self._serve(connection, pending)
            return pending
        finally:
            connection.close()

    def _connect_again(self) -> apsw.Connection:
        """Connect after a rest, however long it takes: it was good before, and will be."""
        while True:
            try:
                return self._connect(self._path)
            except (apsw.Error, OSError, BrokerError):
                if self._closed:
                    raise
                time.sleep(RECONNECT_SECONDS)

    def _pending(self) -> list[_Call[Any]] | _Rest | None:
        """Wait for a call and take all that wait with it, or the mark to rest or to close."""
        call = self._calls.get()
        calls: list[_Call[Any]] = []
        while isinstance(call, _Call):
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

    def _serve(self, connection: apsw.Connection, calls: Sequence[_Call[Any]]) -> None:
        writes: list[_Call[Any]] = []
        others: list[_Call[Any]] = []
        for call in calls:
            writing = call.writes and self._wanted(connection, call)
            (writes if writing else others).append(call)
        for call in others:
            if not call.writes:
                self._look(connection, call)
        _answer(others)
        while writes:
            count = self._commit(connection, writes)
            _answer(writes[:count])
            writes = writes[count:]

    def _wanted(self, connection: apsw.Connection, call: _Call[Any]) -> bool:
        """Whether a transaction is worth beginning. A peek that fails leaves that to be seen."""
        try:
            return call.peek is None or call.peek(connection, self._clock())
        except apsw.Error:
            return True

    def _commit(self, connection: apsw.Connection, calls: Sequence[_Call[Any]]) -> int:
        """Run calls in one transaction, for about GROUP_SECONDS; return how many it took."""
        count = 0
        deadline = time.monotonic() + GROUP_SECONDS
        try:
            connection.execute("BEGIN IMMEDIATE")
            transaction = Transaction(connection, self._clock())
            for call in calls:
                count += 1
                call.value = call.work(transaction)
                if time.monotonic() > deadline:
                    break
            transaction.flush()
            connection.execute("COMMIT")
        except Exception as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if count == 0:  # no transaction was to be had: nobody would fare better
                for call in calls:
                    call.error = _ours(error, self._path)
                return len(calls)
            if count > 1:  # one of them is to blame: each gets a transaction of its own
                for place in range(count):
                    self._commit(connection, calls[place : place + 1])
                return count
            calls[0].value, calls[0].error = None, _ours(error, self._path)
        self._committed()
        return count

    def _look(self, connection: apsw.Connection, call: _Call[Any]) -> None:
        try:
            # One snapshot for all that it looks at: a job may move between two statements.
            connection.execute("BEGIN")
            call.value = call.work(connection, self._clock())
        except Exception as error:
            call.error = _ours(error, self._path)
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _refuse(self, error: Exception) -> None:
        """Answer whoever still waits with ``error``."""
        with self._gate:
            self._closed = True
            self._refusal = _ours(error, self._path)
        calls: list[_Call[Any]] = []
        while not self._calls.empty():
            if isinstance(call := self._calls.get(), _Call):
                call.error = _ours(error, self._path)
                calls.append(call)
        _answer(calls)


def _ours(error: Exception, path: str) -> Exception:
    if isinstance(error, UnicodeDecodeError):
        return BrokerCorrupt(f"{path} holds text that is not UTF-8: {error}")
    return translate(error, path) if isinstance(error, apsw.Error) else error


def _answer(calls: Sequence[_Call[Any]]) -> None:
    """Settle the futures on the loops they belong to: one wake-up a loop, however many calls."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Call[Any]]] = {}
    for call in calls:
        by_loop.setdefault(call.loop, []).append(call)
    for loop, own in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, own)
        except RuntimeError:  # the loop was closed: nobody waits there any more
            continue


def _settle(calls: Sequence[_Call[Any]]) -> None:
    for call in calls:
        call.settle()
