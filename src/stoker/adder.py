"""Adds jobs of single callers: those of a crowd share a call of the broker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeVar, cast

from stoker.broker.base import Added, Broker
from stoker.errors import BrokerError
from stoker.job.model import NewJob

T = TypeVar("T")

ADD_JOBS = 250
ADD_BYTES = 2 * 1024 * 1024
"""What one call of ``Broker.add`` gets at the most, in jobs and in their data. The store does
nothing else meanwhile: on Redis up to 8 ms for as many as this with ids of their own."""


class Adder:
    """Gathers the jobs of one loop turn. A caller that is alone is not kept waiting for others."""

    def __init__(self, broker: Callable[[], Coroutine[Any, Any, Broker]]) -> None:
        self._broker = broker
        self._waiting: list[tuple[NewJob, asyncio.Future[Added]]] = []
        self._flushes: set[asyncio.Task[None]] = set()
        self._ahead: set[asyncio.Task[Any]] = set()
        """Who comes is gathered behind these: a caller that is alone, until it has its answer, and
        flushes, until they have reached the broker."""
        self._is_crowded = False
        """Several were gathered last time."""

    async def add(self, job: NewJob) -> Added:
        """Add one job."""
        if self._is_crowded or self._waiting or self._ahead:
            return await self._gathered(job)
        caller = _current_task()
        self._ahead.add(caller)
        try:
            broker = await self._broker()
            return (await broker.add([job]))[0]
        finally:
            self._ahead.discard(caller)

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
        for chunk in chunks(waiting, lambda entry: entry[0]):
            flush = asyncio.ensure_future(self._flush(chunk))
            self._flushes.add(flush)
            self._ahead.add(flush)
            flush.add_done_callback(self._flushes.discard)
            flush.add_done_callback(self._ahead.discard)  # of one that was cancelled first

    async def _flush(self, waiting: Sequence[tuple[NewJob, asyncio.Future[Added]]]) -> None:
        try:
            broker = await self._broker()
            self._ahead.discard(_current_task())
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


def _current_task() -> asyncio.Task[Any]:
    return cast("asyncio.Task[Any]", asyncio.current_task())


def chunks(items: Sequence[T], job_of: Callable[[T], NewJob]) -> Iterator[Sequence[T]]:
    """Cut into pieces that one transaction should hold."""
    start, size = 0, 0
    for place, item in enumerate(items):
        size += len(job_of(item).data)
        if place - start == ADD_JOBS or (size > ADD_BYTES and place > start):
            yield items[start:place]
            start, size = place, len(job_of(item).data)
    if start < len(items):
        yield items[start:]
