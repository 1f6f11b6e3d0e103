"""Claimed jobs that wait for a slot or a child process: they begin the moment it is free.

That should be soon (see ``pace``). Where it is not, for those that run take longer than the ones
before them, or all children are busy, they are given back: another worker may be free.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable

from stoker.job.model import Lease
from stoker.worker.run import Run

LONGEST_SECONDS = 0.1
"""After twice this nobody waits here any more."""


class Line:
    """First come, first to begin. ``give_back`` gets those that have waited for too long."""

    def __init__(self, give_back: Callable[[Run], None]) -> None:
        self._give_back = give_back
        self._waiting: OrderedDict[Lease, Run] = OrderedDict()
        self._seen: tuple[Lease, ...] = ()
        self._watching = False

    def put(self, run: Run) -> None:
        """Let a job wait; see to it that ``watch`` is called if it does not begin at once."""
        self._waiting[run.lease] = run

    def watch(self) -> None:
        """See for how long those wait that are here."""
        if self._waiting and not self._watching:
            self._watching = True
            asyncio.get_running_loop().call_later(LONGEST_SECONDS, self._look)

    def next(self, *, child_free: bool) -> Run | None:
        """Return the first that can begin, if there is one: those that cannot let it pass."""
        for lease, run in self._waiting.items():
            if child_free or not run.in_child:
                del self._waiting[lease]
                return run
        return None

    def take(self, lease: Lease) -> Run | None:
        """Return the one with this lease, if it waits here."""
        return self._waiting.pop(lease, None)

    def take_all(self) -> Iterable[Run]:
        """Return all."""
        runs = list(self._waiting.values())
        self._waiting.clear()
        return runs

    def _look(self) -> None:
        for lease in self._seen:
            if (run := self._waiting.pop(lease, None)) is not None:
                self._give_back(run)
        self._seen = tuple(self._waiting)
        self._watching = bool(self._seen)
        if self._watching:
            asyncio.get_running_loop().call_later(LONGEST_SECONDS, self._look)
