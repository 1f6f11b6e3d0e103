"""A loop for synchronous code, in a thread of its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from stoker.errors import BrokerUnavailable

T = TypeVar("T")


def closed() -> BrokerUnavailable:
    """Return what those are told who still wait when their application is closed."""
    return BrokerUnavailable("the app was closed meanwhile")


class Portal:
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
                raise closed()
            running = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return running.result()
        except concurrent.futures.CancelledError:
            raise closed() from None

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
