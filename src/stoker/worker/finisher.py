"""Hands outcomes to the broker in batches, and brings back the next jobs with the same call.

What piles up while one call is under way rides on the next: batching costs no time when there is
little to do, and saves most when there is much.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from stoker.broker.base import Broker, Finished, Want
from stoker.errors import BrokerError
from stoker.events import emit
from stoker.job.model import JobRecord, Lease
from stoker.job.outcome import Outcome
from stoker.worker.patience import Patience
from stoker.worker.slots import Room, Slots

MOST_AT_ONCE = 500


class Finisher:
    """Runs until it is cancelled. An outcome leaves it only once the broker has answered for it."""

    def __init__(
        self,
        broker: Broker,
        slots: Slots,
        want: Callable[[Room], Want],
        start: Callable[[Sequence[JobRecord]], None],
        held: dict[Lease, float],
    ) -> None:
        self._broker = broker
        self._slots = slots
        self._want = want
        self._start = start
        self._held = held
        self._outcomes: list[Outcome] = []
        self._filled = asyncio.Event()
        self._idle = asyncio.Event()
        self._patience = Patience()
        self._underway = False
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
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._outcomes:
                await self._settle()
            self._idle.set()

    async def _settle(self) -> None:
        outcomes = self._outcomes[:MOST_AT_ONCE]
        room = self._slots.reserve() if self.fetching else None
        self._underway = True
        try:
            answer = await self._finish(outcomes, room)
        except BrokerError as error:
            # Kept and tried again: the work is done, only its record is missing. The keeper goes
            # on renewing these leases meanwhile.
            emit("broker.failed", error=error, doing="finish")
            await self._patience.wait()
            return
        finally:
            self._underway = False
        self._patience.reset()
        del self._outcomes[: len(outcomes)]
        for outcome in outcomes:
            self._held.pop(outcome.lease, None)
        emit("jobs.finished", outcomes=outcomes, lost=answer.lost)
        if answer.lost:
            emit("jobs.lost", leases=answer.lost)
        self._start(answer.jobs)

    async def _finish(self, outcomes: Sequence[Outcome], room: Room | None) -> Finished:
        answer = Finished()
        try:
            want = None if room is None else self._want(room)
            answer = await self._broker.finish(outcomes, want)
        finally:
            if room is not None:
                self._slots.settle(room, answer.jobs)
        return answer
