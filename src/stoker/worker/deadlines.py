"""When running jobs have to be through: one timer for all of them, not one for each.

At tens of thousands of jobs a second, a timer of the event loop per job (made, heaped, cancelled)
would be a quarter of the loop's work.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from stoker.worker.run import Run


class Deadlines:
    """Calls ``overrun`` for each run that is still there when its time is up.

    Runs with equal timeouts fall due in the order in which they began: each length has a line of
    its own, of which only the head is looked at.
    """

    def __init__(self, overrun: Callable[[Run], None]) -> None:
        self._overrun = overrun
        self._lines: dict[int, OrderedDict[Run, float]] = {}
        self._loop = asyncio.get_running_loop()

    def add(self, run: Run) -> None:
        """Begin to measure a run's time."""
        timeout_ms = run.policy.timeout_ms
        if timeout_ms is None or run.ended:
            return
        line = self._lines.get(timeout_ms)
        if line is None:
            line = self._lines[timeout_ms] = OrderedDict()
            self._loop.call_later(timeout_ms / 1_000, self._check, timeout_ms)
        line[run] = self._loop.time() + timeout_ms / 1_000

    def discard(self, run: Run) -> None:
        """The run is through."""
        line = self._lines.get(run.policy.timeout_ms or 0)
        if line is not None:
            line.pop(run, None)

    def _check(self, timeout_ms: int) -> None:
        line = self._lines[timeout_ms]
        now = self._loop.time()
        while line:
            run, deadline = next(iter(line.items()))
            if deadline > now:
                self._loop.call_at(deadline, self._check, timeout_ms)
                return
            del line[run]
            self._overrun(run)
        del self._lines[timeout_ms]
