"""Commands for jobs that are named by their ids: what becomes of each."""

from __future__ import annotations

import msgspec

from stoker.app import Stoker
from stoker.cli.selection import Criteria
from stoker.cli.target import AmbiguousId, chosen_queues, find_job
from stoker.cli.verbs import Verb
from stoker.errors import BrokerError, JobNotFound, StokerError
from stoker.job.model import JobRecord
from stoker.job.states import State

SCHEDULED = "repeat:"
"""How the ids begin of what BullMQ's job schedulers make."""
IS_NEXT = "is the next one of a job scheduler of BullMQ's, which would end with it"


class Fate(msgspec.Struct, frozen=True):
    """What became of one job, or would."""

    id: str
    queue: str | None = None
    state: State | None = None
    why_not: str = ""
    """Why nothing was done to it; empty: it was done."""
    hint: str | None = None
    changed: int = 0
    """Jobs, with the children that went with it."""

    @property
    def job(self) -> str:
        """Return how people call it."""
        return f"job {self.id}" + (f" of {self.queue}" if self.queue else "")


async def fates(
    app: Stoker, verb: Verb, ids: tuple[str, ...], criteria: Criteria, *, dry_run: bool
) -> list[Fate]:
    """Do it to those that are there and whose state allows it. Raises for an unknown queue."""
    await chosen_queues(app, criteria.queues)
    # All are looked up before the first is touched: what goes with its parent was there.
    found = [await _seen(app, verb, id, criteria) for id in dict.fromkeys(ids)]
    if dry_run:
        return [msgspec.structs.replace(each, changed=not each.why_not) for each in found]
    return [each if each.why_not else await _done(app, verb, each) for each in found]


async def _seen(app: Stoker, verb: Verb, id: str, criteria: Criteria) -> Fate:
    try:
        job = (await find_job(app, id, criteria.queues)).job
    except (JobNotFound, AmbiguousId) as error:  # any other error is not about this id
        return _unfound(id, error)
    why = verb.why_not(job.state, criteria.states)
    return _fate(job, "" if why is None else f"it {why}")


def _unfound(id: str, error: StokerError) -> Fate:
    return Fate(id, why_not=error.message, hint=error.hint)


def _fate(job: JobRecord, why: str) -> Fate:
    return Fate(job.id, job.queue, job.state, why)


async def _done(app: Stoker, verb: Verb, each: Fate) -> Fate:
    queue = app.queue(each.queue or "")
    try:
        changed = await verb.sweep(queue, (each.id,), None)
        broker = await app.client.broker()
        detail = None if changed else await broker.detail(queue.name, each.id)
    except BrokerError as error:  # what was done to those before it is told all the same
        return _late(each, error.message, each.state, error.hint)
    if changed:
        return msgspec.structs.replace(each, changed=changed)
    if detail is None:
        if verb.removes:
            return each
        return _late(each, f"{each.job} was removed meanwhile", state=None)
    state = detail.job.state
    if state in verb.states and each.id.startswith(SCHEDULED):
        return _late(each, f"it {IS_NEXT}", state, "in Node: queue.removeJobScheduler(…)")
    if verb.held and state in verb.states:
        return _late(each, f"it {verb.held}", state)
    return _late(each, f"its state changed meanwhile, from {each.state}", state)


def _late(each: Fate, why: str, state: State | None, hint: str | None = None) -> Fate:
    return msgspec.structs.replace(each, why_not=why, state=state, hint=hint)
