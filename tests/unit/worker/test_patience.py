"""After a failure: wait longer each time, up to a bound, and shortest again after a success."""

from __future__ import annotations

import asyncio

from stoker.worker.patience import FIRST_SECONDS, LONGEST_SECONDS, Patience
from tests.unit.support import timeless


def test_each_wait_is_longer_up_to_the_longest_and_half_of_it_is_drawn() -> None:
    async def main() -> list[float]:
        patience, loop = Patience(), asyncio.get_running_loop()
        waits: list[float] = []
        for _ in range(20):
            begun = loop.time()
            await patience.wait()
            waits.append(loop.time() - begun)
        return waits

    waits = timeless(main())

    for place, wait in enumerate(waits):
        most = min(FIRST_SECONDS * 2**place, LONGEST_SECONDS)
        assert most * 0.499 <= wait <= most * 1.001
    assert len(set(waits[-10:])) > 1


def test_after_a_success_the_next_wait_is_shortest_again() -> None:
    async def main() -> float:
        patience, loop = Patience(), asyncio.get_running_loop()
        for _ in range(10):
            await patience.wait()
        patience.reset()
        begun = loop.time()
        await patience.wait()
        return loop.time() - begun

    assert timeless(main()) <= FIRST_SECONDS * 1.001
