"""An event loop whose timers are on time: late by a few hundredths of a millisecond, not by one.

On Linux asyncio waits in whole milliseconds, rounded up. Jobs that each pause for a short time, as
they do between two questions to another service, then end up to a millisecond late, and many at
once: with a hundred of 10 ms side by side, every eighth slot was empty for it.
"""

from __future__ import annotations

import asyncio
import select
import selectors
import sys

MOST_FILES = 1_024
"""``select`` knows no file descriptor from here on (``FD_SETSIZE``)."""


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a loop for a worker's process, and make it this thread's.

    It is what the application's policy gives, if that is not asyncio's own: uvloop, for one.
    """
    loop = asyncio.new_event_loop()
    if sys.platform == "linux" and type(loop) is asyncio.SelectorEventLoop:
        loop.close()
        loop = asyncio.SelectorEventLoop(PreciseSelector())
    asyncio.set_event_loop(loop)
    return loop


if sys.platform == "linux":

    class PreciseSelector(selectors.EpollSelector):
        """``epoll`` that is waited for by ``select``, whose time is in microseconds."""

        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            """Return what is ready, after ``timeout`` seconds at the latest; ``None``: no limit."""
            if timeout is not None and timeout > 0 and self.fileno() < MOST_FILES:
                select.select((self,), (), (), timeout)
                timeout = 0
            return super().select(timeout)
