"""Settle outcomes, each once, though an answer may be lost."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from stoker.broker.base import Want
from stoker.broker.redis import claimed, outcomes
from stoker.broker.redis.claimed import Claimed
from stoker.broker.redis.server import Server
from stoker.errors import StokerError
from stoker.job.model import Lease
from stoker.job.outcome import Outcome

SETTLED_AT_ONCE = 125
"""Outcomes that one call of ``finish`` settles: no fewer than a worker hands over at once.

These and the next jobs take a worker about 1.5 ms. Where workers and server share the cores, who
works for longer is moved by the kernel to where the server runs, and all wait for that.
"""


class Answer(NamedTuple):
    """What a call of ``finish`` said of the outcomes that it was given, by their places from 1."""

    written: Sequence[Outcome]
    gone: Sequence[int]
    left: Sequence[int]

    def lost(self) -> Iterable[Lease]:
        """Return those whose lease was lost."""
        return (self.written[int(place) - 1].lease for place in self.gone)

    def settled(self) -> Iterable[Lease]:
        """Return those that were settled."""
        others = {int(place) for place in (*self.gone, *self.left)}
        return (each.lease for place, each in enumerate(self.written, 1) if place not in others)


class Settler:
    """Settles for all workers of a broker. What is claimed with it is for others to see to."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._in_doubt: set[Lease] = set()
        """Whose outcomes were sent, and for which no answer came: they may have been settled."""
        self._settled: set[Lease] = set()
        """Whose outcomes were settled by a call before the one that failed: nobody was told."""

    async def settle(
        self, given: Sequence[Outcome], want: Want | None = None
    ) -> tuple[frozenset[Lease], Claimed | None]:
        """Return the leases that were lost, and what was claimed for who wants it."""
        if not given and want is None:
            self._server.check_open()
            return frozenset(), None
        given = await self._unsettled(given)
        first, repeated = outcomes.without_repeats(given)
        answers: list[Answer] = []
        brought = None
        try:
            while first or (want is not None and brought is None):
                part, first = first[:SETTLED_AT_ONCE], first[SETTLED_AT_ONCE:]
                brought = await self._settle(part, None if first else want, answers)
        except BaseException:
            settled = {lease for answer in answers for lease in answer.settled()}
            lost = {lease for answer in answers for lease in answer.lost()}
            self._settled |= settled
            self._in_doubt.update({outcome.lease for outcome in given} - settled - lost)
            raise
        if unrun := [outcome for outcome in given if outcomes.was_never_run(outcome)]:
            await self.refund(unrun)
        return repeated.union(*(answer.lost() for answer in answers)), brought

    async def _settle(
        self, asked: Sequence[Outcome], want: Want | None, answers: list[Answer]
    ) -> Claimed | None:
        """Settle these, by as many calls as it takes, then claim. Adds what each call answered."""
        look_from = 0
        while True:
            call = self._server.new_call()
            call.add(look_from)
            written = outcomes.write(call, asked)
            call.want(want)
            gone, jobs, left, look_from = await self._server.run("finish", call)
            answers.append(Answer(written, gone, left))
            if not left:
                return None if want is None else claimed.read(call, want.worker, jobs)
            asked = [written[int(place) - 1] for place in left]

    async def _unsettled(self, given: Sequence[Outcome]) -> Sequence[Outcome]:
        """Return the outcomes less those that were settled and nobody was told."""
        if not self._in_doubt and not self._settled:
            return given
        told = self._settled.intersection(outcome.lease for outcome in given)
        settled = set(told)
        resent = [outcome for outcome in given if outcome.lease in self._in_doubt]
        asked: Sequence[Outcome] = resent
        while asked:  # one call may look at the first few only
            call = self._server.new_call()
            outcomes.resent(call, asked)
            places, looked_at = await self._server.run("settled", call)
            settled.update(asked[int(place) - 1].lease for place in places)
            asked = asked[int(looked_at) :]
        self._in_doubt.difference_update(outcome.lease for outcome in resent)
        self._settled -= told
        return [outcome for outcome in given if outcome.lease not in settled]

    async def refund(self, unrun: Sequence[Outcome]) -> None:
        """Let jobs that could not be run count for nothing in the rate limit of their queue."""
        call = self._server.new_call()
        for queue, count in Counter(outcome.lease.queue for outcome in unrun).items():
            call.place(queue)
            call.add(count)
        with contextlib.suppress(StokerError):  # the outcomes count, whatever becomes of this
            await self._server.run("refund", call)
