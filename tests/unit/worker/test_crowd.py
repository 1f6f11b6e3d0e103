"""How long a queue is asked for less, because its jobs found all children busy."""

from __future__ import annotations

import asyncio

import pytest

from stoker.worker.crowd import LONG_TURN_SECONDS, TURN_SECONDS, Crowd
from stoker.worker.slots import Slots
from tests.unit.support import timeless


class Asked:
    """A worker of ten slots, all of its two children busy."""

    def __init__(self) -> None:
        self.slots = Slots(10, {"mixed": 10, "pure": 10}, children=2, narrow=["pure"])
        self.wider = 0
        self.widened = asyncio.Event()
        self.crowd = Crowd(self.slots, self._note)
        for _ in range(2):
            self.slots.take_child()

    def _note(self) -> None:
        self.wider += 1
        self.widened.set()

    def room(self, queue: str = "mixed") -> int:
        room = self.slots.reserve()
        if room is None:
            return 0
        self.slots.settle(room)
        return room.queues.get(queue, 0)


def test_a_queue_is_asked_for_what_children_are_free_for_and_a_turn_later_for_all() -> None:
    async def main() -> tuple[list[int], int]:
        asked = Asked()
        asked.crowd.turned_away("mixed")
        asked.crowd.turned_away("mixed")
        rooms = [asked.room()]
        asked.slots.return_child()
        rooms.append(asked.room())
        await asyncio.sleep(LONG_TURN_SECONDS * 1.1)
        return [*rooms, asked.room()], asked.wider

    assert timeless(main()) == ([0, 1, 10], 1)


async def turn_of(asked: Asked) -> float:
    """Return how long the queue is asked for less."""
    began = asyncio.get_running_loop().time()
    asked.widened.clear()
    asked.crowd.turned_away("mixed")
    await asked.widened.wait()
    return asyncio.get_running_loop().time() - began


def test_turns_are_short_where_something_else_has_begun_since_the_last() -> None:
    async def main() -> list[float]:
        asked = Asked()
        turns = [await turn_of(asked)]
        asked.crowd.passed("mixed")
        turns.append(await turn_of(asked))
        return [*turns, await turn_of(asked)]

    turns = timeless(main())
    assert turns == pytest.approx([LONG_TURN_SECONDS, TURN_SECONDS, LONG_TURN_SECONDS])


def test_a_queue_whose_jobs_all_need_a_child_stays_narrow() -> None:
    async def main() -> list[int]:
        asked = Asked()
        asked.crowd.turned_away("pure")
        rooms = [asked.room("pure")]
        await asyncio.sleep(2 * LONG_TURN_SECONDS)
        return [*rooms, asked.room("pure")]

    assert timeless(main()) == [0, 0]
