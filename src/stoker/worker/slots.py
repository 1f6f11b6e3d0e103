"""Room for jobs: how many a worker may run at once, in all and from each queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from stoker.job.model import JobRecord


class Room(msgspec.Struct, frozen=True):
    """Slots held for jobs that are being asked for."""

    queues: dict[str, int]
    count: int
    everywhere: bool
    """There is some in every queue."""


class Slots:
    """Counts what is free. Room is reserved before a claim, so no two claims share it."""

    def __init__(self, total: int, by_queue: Mapping[str, int]) -> None:
        self.total = total
        self._free = total
        self._free_in = dict(by_queue)
        self._limited = {queue for queue, limit in by_queue.items() if limit < total}
        self._order = list(by_queue)
        self._withheld: Counter[str] = Counter()

    @property
    def busy(self) -> int:
        """Slots that a job is in, or that are held for one."""
        return self.total - self._free

    def reserve(self, most: int | None = None, ahead: int = 0) -> Room | None:
        """Hold all the room there is, or ``most`` of it; ``None`` if there is none.

        ``ahead`` is how many jobs more than there are slots for may be held here; none of a queue
        that has a limit of its own. The queues take turns at coming first, or one that never runs
        dry would starve the others.
        """
        free = self._free + ahead
        if free <= 0:
            return None
        self._order.append(self._order.pop(0))
        count = free if most is None else min(most, free)
        queues = {
            queue: room if most is None else min(room, count)
            for queue in self._order
            if (room := self._free_in[queue] + (0 if queue in self._limited else ahead)) > 0
        }
        if not queues:
            return None
        self._free -= count
        for queue, held in queues.items():
            self._free_in[queue] -= held
        return Room(queues, count, len(queues) == len(self._order))

    def settle(self, room: Room, jobs: Iterable[JobRecord] = ()) -> None:
        """Give back what was held but for the slots of the jobs that came."""
        self._free += room.count
        for queue, most in room.queues.items():
            self._free_in[queue] += most
        for job in jobs:
            self._free -= 1
            self._free_in[job.queue] -= 1

    def leave(self, queue: str) -> None:
        """A job of ``queue`` is through."""
        self._free += 1
        self._free_in[queue] += 1

    def withhold(self, queue: str) -> None:
        """A job of ``queue`` was handed back: another in its place would fare no better."""
        self._free += 1
        self._withheld[queue] += 1

    def restore(self, most: int | None = None) -> None:
        """Give each queue back what was withheld, or ``most`` of it."""
        for queue, withheld in list(self._withheld.items()):
            count = withheld if most is None else min(withheld, most)
            self._free_in[queue] += count
            self._withheld[queue] -= count
        self._withheld = +self._withheld
