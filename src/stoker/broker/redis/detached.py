"""Work that is carried to its end though whoever waits for it is cancelled meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, TypeVar

from stoker.errors import BrokerError

T = TypeVar("T")


class Detached:
    """Holds on to such work: the loop itself would not, and what nobody holds may vanish."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[Any]] = set()

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin, and hold on to it until it ends; whoever waits should shield it."""
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def to_the_end(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait for it; it goes on if that is cancelled. A store that fails it is not told of."""

        async def whole() -> None:
            with contextlib.suppress(BrokerError):
                await work

        await asyncio.shield(self.begin(whole()))
