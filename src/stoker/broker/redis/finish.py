"""Settle outcomes, each once, though an answer may be lost."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence

from stoker.broker.base import Want
from stoker.broker.redis import claimed, outcomes
from stoker.broker.redis.claimed import Claimed
from stoker.broker.redis.server import Server
from stoker.errors import StokerError
from stoker.job.model import Lease
from stoker.job.outcome import Outcome

SETTLED_AT_ONCE = 125
"""Outcomes that one call of ``finish`` settles: no fewer than a worker hands over at once. Of more,
the first part may be settled when the next one fails; sent again, it would be told as lost.

These and the next jobs take a worker about 1.5 ms. Where workers and server share the cores, who
works for longer is moved by the kernel to where the server runs, and all wait for that.
"""


class Settler:
    """Settles for all workers of a broker. What is claimed with it is for others to see to."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._in_doubt: set[Lease] = set()
        """Whose outcomes were sent, and for which no answer came: they may have been settled."""

    async def settle(
        self, given: Sequence[Outcome], want: Want | None = None
    ) -> tuple[frozenset[Lease], Claimed | None]:
        """Return the leases that were lost, and what was claimed for who wants it."""
        if not given and want is None:
            self._server.check_open()
            return frozenset(), None
        lost: frozenset[Lease] = frozenset()
        while len(given) > SETTLED_AT_ONCE:
            part, given = given[:SETTLED_AT_ONCE], given[SETTLED_AT_ONCE:]
            lost |= (await self._settle(part, None))[0]
        lost_last, brought = await self._settle(given, want)
        return lost | lost_last, brought

    async def _settle(
        self, given: Sequence[Outcome], want: Want | None
    ) -> tuple[frozenset[Lease], Claimed | None]:
        if self._in_doubt:
            given = await self._unsettled(given)
        first, repeated = outcomes.without_repeats(given)
        try:
            lost, brought = await self._run(first, want)
        except BaseException:
            self._in_doubt.update(outcome.lease for outcome in given)
            raise
        if unrun := [outcome for outcome in given if outcomes.was_never_run(outcome)]:
            await self.refund(unrun)
        return repeated | lost, brought

    async def _run(
        self, asked: Sequence[Outcome], want: Want | None
    ) -> tuple[frozenset[Lease], Claimed | None]:
        lost: set[Lease] = set()
        look_from = 0
        while True:
            call = self._server.new_call()
            call.add(look_from)
            written = outcomes.write(call, asked)
            call.want(want)
            gone, jobs, left, look_from = await self._server.run("finish", call)
            lost.update(written[int(place) - 1].lease for place in gone)
            if not left:
                break
            asked = [written[int(place) - 1] for place in left]
        return frozenset(lost), None if want is None else claimed.read(call, want.worker, jobs)

    async def _unsettled(self, given: Sequence[Outcome]) -> Sequence[Outcome]:
        """Return the outcomes less those that an earlier call settled without being answered."""
        resent = [outcome for outcome in given if outcome.lease in self._in_doubt]
        settled: set[Lease] = set()
        asked = resent
        while asked:  # one call may look at the first few only
            call = self._server.new_call()
            outcomes.resent(call, asked)
            places, looked_at = await self._server.run("settled", call)
            settled.update(asked[int(place) - 1].lease for place in places)
            asked = asked[int(looked_at) :]
        self._in_doubt.difference_update(outcome.lease for outcome in resent)
        return [outcome for outcome in given if outcome.lease not in settled]

    async def refund(self, unrun: Sequence[Outcome]) -> None:
        """Let jobs that could not be run count for nothing in the rate limit of their queue."""
        call = self._server.new_call()
        for queue, count in Counter(outcome.lease.queue for outcome in unrun).items():
            call.place(queue)
            call.add(count)
        with contextlib.suppress(StokerError):  # the outcomes count, whatever becomes of this
            await self._server.run("refund", call)
