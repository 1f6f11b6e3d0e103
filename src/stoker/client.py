"""An application's line to its broker: opened once a process, shared by loops and threads."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
import weakref
from collections.abc import Coroutine, Sequence
from itertools import islice
from typing import Any, TypeVar

from stoker.adder import Adder, chunks
from stoker.broker import make_broker
from stoker.broker.base import Added, Broker, Clock, system_clock
from stoker.config import BrokerURL
from stoker.errors import LoopRunning, StokerError
from stoker.job.model import NewJob
from stoker.portal import Portal, closed
from stoker.results import Results

T = TypeVar("T")

ADD_ABREAST = 4
"""Calls of one caller under way at once: they share commits, and others' still fit in."""
LOOK_SECONDS = 0.1
"""How often who closes looks whether the loop that opens still runs."""


class Client:
    """Opens the broker when it is first needed. All that an application asks of it goes here."""

    def __init__(self, url: BrokerURL, *, clock: Clock = system_clock) -> None:
        self.url = url
        self._clock = clock
        self._lock = threading.Lock()
        self._ready: Broker | None = None
        """What ``_opening`` has brought."""
        self._opening: concurrent.futures.Future[Broker] | None = None
        self._opener: asyncio.Task[None] | None = None
        self._adders: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Adder] = (
            weakref.WeakKeyDictionary()
        )
        self._results: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Results] = (
            weakref.WeakKeyDictionary()
        )
        self._portal: Portal | None = None
        _clients.add(self)

    async def broker(self) -> Broker:
        """Return the broker, opening it at the first call; raises what ``Broker.open`` raises."""
        if (ready := self._ready) is not None:
            return ready
        while True:
            with self._lock:
                opening = self._opening
                if opening is None or _failed(opening) or self._abandoned(opening):
                    opening = self._opening = concurrent.futures.Future()
                    # A task of its own: whoever asked first may be cancelled, others wait as well.
                    self._opener = asyncio.ensure_future(self._open(opening))
                    self._opener.add_done_callback(lambda _, opening=opening: opening.cancel())
                elif opening.done():
                    return opening.result()
            waiting = asyncio.wrap_future(opening)
            try:
                return await asyncio.shield(waiting)
            except asyncio.CancelledError:
                if not waiting.cancelled():
                    raise
                # The loop that was opening it has ended. Now it is for us to do.

    def _abandoned(self, opening: concurrent.futures.Future[Broker]) -> bool:
        """Whether the loop that was opening the broker was closed, which told nobody."""
        closed = self._opener is not None and self._opener.get_loop().is_closed()
        return closed and not opening.done()

    async def _open(self, opening: concurrent.futures.Future[Broker]) -> None:
        try:
            broker = await make_broker(self.url, clock=self._clock).open()
        except Exception as error:
            opening.set_exception(_placed(error, self.url))
            return
        with self._lock:
            wanted = self._opening is opening
            if wanted:
                opening.set_result(broker)
                self._ready = broker
        if not wanted:  # close() was called meanwhile, and waits for this while the loop runs
            await broker.close()
            if not opening.cancelled():
                opening.set_exception(closed())

    async def add(self, job: NewJob) -> Added:
        """Add one job; those that many callers add in the same turn of the loop share a call."""
        loop = asyncio.get_running_loop()
        adder = self._adders.get(loop)
        if adder is None:
            adder = self._adders[loop] = Adder(self.broker)
        return await adder.add(job)

    async def add_many(self, jobs: Sequence[NewJob]) -> list[Added]:
        """Add any number of jobs, a chunk at a time. Each chunk is added whole or not at all."""
        broker = await self.broker()
        answers: list[Added] = []
        pieces = chunks(jobs, lambda job: job)
        while abreast := list(islice(pieces, ADD_ABREAST)):
            for added in await asyncio.gather(*map(broker.add, abreast)):
                answers += added
        return answers

    def results(self) -> Results:
        """Return what wakes those who wait for results on the running loop."""
        loop = asyncio.get_running_loop()
        results = self._results.get(loop)
        if results is None:
            results = self._results[loop] = Results(self.broker)
        return results

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` from synchronous code, on a loop that lives in a thread of its own.

        Raises ``LoopRunning`` where it could wait for the very loop that it blocks: for a job that
        runs there, or for the broker that is being opened there.
        """
        if _in_a_loop():
            work.close()
            raise LoopRunning(
                "a synchronous call (…_sync, app.run) would block the event loop it is made in",
                hint="await the method without _sync; where nothing can be awaited, "
                "asyncio.create_task(task.enqueue(...))",
            )
        with self._lock:
            if self._portal is None:
                self._portal = Portal()
        return self._portal.run(work)

    async def close(self) -> None:
        """Let go of the broker. The next use opens it again."""
        with self._lock:
            opening, self._opening, self._ready = self._opening, None, None
            opener, self._opener = self._opener, None
            portal, self._portal = self._portal, None
            self._results = weakref.WeakKeyDictionary()  # their readers know this broker
        if opening is not None:
            if opening.done() and not _failed(opening):
                await opening.result().close()
            elif opener is not None:
                await _ended(opening, opener.get_loop())  # _open closes it
        if portal is not None:
            portal.stop()

    def forget(self) -> None:
        """After a fork: what the parent opened must not be used, nor closed, by the child."""
        self._lock = threading.Lock()
        self._opening = self._opener = self._ready = None
        self._portal = None
        self._adders = weakref.WeakKeyDictionary()
        self._results = weakref.WeakKeyDictionary()


async def _ended(
    opening: concurrent.futures.Future[Broker], loop: asyncio.AbstractEventLoop
) -> None:
    """Wait for an open to end, while there is a loop that goes on with it."""
    waiting = asyncio.wrap_future(opening)
    while not waiting.done() and loop.is_running():
        await asyncio.wait([waiting], timeout=LOOK_SECONDS)
    opening.cancel()  # does nothing to one that has ended; others who wait are told of the rest
    await asyncio.gather(waiting, return_exceptions=True)


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _placed(error: Exception, url: BrokerURL) -> Exception:
    """Return the error of an open, which names the place, with who says that it is the place."""
    if isinstance(error, StokerError) and url.source and url.source not in str(error):
        error.hint = "; ".join(filter(None, [error.hint, f"the place is from {url.source}"]))
    return error


def _failed(opening: concurrent.futures.Future[Broker]) -> bool:
    return opening.cancelled() or (opening.done() and opening.exception() is not None)


_clients: weakref.WeakSet[Client] = weakref.WeakSet()


def _after_fork() -> None:
    for client in list(_clients):
        client.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
