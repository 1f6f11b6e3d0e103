"""Which jobs a command is about, and finding them page by page."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stoker.app import Stoker
from stoker.cli.target import chosen_queues
from stoker.failure import Reason
from stoker.job.model import JobRecord
from stoker.job.states import FINISHED, State
from stoker.queue import Filter, Queue

LIST_ORDER = (State.ACTIVE, State.WAITING, State.DELAYED, State.FAILED, State.COMPLETED)


class Criteria(msgspec.Struct, frozen=True, kw_only=True):
    """What the options of ``filter_options`` and ``state_option`` said."""

    queues: tuple[str, ...] = ()
    states: tuple[State, ...] = ()
    name: str | None = None
    text: str | None = None
    since: int | None = None
    until: int | None = None
    reasons: tuple[Reason, ...] = ()

    @property
    def narrow(self) -> bool:
        """Whether they leave out some jobs of a queue and state."""
        given = (self.name, self.text, self.since, self.until)
        return bool(self.reasons) or any(value is not None for value in given)

    @property
    def empty(self) -> bool:
        """Whether nothing was said at all."""
        return not (self.narrow or self.queues or self.states)

    def filters(self, states: Sequence[State]) -> list[Filter]:
        """Return a filter for each state: those that were named, else ``states``."""
        return [
            Filter(
                state=state,
                name=self.name,
                text=self.text,
                reasons=self.reasons or None,
                since=self.since,
                until=self.until,
            )
            for state in self.states or states
        ]


async def find_jobs(app: Stoker, criteria: Criteria, limit: int) -> tuple[list[JobRecord], bool]:
    """Return at most ``limit`` jobs and whether there are more.

    By state; of finished ones those that finished last come first, the others by queue and in the
    order they will run.
    """
    found: list[JobRecord] = []
    queues = await chosen_queues(app, criteria.queues)
    for which in criteria.filters(LIST_ORDER):
        most = limit + 1 - len(found)
        of_state: list[JobRecord] = []
        for name in queues:
            own: list[JobRecord] = []
            await _find(app, name, which, most, own)
            of_state += own
            if which.state not in FINISHED and len(of_state) >= most:
                break
        if which.state in FINISHED:  # the newest of any queue may be in the last one
            of_state.sort(key=lambda job: job.finished_at or 0, reverse=True)
        found += of_state[:most]
        if len(found) > limit:
            return found[:limit], True
    return found, False


async def count_jobs(queue: Queue, which: Filter) -> int:
    """Return how many jobs there are, a page at a time."""
    count, after = 0, None
    while True:
        page = await queue.find(which, after=after, limit=500)
        count += len(page.jobs)
        after = page.next
        if after is None:
            return count


async def _find(app: Stoker, queue: str, which: Filter, most: int, found: list[JobRecord]) -> None:
    after = None
    newest_first = which.state in FINISHED
    while len(found) < most:
        page = await app.queue(queue).find(
            which, newest_first=newest_first, after=after, limit=min(500, most - len(found))
        )
        found += page.jobs
        after = page.next
        if after is None:
            return
