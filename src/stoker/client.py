"""An application's line to its broker: opened once a process, shared by loops and threads."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar, cast

from stoker.broker import make_broker
from stoker.broker.base import Added, Broker, Clock, system_clock
from stoker.config import BrokerURL
from stoker.errors import BrokerError, BrokerUnavailable, LoopRunning, StokerError
from stoker.job.model import NewJob
from stoker.results import Results

T = TypeVar("T")

ADD_JOBS = 250
ADD_BYTES = 2 * 1024 * 1024
"""What one call of ``Broker.add`` gets at the most, in jobs and in their data. The store does
nothing else meanwhile: on Redis up to 8 ms for as many as this with ids of their own."""
ADD_ABREAST = 4
"""Such calls of one caller under way at once: they share commits, and others' still fit in."""
LOOK_SECONDS = 0.1
"""How often who closes looks whether the loop that opens still runs."""


class Client:
    """Opens the broker when it is first needed, and gathers what is added in one loop turn."""

    def __init__(self, url: BrokerURL, *, clock: Clock = system_clock) -> None:
        self.url = url
        self._clock = clock
        self._lock = threading.Lock()
        self._ready: Broker | None = None
        """What ``_opening`` has brought."""
        self._opening: concurrent.futures.Future[Broker] | None = None
        self._opener: asyncio.Task[None] | None = None
        self._adders: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Adder] = (
            weakref.WeakKeyDictionary()
        )
        self._results: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Results] = (
            weakref.WeakKeyDictionary()
        )
        self._portal: _Portal | None = None
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
                opening.set_exception(_closed())

    async def add(self, job: NewJob) -> Added:
        """Add one job; those that many callers add in the same turn of the loop share a call."""
        loop = asyncio.get_running_loop()
        adder = self._adders.get(loop)
        if adder is None:
            adder = self._adders[loop] = _Adder(self.broker)
        return await adder.add(job)

    async def add_many(self, jobs: Sequence[NewJob]) -> list[Added]:
        """Add any number of jobs, a chunk at a time. Each chunk is added whole or not at all."""
        broker = await self.broker()
        answers: list[Added] = []
        chunks = _chunks(jobs, lambda job: job)
        while abreast := list(islice(chunks, ADD_ABREAST)):
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
                self._portal = _Portal()
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


def _closed() -> BrokerUnavailable:
    return BrokerUnavailable("the app was closed meanwhile")


def _placed(error: Exception, url: BrokerURL) -> Exception:
    """Return the error of an open, which names the place, with who says that it is the place."""
    if isinstance(error, StokerError) and url.source and url.source not in str(error):
        error.hint = "; ".join(filter(None, [error.hint, f"the place is from {url.source}"]))
    return error


def _failed(opening: concurrent.futures.Future[Broker]) -> bool:
    return opening.cancelled() or (opening.done() and opening.exception() is not None)


class _Adder:
    """Gathers the jobs of one loop turn. A caller that is alone is not kept waiting for others."""

    def __init__(self, broker: Callable[[], Coroutine[Any, Any, Broker]]) -> None:
        self._broker = broker
        self._waiting: list[tuple[NewJob, asyncio.Future[Added]]] = []
        self._flushes: set[asyncio.Task[None]] = set()
        self._unsent: set[asyncio.Task[None]] = set()
        """Those of them that have not reached the broker: nobody may go past them."""
        self._is_crowded = False
        """Several were gathered last time."""
        self._has_one = False
        """One that was not gathered is under way."""

    async def add(self, job: NewJob) -> Added:
        if self._is_crowded or self._has_one or self._waiting or self._unsent:
            return await self._gathered(job)
        self._has_one = True
        try:
            broker = await self._broker()
            return (await broker.add([job]))[0]
        finally:
            self._has_one = False

    def _gathered(self, job: NewJob) -> asyncio.Future[Added]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Added] = loop.create_future()
        self._waiting.append((job, future))
        if len(self._waiting) == 1:
            # Not a task: it could be cancelled before it begins, or begin before the others came.
            loop.call_soon(self._start)
        return future

    def _start(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._is_crowded = len(waiting) > 1
        for chunk in _chunks(waiting, lambda entry: entry[0]):
            flush = asyncio.ensure_future(self._flush(chunk))
            self._flushes.add(flush)
            self._unsent.add(flush)
            flush.add_done_callback(self._flushes.discard)
            flush.add_done_callback(self._unsent.discard)  # of one that was cancelled first

    async def _flush(self, waiting: Sequence[tuple[NewJob, asyncio.Future[Added]]]) -> None:
        try:
            broker = await self._broker()
            self._unsent.discard(cast("asyncio.Task[None]", asyncio.current_task()))
            answers = await broker.add([job for job, _ in waiting])
        except BaseException as error:
            innocent = isinstance(error, Exception) and not isinstance(error, BrokerError)
            if innocent and len(waiting) > 1:
                # One job is to blame, and the others of this turn have nothing to do with it.
                for one in waiting:
                    await self._flush([one])
                return
            for _, future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(waiting, answers, strict=True):
            if not future.done():
                future.set_result(answer)


def _chunks(items: Sequence[T], job_of: Callable[[T], NewJob]) -> Iterator[Sequence[T]]:
    """Cut into pieces that one transaction should hold."""
    start, size = 0, 0
    for place, item in enumerate(items):
        size += len(job_of(item).data)
        if place - start == ADD_JOBS or (size > ADD_BYTES and place > start):
            yield items[start:place]
            start, size = place, len(job_of(item).data)
    if start < len(items):
        yield items[start:]


class _Portal:
    """A loop in a thread, for callers that have none."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._gate = threading.Lock()
        """Held to hand in work and to end: none may come in behind the last look."""
        self._ended = False
        self._thread = threading.Thread(target=self._serve, name="stoker-portal", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        with self._gate:
            if self._ended:
                work.close()
                raise _closed()
            running = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return running.result()
        except concurrent.futures.CancelledError:
            raise _closed() from None

    def stop(self) -> None:
        """End the loop; who waits for it is told."""
        self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        # Behind the cancellations, and behind what a caller in this loop still has to be told.
        self._loop.call_later(0.05, self._loop.stop)

    def _serve(self) -> None:
        self._loop.run_forever()
        with self._gate:
            self._ended = True
        self._loop.run_until_complete(_cancelled())  # what came in since _end looked
        self._loop.close()


async def _cancelled() -> None:
    await asyncio.sleep(0)  # work that was handed in is a task by now
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


_clients: weakref.WeakSet[Client] = weakref.WeakSet()


def _after_fork() -> None:
    for client in list(_clients):
        client.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
