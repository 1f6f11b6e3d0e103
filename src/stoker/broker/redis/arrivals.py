"""Sees to what a claim brought, before it is run: schedulers are armed, what is doomed is ended."""

from __future__ import annotations

import contextlib

from stoker.broker.redis import schedulers
from stoker.broker.redis.claimed import Born, Claimed
from stoker.broker.redis.finish import Settler
from stoker.broker.redis.server import Server
from stoker.errors import BrokerCorrupt, BrokerError
from stoker.failure import Failure
from stoker.job.model import Keep, lease_of
from stoker.job.outcome import Failed


class Arrivals:
    """What came out of a store with a claim, whichever call it rode on."""

    def __init__(self, server: Server, settler: Settler) -> None:
        self._server = server
        self._settler = settler

    async def see_to(self, brought: Claimed) -> Claimed:
        """Arm schedulers and end what is doomed; what was brought is to be run then.

        Does not fail: what else was claimed has to be run, and what was settled before is settled.
        A job whose scheduler cannot be reached now is left until its lease runs out: it is claimed
        again then, and its scheduler armed.
        """
        for born in brought.born:
            try:
                await self._arm(born, brought.at)
            except BrokerError as error:
                self._leave_out(brought, born, error)
        if brought.doomed:
            with contextlib.suppress(BrokerError):  # these, too, are claimed again
                await self._settler.settle(brought.doomed)
                await self._settler.refund(brought.doomed)
        return brought

    def _leave_out(self, brought: Claimed, born: Born, error: BrokerError) -> None:
        for job in [job for job in brought.jobs if (job.queue, job.id) == (born.queue, born.id)]:
            brought.jobs.remove(job)
            if isinstance(error, BrokerCorrupt):  # it would be so each time
                why = f"its scheduler {born.scheduler!r} cannot go on: {error.message}"
                brought.doomed.append(Failed(lease_of(job), Failure("unrecoverable", why), Keep()))

    async def _arm(self, born: Born, at: int) -> None:
        following = schedulers.following(born, at)
        if following is not None:
            call = self._server.new_call()
            call.place(born.queue)
            call.add(born.scheduler, born.id, following.due, following.opts)
            await self._server.run("schedule", call)
