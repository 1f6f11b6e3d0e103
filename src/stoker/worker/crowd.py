"""What to ask of a queue whose jobs found all child processes busy.

Which of a queue's jobs need a child is only known once they are claimed. Those that wait here for
too long are given back, and stand first in line again: asked at once for as many as before, the
queue would give this worker the same ones, for ever, and another that has a child to spare none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from stoker.worker.slots import Slots

TURN_SECONDS = 0.03
"""What other workers have to take what was given back, where jobs that need no child are behind."""
LONG_TURN_SECONDS = 1.0
"""The same where no such job was seen since the last turn: there is likely none to get at."""


class Crowd:
    """Makes queues narrow, and wide again; ``wider`` is called when time has done it."""

    def __init__(self, slots: Slots, wider: Callable[[], None]) -> None:
        self._slots = slots
        self._wider = wider
        self._passed: set[str] = set()
        self._loop = asyncio.get_running_loop()

    def passed(self, queue: str) -> None:
        """A job of the queue begins that needs no child."""
        self._passed.add(queue)

    def turned_away(self, queue: str) -> None:
        """A job of the queue is given back, for no child was free."""
        if self._slots.narrow(queue):
            seconds = TURN_SECONDS if queue in self._passed else LONG_TURN_SECONDS
            self._loop.call_later(seconds, self._widen, queue)

    def _widen(self, queue: str) -> None:
        self._passed.discard(queue)
        self._slots.widen(queue)
        self._wider()
