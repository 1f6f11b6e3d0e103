"""How long a queue is asked for less, because its jobs found all children busy."""

from __future__ import annotations

import asyncio

from stoker.worker.crowd import LONG_SECONDS, TURN_SECONDS, Crowd
from stoker.worker.slots import Slots
from tests.unit.support import timeless


class Asked:
    """A worker of ten slots, all of its two children busy."""

    def __init__(self) -> None:
        self.slots = Slots(10, {"mixed": 10, "pure": 10}, children=2, narrow=["pure"])
        self.wider = 0
        self.crowd = Crowd(self.slots, self._note)
        for _ in range(2):
            self.slots.take_child()

    def _note(self) -> None:
        self.wider += 1

    def room(self, queue: str = "mixed") -> int:
        room = self.slots.reserve()
        if room is None:
            return 0
        self.slots.settle(room)
        return room.queues.get(queue, 0)


def test_where_only_jobs_were_seen_that_need_a_child_little_is_asked_for_a_long_time() -> None:
    async def main() -> tuple[list[int], int]:
        asked = Asked()
        asked.crowd.turned_away("mixed")
        asked.crowd.turned_away("mixed")
        rooms = [asked.room()]
        asked.slots.return_child()
        rooms.append(asked.room())
        await asyncio.sleep(LONG_SECONDS * 0.9)
        rooms.append(asked.room())
        await asyncio.sleep(LONG_SECONDS * 0.2)
        return [*rooms, asked.room()], asked.wider

    assert timeless(main()) == ([0, 1, 1, 10], 1)


def test_where_others_go_past_little_is_asked_for_one_turn() -> None:
    async def main() -> tuple[list[int], int]:
        asked = Asked()
        asked.crowd.passed("mixed")
        asked.crowd.turned_away("mixed")
        asked.crowd.passed("mixed")  # it was on its way
        rooms = [asked.room()]
        await asyncio.sleep(TURN_SECONDS * 1.1)
        return [*rooms, asked.room()], asked.wider

    assert timeless(main()) == ([0, 10], 1)


def test_the_first_that_needs_no_child_ends_a_long_time() -> None:
    async def main() -> list[int]:
        asked = Asked()
        asked.crowd.turned_away("mixed")
        rooms = [asked.room()]
        asked.crowd.passed("mixed")
        return [*rooms, asked.room()]

    assert timeless(main()) == [0, 10]


def test_a_queue_whose_jobs_all_need_a_child_stays_narrow() -> None:
    async def main() -> list[int]:
        asked = Asked()
        asked.crowd.turned_away("pure")
        rooms = [asked.room("pure")]
        await asyncio.sleep(2 * LONG_SECONDS)
        return [*rooms, asked.room("pure")]

    assert timeless(main()) == [0, 0]
