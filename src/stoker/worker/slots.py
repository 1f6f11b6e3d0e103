"""Room for jobs: how many a worker may run at once, in all, from each queue and in children.

Each *narrow* queue is asked for no more jobs than there are children free: one whose tasks all need
a child, and others while ``crowd`` says so. Several of them may be asked for the same children.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from stoker.job.model import JobRecord


class Room(msgspec.Struct, frozen=True):
    """Slots held for jobs that are being asked for."""

    queues: dict[str, int]
    count: int
    everywhere: bool
    """There is some in every queue."""
    children: int = 0
    """How many children are held for jobs of narrow queues."""

    @property
    def most(self) -> int:
        """How many jobs can come."""
        return min(self.count, sum(self.queues.values()))


class Slots:
    """Counts what is free. Room is reserved before a claim, so no two claims share it."""

    def __init__(
        self,
        total: int,
        by_queue: Mapping[str, int],
        children: int = 0,
        narrow: Collection[str] = (),
    ) -> None:
        self.total = total
        self._free = total
        self._free_in = dict(by_queue)
        self._limited = {queue for queue, limit in by_queue.items() if limit < total}
        self._order = list(by_queue)
        self._children = children
        self._held_children = 0
        self._narrow = set(narrow)

    @property
    def busy(self) -> int:
        """Slots that a job is in, or that are held for one."""
        return self.total - self._free

    @property
    def child_free(self) -> bool:
        """Whether a job that needs a child process can begin."""
        return self._children > 0

    def reserve(self, most: int | None = None, ahead: int = 0) -> Room | None:
        """Hold all the room there is, or ``most`` of it; ``None`` if there is none.

        ``ahead`` is how many jobs more than there are slots for may be held here, or how many
        fewer; a queue that is narrow or has a limit of its own is asked for neither.
        The queues take turns at coming first, or one that never runs dry would starve the others.
        """
        free = self._free + ahead
        if free <= 0:
            return None
        self._order.append(self._order.pop(0))
        count = free if most is None else min(most, free)
        queues = {
            queue: room if most is None else min(room, count)
            for queue in self._order
            if (room := self._room_in(queue, ahead)) > 0
        }
        if not queues:
            return None
        self._free -= count
        for queue, held in queues.items():
            self._free_in[queue] -= held
        children = max((queues.get(queue, 0) for queue in self._narrow), default=0)
        self._held_children += children
        return Room(queues, count, len(queues) == len(self._order), children)

    def settle(self, room: Room, jobs: Iterable[JobRecord] = ()) -> None:
        """Give back what was held but for the slots of the jobs that came."""
        self._free += room.count
        self._held_children -= room.children
        for queue, most in room.queues.items():
            self._free_in[queue] += most
        for job in jobs:
            self._free -= 1
            self._free_in[job.queue] -= 1

    def leave(self, queue: str) -> None:
        """A job of ``queue`` is through."""
        self._free += 1
        self._free_in[queue] += 1

    def take_child(self) -> None:
        """A job began that needs a child."""
        self._children -= 1

    def return_child(self) -> None:
        """A child is through with its job."""
        self._children += 1

    def narrow(self, queue: str) -> bool:
        """Ask ``queue`` only for what children are free for. ``False`` if it was so before."""
        before = len(self._narrow)
        self._narrow.add(queue)
        return len(self._narrow) > before

    def widen(self, queue: str) -> None:
        """Ask ``queue`` for as much as there are slots for."""
        self._narrow.discard(queue)

    def _room_in(self, queue: str, ahead: int) -> int:
        free = self._free_in[queue]
        if queue in self._narrow:
            return min(free, self._children - self._held_children)
        return free if queue in self._limited else free + ahead
