"""What the tasks do. Only in a worker: a worker's process has its own stamps."""

from __future__ import annotations

import asyncio
import time
from functools import cached_property

from benchmarks.stamps import Stamps

PAUSE_SECONDS = 0.01


class Handlers:
    """The bodies of the three tasks."""

    @cached_property
    def stamps(self) -> Stamps:
        return Stamps()

    def noop(self) -> None:
        self.stamps.tick()

    def timed(self, due: int) -> None:
        self.stamps.note(due)

    def paused(self, n: int) -> None:
        """Note that a job that waited is through."""
        self.stamps.mark(n)

    async def pause(self, n: int) -> None:
        """Wait, as a job does that asks another service."""
        await asyncio.sleep(PAUSE_SECONDS)
        self.paused(n)

    def block(self, n: int) -> None:
        """Wait in a thread."""
        time.sleep(PAUSE_SECONDS)
        self.paused(n)
