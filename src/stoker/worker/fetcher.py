"""Claims jobs for free slots, and waits where there are none to claim.

While jobs keep coming, the finisher's calls bring them along and there is nothing to do here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from stoker.broker.base import Broker, Want
from stoker.errors import BrokerError
from stoker.events import emit
from stoker.job.model import JobRecord
from stoker.worker.finisher import Finisher
from stoker.worker.patience import Patience
from stoker.worker.slots import Room, Slots

WAIT_SECONDS = 5.0
"""How long one claim waits; an idle worker shows that often that it is alive."""


class Fetcher:
    """Runs until it is cancelled; in burst mode, until nothing is left to do."""

    def __init__(
        self,
        broker: Broker,
        slots: Slots,
        finisher: Finisher,
        want: Callable[[Room], Want],
        start: Callable[[Sequence[JobRecord]], None],
        *,
        burst: bool,
    ) -> None:
        self._broker = broker
        self._slots = slots
        self._finisher = finisher
        self._want = want
        self._start = start
        self._burst = burst
        self._patience = Patience()

    async def run(self) -> None:
        """Claim and start jobs."""
        while True:
            room = await self._room()
            try:
                jobs = await self._claim(room)
            except BrokerError as error:
                emit("broker.failed", error=error, doing="claim")
                await self._patience.wait()
                continue
            if self._patience.reset():
                emit("broker.answers", doing="claim")  # said also where there was no job
            if self._burst and not jobs:
                if self._slots.busy or not self._finisher.idle:
                    await self._finisher.next_idle()
                elif room.everywhere:
                    return

    async def _room(self) -> Room:
        """Wait until there is room and no call of the finisher that could fill it."""
        while not self._finisher.idle or (room := self._slots.reserve()) is None:
            await self._finisher.next_idle()
        return room

    async def _claim(self, room: Room) -> Sequence[JobRecord]:
        jobs: list[JobRecord] = []
        try:
            seconds = 0.0 if self._burst else WAIT_SECONDS
            claim = self._broker.claim(self._want(room), seconds)
            if seconds > 0 and not room.everywhere:
                await self._unless_idle(claim, jobs)
            else:
                jobs += await claim
        finally:
            self._slots.settle(room, jobs)
            # Cancelled as well: a worker that is being stopped hands them back.
            self._start(jobs)
        if jobs:
            await asyncio.sleep(0)  # they begin before more is asked for
        return jobs

    async def _unless_idle(
        self, claim: Coroutine[Any, Any, list[JobRecord]], jobs: list[JobRecord]
    ) -> None:
        """Claim, but only until a job has ended: then a queue that was full may have room.

        What was claimed is in ``jobs``, also when this is cancelled in the same moment.
        """
        claiming = asyncio.ensure_future(claim)
        ended = asyncio.ensure_future(self._finisher.next_idle())
        try:
            await asyncio.wait({claiming, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            if not claiming.done():
                claiming.cancel()
            await asyncio.gather(claiming, ended, return_exceptions=True)
            if not claiming.cancelled() and claiming.exception() is None:
                jobs += claiming.result()
        if not claiming.cancelled():
            claiming.result()  # or what it raised
