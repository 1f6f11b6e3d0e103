"""How long a queue is asked for less, because its jobs found all children busy."""

from __future__ import annotations

import asyncio

import pytest

from stoker.worker.crowd import LONGEST_SECONDS, TURN_SECONDS, Crowd
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
        await asyncio.sleep(TURN_SECONDS * 1.1)
        return [*rooms, asked.room()], asked.wider

    assert timeless(main()) == ([0, 1, 10], 1)


async def turns_of(asked: Asked, count: int) -> list[float]:
    """Return how long each of so many turns is, after each of which the same jobs come."""
    loop, turns = asyncio.get_running_loop(), []
    for _ in range(count):
        began = loop.time()
        asked.crowd.turned_away("mixed")
        asked.widened.clear()
        await asked.widened.wait()
        turns.append(loop.time() - began)
    return turns


def test_turns_grow_longer_where_nothing_else_comes() -> None:
    async def main() -> list[float]:
        return await turns_of(Asked(), 10)

    turns = timeless(main())
    assert turns[:3] == pytest.approx([TURN_SECONDS * n for n in (1, 2, 4)])
    assert turns[-2:] == pytest.approx([LONGEST_SECONDS] * 2)


def test_a_job_that_needs_no_child_makes_turns_short_again() -> None:
    async def main() -> list[float]:
        asked = Asked()
        await turns_of(asked, 10)
        asked.crowd.passed("mixed")
        return await turns_of(asked, 1)

    assert timeless(main()) == pytest.approx([TURN_SECONDS])


def test_a_queue_whose_jobs_all_need_a_child_stays_narrow() -> None:
    async def main() -> list[int]:
        asked = Asked()
        asked.crowd.turned_away("pure")
        rooms = [asked.room("pure")]
        await asyncio.sleep(2 * LONGEST_SECONDS)
        return [*rooms, asked.room("pure")]

    assert timeless(main()) == [0, 0]
