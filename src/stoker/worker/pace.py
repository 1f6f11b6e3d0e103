"""How soon jobs end, and so how many are worth claiming before there is a slot for them.

A slot whose job has ended is empty until the store has brought the next one. Where jobs are short
that is much of its time, so a few wait here already: no more than will have begun before another
worker could have fetched and begun them. Where jobs take longer that is none.
"""

from __future__ import annotations

import math

AHEAD_SECONDS = 0.015
"""How long a job that was claimed ahead has to wait for a slot, by how soon jobs ended so far."""
REMEMBERED = 64
"""About as many jobs count for the mean."""


class Pace:
    """The mean time from one job's end to the next one's, of a worker with so many ``slots``.

    Not of what jobs take: where some take hours and others no time, few slots have an end to offer.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._mean: float | None = None
        self._last = -math.inf

    def took(self, seconds: float, now: float) -> None:
        """A job has ended now that began so long ago."""
        # Not more than it took: before it began there may have been nothing to do.
        apart = min(now - self._last, seconds)
        self._last = now
        if self._mean is None:
            self._mean = seconds / self._slots  # as if the others did the same
        else:
            self._mean += (apart - self._mean) / REMEMBERED

    def forget(self) -> None:
        """Hold nothing ahead until jobs end often again: what was held did not come to begin."""
        self._mean = 2 * AHEAD_SECONDS

    @property
    def ahead(self) -> int:
        """How many jobs to hold besides those that run: at the most as many again."""
        if self._mean is None:
            return 0
        return int(min(AHEAD_SECONDS / max(self._mean, 1e-9), self._slots))
