"""Threads for blocking code, as many as are needed and no more.

The standard library's pool waits at exit for every thread, so one stuck handler would keep the
worker from ever stopping; and a stuck thread would keep its place. Here it just stays behind.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

IDLE_SECONDS = 60.0
"""A thread without work ends after this long."""

_Work = tuple[
    asyncio.AbstractEventLoop, "asyncio.Future[Any]", contextvars.Context, Callable[[], Any]
]


class Threads:
    """Runs calls in daemon threads, reusing idle ones."""

    def __init__(self) -> None:
        self._work: SimpleQueue[_Work] = SimpleQueue()
        self._idle = 0
        self._lock = threading.Lock()

    async def run(self, function: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """Return what the call returns. Cancelled, it leaves the thread to end by itself."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        context = contextvars.copy_context()
        self._work.put((loop, future, context, lambda: function(*arguments)))
        with self._lock:
            short = self._idle == 0
            self._idle -= not short
        if short:
            threading.Thread(target=self._serve, name="stoker-thread", daemon=True).start()
        return await future

    def _serve(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=IDLE_SECONDS)
            except Empty:
                with self._lock:
                    if self._idle == 0:  # work is on its way to us
                        continue
                    self._idle -= 1
                return
            _perform(*work)
            del work  # the last job's arguments and result are not to live on
            with self._lock:
                self._idle += 1


def _perform(
    loop: asyncio.AbstractEventLoop,
    future: asyncio.Future[Any],
    context: contextvars.Context,
    call: Callable[[], Any],
) -> None:
    if future.cancelled():
        return
    value, error = None, None
    try:
        value = context.run(call)
    except BaseException as raised:
        error = raised
    try:
        loop.call_soon_threadsafe(_settle, future, value, error)
    except RuntimeError:  # the loop is gone; so is everyone who waited
        return


def _settle(future: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    elif isinstance(error, StopIteration):  # a future refuses it
        future.set_exception(RuntimeError(f"the handler raised {error!r}"))
    else:
        future.set_exception(error)
