"""Hands outcomes to the broker in batches, and brings back the next jobs with the same call.

Two calls may be under way at once, so that jobs run while the store works. What piles up meanwhile
rides on the next: batching costs no time when there is little to do, and saves most when there is
much.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from stoker.broker.base import Broker, Finished, Want
from stoker.errors import BrokerError
from stoker.events import emit
from stoker.job.model import JobRecord, Lease
from stoker.job.outcome import Outcome, size_of
from stoker.worker.pace import Pace
from stoker.worker.patience import Patience
from stoker.worker.slots import Room, Slots

MOST_BYTES = 524_288
"""Results and failures of one call, in characters."""
LEAST_AT_ONCE = 25
"""So many outcomes are not divided: a call costs more than the store's work for them."""
ABREAST = 2
"""Calls under way at once."""


class Finisher:
    """Runs until it is cancelled. An outcome leaves it only once the broker has answered for it."""

    def __init__(
        self,
        broker: Broker,
        slots: Slots,
        pace: Pace,
        want: Callable[[Room], Want],
        start: Callable[[Sequence[JobRecord]], None],
        held: dict[Lease, float],
    ) -> None:
        self._broker = broker
        self._slots = slots
        self._pace = pace
        self._want = want
        self._start = start
        self._held = held
        self._outcomes: list[Outcome] = []
        self._filled = asyncio.Event()
        self._idle = asyncio.Event()
        self._patience = Patience()
        self._underway: list[int] = []
        """For each call, of how many of its outcomes it brings no other job in the place."""
        # With all of a worker's jobs in one call, the other would have nothing to bring or to take.
        self._share = min(max(slots.total // ABREAST, LEAST_AT_ONCE), broker.settled_at_once)
        self.fetching = True
        """Whether to ask for jobs; not while the worker stops."""

    @property
    def idle(self) -> bool:
        """Nothing waits to be settled, and no call is under way."""
        return not self._outcomes and not self._underway

    async def next_idle(self) -> None:
        """Wait until the last outcome has been settled once more."""
        self._idle.clear()
        await self._idle.wait()

    def put(self, outcome: Outcome) -> None:
        """Take an outcome; its slot is free already."""
        self._outcomes.append(outcome)
        self._filled.set()

    def nudge(self) -> None:
        """A slot became free without an outcome: whoever waits for room should look again."""
        self._filled.set()

    async def run(self) -> None:
        """Settle outcomes as they come."""
        await asyncio.gather(*(self._serve() for _ in range(ABREAST)))

    async def _serve(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._outcomes:
                await self._settle()
            if self.idle:
                self._idle.set()

    async def _settle(self) -> None:
        count = _portion(self._outcomes, self._share)
        outcomes, self._outcomes = self._outcomes[:count], self._outcomes[count:]
        room = self._room() if self.fetching else None
        unreplaced = max(len(outcomes) - (room.most if room else 0), 0)
        self._underway.append(unreplaced)
        try:
            answer = await self._finish(outcomes, room)
        except BrokerError as error:
            # Kept and tried again: the work is done, only its record is missing. The keeper goes
            # on renewing these leases meanwhile.
            self._outcomes[:0] = outcomes
            emit("broker.failed", error=error, doing="finish")
            await self._patience.wait()
            return
        finally:
            self._underway.remove(unreplaced)
        self._patience.reset()
        for outcome in outcomes:
            self._held.pop(outcome.lease, None)
        emit("jobs.finished", outcomes=outcomes, lost=answer.lost)
        if answer.lost:
            emit("jobs.lost", leases=answer.lost)
        self._start(answer.jobs)

    def _room(self) -> Room | None:
        """Hold room for the jobs that the next call is to bring."""
        ahead = self._pace.ahead
        # Their slots are free, but to the store these jobs are active. Where jobs take no time,
        # more would be claimed than settled: they would pile up, and make all calls slower.
        unsettled = len(self._outcomes) + sum(self._underway)
        # A little more than are settled: else what is held ahead would never come to be.
        return self._slots.reserve(self._share + (ahead + 3) // 4, ahead - unsettled)

    async def _finish(self, outcomes: Sequence[Outcome], room: Room | None) -> Finished:
        answer = Finished()
        try:
            want = None if room is None else self._want(room)
            answer = await self._broker.finish(outcomes, want)
        finally:
            if room is not None:
                self._slots.settle(room, answer.jobs)
        return answer


def _portion(outcomes: Sequence[Outcome], most: int) -> int:
    """Return how many of them one call should take, of ``most``: one at least."""
    size = 0
    for place, outcome in enumerate(outcomes[:most]):
        size += size_of(outcome)
        if size > MOST_BYTES and place > 0:
            return place
    return most
