"""How long jobs take, and so how many are worth claiming before there is a slot for them.

A slot whose job has ended is empty until the store has brought the next one. Where jobs are short
that is much of its time, so a few wait here already: no more than will have begun before another
worker could have fetched and begun them. Where jobs take longer that is none.
"""

from __future__ import annotations

AHEAD_SECONDS = 0.015
"""How long a job that was claimed ahead has to wait for a slot, by what jobs took so far."""
REMEMBERED = 64
"""About as many jobs count for the mean."""


class Pace:
    """The mean of what jobs take, of a worker with so many ``slots``."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._mean: float | None = None

    def took(self, seconds: float) -> None:
        """A job has ended that began so long ago."""
        if self._mean is None:
            self._mean = seconds
        else:
            self._mean += (seconds - self._mean) / REMEMBERED

    def forget(self) -> None:
        """Hold nothing ahead until a job has ended: those that run take longer than others did."""
        self._mean = None

    @property
    def ahead(self) -> int:
        """How many jobs to hold besides those that run: at the most as many again."""
        if self._mean is None:
            return 0
        return int(self._slots * AHEAD_SECONDS / max(self._mean, AHEAD_SECONDS))
