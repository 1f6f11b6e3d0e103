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
"""What other workers have at first to take what was given back. Each turn is twice as long as the
one before, until a job began that needs no child: then there is something behind to get at."""
LONGEST_SECONDS = 2.0


class Crowd:
    """Makes queues narrow, and wide again; ``wider`` is called when time has done it."""

    def __init__(self, slots: Slots, wider: Callable[[], None]) -> None:
        self._slots = slots
        self._wider = wider
        self._turns: dict[str, float] = {}
        self._loop = asyncio.get_running_loop()

    def passed(self, queue: str) -> None:
        """A job of the queue begins that needs no child."""
        self._turns.pop(queue, None)

    def turned_away(self, queue: str) -> None:
        """A job of the queue is given back, for no child was free."""
        if self._slots.narrow(queue):
            seconds = self._turns.get(queue, TURN_SECONDS)
            self._turns[queue] = min(2 * seconds, LONGEST_SECONDS)
            self._loop.call_later(seconds, self._widen, queue)

    def _widen(self, queue: str) -> None:
        self._slots.widen(queue)
        self._wider()
