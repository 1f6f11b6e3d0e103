"""Room for jobs: never over the total or a queue's limit, and nothing is forgotten."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stoker.worker.slots import Room, Slots
from tests.unit.support import a_job

LIMITS = {"a": 1, "b": 3, "c": 10}
TOTAL = 5
CHILDREN = 2


class Worker(RuleBasedStateMachine):
    """Claims that overlap, bring fewer jobs than there is room for, and jobs that end."""

    def __init__(self) -> None:
        super().__init__()
        self.slots = Slots(TOTAL, LIMITS, CHILDREN, narrow=["c"])
        self.narrow = {"c"}
        self.rooms: list[Room] = []
        self.running: list[str] = []
        self.in_children = 0

    @rule()
    def ask(self) -> None:
        """Reserve: all that is free, and ``None`` only if nothing is."""
        held = sum(room.count for room in self.rooms)
        free = TOTAL - len(self.running) - held
        children = CHILDREN - self.in_children - sum(room.children for room in self.rooms)
        open_ = {
            queue
            for queue, limit in LIMITS.items()
            if not any(room.queues.get(queue) for room in self.rooms)
            and limit > self.running.count(queue)
            and (queue not in self.narrow or children > 0)
        }

        room = self.slots.reserve()

        if room is None:
            assert free == 0 or not open_
            return
        assert room.count == free > 0
        assert room.queues.keys() >= open_
        assert all(room.queues.get(queue, 0) <= max(children, 0) for queue in self.narrow)
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

    @precondition(lambda self: self.slots.child_free)
    @rule()
    def begin_in_a_child(self) -> None:
        """A job begins that needs one; which child was asked for does not matter."""
        self.slots.take_child()

        self.in_children += 1

    @precondition(lambda self: self.in_children)
    @rule()
    def end_in_a_child(self) -> None:
        """A child is through with its job."""
        self.slots.return_child()

        self.in_children -= 1

    @rule(queue=st.sampled_from([*LIMITS]))
    def narrow_one(self, queue: str) -> None:
        """A queue's job was given back for want of a child."""
        assert self.slots.narrow(queue) == (queue not in self.narrow)

        self.narrow.add(queue)

    @rule(queue=st.sampled_from([*LIMITS]))
    def widen_one(self, queue: str) -> None:
        """A job of a queue needs no child."""
        self.slots.widen(queue)

        self.narrow.discard(queue)

    @invariant()
    def nothing_is_over_its_limit(self) -> None:
        assert len(self.running) <= TOTAL
        assert all(self.running.count(queue) <= limit for queue, limit in LIMITS.items())
        assert self.slots.busy == len(self.running) + sum(room.count for room in self.rooms)
        assert self.slots.child_free == (self.in_children < CHILDREN)

    def teardown(self) -> None:
        """When all is over, all is free again."""
        for room in self.rooms:
            self.slots.settle(room)
        for queue in self.running:
            self.slots.leave(queue)
        for _ in range(self.in_children):
            self.slots.return_child()
        for queue in LIMITS:
            self.slots.narrow(queue)
        room = self.slots.reserve()
        assert room is not None
        assert room.queues == {queue: min(limit, CHILDREN) for queue, limit in LIMITS.items()}
        self.slots.settle(room)
        for queue in LIMITS:
            self.slots.widen(queue)
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


def test_no_two_claims_share_a_child() -> None:
    slots = Slots(10, {"narrow": 10, "wide": 10}, children=3, narrow=["narrow"])

    first = slots.reserve(most=2)
    second = slots.reserve(most=2)
    third = slots.reserve(most=2, ahead=5)

    assert [room and room.queues.get("narrow", 0) for room in (first, second, third)] == [2, 1, 0]
    assert [room and room.queues["wide"] for room in (first, second, third)] == [2, 2, 2]


def test_none_is_asked_for_ahead_of_a_narrow_queue() -> None:
    slots = Slots(2, {"a": 2}, children=4, narrow=["a"])

    room = slots.reserve(ahead=2)

    assert room is not None
    assert room.queues == {"a": 2}
