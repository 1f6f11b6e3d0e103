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

    Where the application has set a policy (uvloop's, for one), it is that one's loop as it is.
    """
    loop: asyncio.AbstractEventLoop
    if sys.platform == "linux" and _is_asyncios_own():
        loop = asyncio.SelectorEventLoop(PreciseSelector())
    else:
        loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop


def _is_asyncios_own() -> bool:
    """Whether nobody has changed how loops are made, or what they wait with, as gevent does."""
    epoll = getattr(selectors, "EpollSelector", None)
    policy = asyncio.get_event_loop_policy()  # pyright: ignore[reportDeprecated] - until 3.16
    return selectors.DefaultSelector is epoll and type(policy) is asyncio.DefaultEventLoopPolicy


if sys.platform == "linux" and hasattr(selectors, "EpollSelector"):

    class PreciseSelector(selectors.EpollSelector):
        """``epoll`` that is waited for by ``select``, whose time is in microseconds."""

        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            """Return what is ready, after ``timeout`` seconds at the latest; ``None``: no limit."""
            if timeout is not None and timeout > 0 and self.fileno() < MOST_FILES:
                select.select((self,), (), (), timeout)
                timeout = 0
            return super().select(timeout)
