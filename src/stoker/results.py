"""Waiting for jobs to end: one reader of a queue's events wakes everyone who waits in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from stoker.broker.base import Broker
from stoker.errors import BrokerError, JobNotFound, JobTimeout
from stoker.job.duration import describe
from stoker.job.model import JobRecord
from stoker.job.states import FINISHED

_ENDS = frozenset({"completed", "failed", "removed"})
_READ_SECONDS = 10.0


class Results:
    """Those who wait on one event loop, by queue."""

    def __init__(self, broker: Callable[[], Coroutine[Any, Any, Broker]]) -> None:
        self._broker = broker
        self._readers: dict[str, _Reader] = {}

    async def ended(self, queue: str, id: str, timeout: float | None) -> JobRecord:
        """Return the record of a finished job, waiting up to ``timeout`` seconds for its end.

        Raises ``JobTimeout`` or ``JobNotFound``.
        """
        broker = await self._broker()
        reader = self._readers.get(queue)
        if reader is None:
            reader = self._readers[queue] = _Reader(broker, queue)
        try:
            async with asyncio.timeout(timeout):
                return await reader.ended(id)
        except TimeoutError:
            raise JobTimeout(
                f"job {id} of queue {queue!r} did not end in {describe((timeout or 0) * 1_000)}",
                hint="it goes on, if a worker takes its queue; wait again, or cancel it",
            ) from None


class _Reader:
    """Follows one queue's events for as long as anybody waits."""

    def __init__(self, broker: Broker, queue: str) -> None:
        self._broker = broker
        self._queue = queue
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def ended(self, id: str) -> JobRecord:
        while True:
            woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(id, []).append(woken)
            try:
                await self._follow()
                # Looked at only now: an end before the registration would wake nobody.
                detail = await self._broker.detail(self._queue, id)
                if detail is None:
                    raise JobNotFound(
                        f"there is no job {id} in queue {self._queue!r}",
                        hint="it was removed, or its queue keeps no finished jobs",
                    )
                if detail.job.state in FINISHED:
                    return detail.job
                await woken
            finally:
                self._unregister(id, woken)

    async def _follow(self) -> None:
        """See to it that somebody reads the events, from now on at the latest."""
        if self._reading is None or self._reading.done():
            start = (await self._broker.events(self._queue, None)).cursor
            if self._reading is None or self._reading.done():
                self._reading = asyncio.ensure_future(self._read(start))

    def _unregister(self, id: str, woken: asyncio.Future[None]) -> None:
        futures = self._waiting.get(id, [])
        if woken in futures:
            futures.remove(woken)
        if not futures:
            self._waiting.pop(id, None)
        if not self._waiting and self._reading is not None:
            self._reading.cancel()
            self._reading = None

    async def _read(self, cursor: str) -> None:
        while True:
            try:
                page = await self._broker.events(self._queue, cursor, _READ_SECONDS)
            except BrokerError as error:
                self._wake(list(self._waiting), error)
                return
            cursor = page.cursor
            if page.gap:
                self._wake(list(self._waiting))
            for event in page.events:
                if event.kind in _ENDS:
                    self._wake(event.ids)

    def _wake(self, ids: Any, error: BrokerError | None = None) -> None:
        for id in ids:
            for future in self._waiting.pop(id, ()):
                if future.done():
                    continue
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(error)
