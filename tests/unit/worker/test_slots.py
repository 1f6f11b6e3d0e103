"""Room for jobs: never over the total, never over a queue's own limit, and nothing is forgotten."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stoker.worker.slots import Room, Slots
from tests.unit.support import a_job

LIMITS = {"a": 1, "b": 3, "c": 10}
TOTAL = 5


class Worker(RuleBasedStateMachine):
    """Claims that overlap, bring fewer jobs than there is room for, and jobs that end."""

    def __init__(self) -> None:
        super().__init__()
        self.slots = Slots(TOTAL, LIMITS)
        self.rooms: list[Room] = []
        self.running: list[str] = []
        self.withheld: list[str] = []

    @rule()
    def ask(self) -> None:
        """Reserve: all that is free, and ``None`` only if nothing is."""
        held = sum(room.count for room in self.rooms)
        free = TOTAL - len(self.running) - held
        open_ = {
            queue: left
            for queue, limit in LIMITS.items()
            if not any(room.queues.get(queue) for room in self.rooms)
            and (left := limit - (self.running + self.withheld).count(queue)) > 0
        }

        room = self.slots.reserve()

        if room is None:
            assert free == 0 or not open_
            return
        assert room.count == free > 0
        assert room.queues.keys() >= open_.keys()
        assert room.everywhere == (room.queues.keys() == LIMITS.keys())
        self.rooms.append(room)

    @precondition(lambda self: self.rooms)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        """The claim brings any jobs that it had room for."""
        room = self.rooms.pop(data.draw(st.integers(0, len(self.rooms) - 1), label="room"))
        offered = [queue for queue, most in room.queues.items() for _ in range(most)]
        came = data.draw(st.permutations(offered), label="jobs")
        count = data.draw(st.integers(0, min(room.count, len(came))), label="count")

        self.slots.settle(room, [a_job(queue=queue) for queue in came[:count]])

        self.running += came[:count]

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        """A job is through."""
        queue = data.draw(st.sampled_from(self.running))

        self.slots.leave(queue)

        self.running.remove(queue)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def hand_back(self, data: st.DataObject) -> None:
        """A job was handed back: its slot is free, its queue's room is not."""
        queue = data.draw(st.sampled_from(self.running))

        self.slots.withhold(queue)

        self.running.remove(queue)
        self.withheld.append(queue)

    @rule(all_of_it=st.booleans())
    def restore(self, all_of_it: bool) -> None:
        """Something that was lacking is there again."""
        self.slots.restore(None if all_of_it else 1)

        for queue in set(self.withheld):
            self.withheld.remove(queue)
        if all_of_it:
            self.withheld.clear()

    @invariant()
    def nothing_is_over_its_limit(self) -> None:
        assert len(self.running) <= TOTAL
        assert all(
            (self.running + self.withheld).count(queue) <= limit for queue, limit in LIMITS.items()
        )
        assert self.slots.busy == len(self.running) + sum(room.count for room in self.rooms)

    def teardown(self) -> None:
        """When all is over, all is free again."""
        for room in self.rooms:
            self.slots.settle(room)
        for queue in self.running:
            self.slots.leave(queue)
        self.slots.restore()
        room = self.slots.reserve()
        assert room is not None
        assert (room.count, room.queues) == (TOTAL, LIMITS)


TestSlots = Worker.TestCase
TestSlots.settings = settings(max_examples=40, stateful_step_count=30)


def test_queues_take_turns_at_coming_first() -> None:
    slots = Slots(1, {"a": 1, "b": 1, "c": 1})
    first: list[str] = []

    for _ in range(6):
        room = slots.reserve()
        assert room is not None
        first.append(next(iter(room.queues)))
        slots.settle(room)

    assert first == ["b", "c", "a"] * 2


def test_while_a_claim_is_under_way_another_gets_only_what_became_free() -> None:
    slots = Slots(3, {"a": 3})
    first = slots.reserve()
    assert first is not None
    slots.settle(first, [a_job(queue="a")])

    second, third = slots.reserve(), slots.reserve()
    slots.leave("a")
    fourth = slots.reserve()

    assert second == Room({"a": 2}, 2, everywhere=True)
    assert third is None
    assert fourth == Room({"a": 1}, 1, everywhere=True)


def test_more_than_there_are_slots_may_be_asked_for_but_not_past_a_queues_own_limit() -> None:
    slots = Slots(3, {"a": 3, "own": 2})

    room = slots.reserve(ahead=2)

    assert room is not None
    assert (room.count, room.queues) == (5, {"own": 2, "a": 5})
    slots.settle(room, [a_job(queue="a")] * 4)
    assert slots.busy == 4
    assert slots.reserve() is None
    more = slots.reserve(ahead=2)
    assert more is not None
    assert (more.count, more.queues) == (1, {"a": 1, "own": 2})
