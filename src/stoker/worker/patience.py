"""Waiting after a failure: longer each time, and not all at the same moment."""

from __future__ import annotations

import asyncio
import random

FIRST_SECONDS = 0.1
LONGEST_SECONDS = 2.0


class Patience:
    """Doubles from a tenth of a second to two seconds, with half of it drawn at random.

    The bound is low because a broker that has come back should have all workers within seconds;
    the draw is there so that they do not all come in the same one.
    """

    def __init__(self) -> None:
        self._failures = 0

    def reset(self) -> bool:
        """It worked: the next failure waits shortest again. Returns whether it had failed."""
        failed, self._failures = self._failures > 0, 0
        return failed

    async def wait(self) -> None:
        """Wait after a failure."""
        seconds = min(FIRST_SECONDS * 2 ** min(self._failures, 10), LONGEST_SECONDS)
        self._failures += 1
        await asyncio.sleep(seconds * random.uniform(0.5, 1.0))
