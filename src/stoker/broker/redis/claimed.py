"""Read what was claimed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from stoker.broker.redis.calls import Call
from stoker.broker.redis.options import UNREADABLE, options_in
from stoker.broker.redis.records import given_out, never_run
from stoker.failure import Failure
from stoker.job.model import JobOptions, JobRecord, Keep, lease_of
from stoker.job.outcome import Failed

_DEFERRED, _SCHEDULER, _OPTS = 13, 14, 2


class Born(NamedTuple):
    """A job that came from a BullMQ job scheduler, whose next one has to be armed."""

    queue: str
    id: str
    scheduler: str
    opts: str


class Claimed(NamedTuple):
    """What a claim brought."""

    jobs: list[JobRecord]
    doomed: list[Failed]
    """The ends of jobs that are to fail without being run: a child of theirs has failed them, or
    BullMQ found that they had stalled too often."""
    born: list[Born]
    at: int
    """When they were claimed."""
    due: int | None
    """When the next may be there, if none came and it is known."""


def read(call: Call, worker: str, given: Sequence[Any]) -> Claimed:
    """Sort the jobs of an answer to ``call``."""
    fresh, others, due = given
    queues = call.queues
    jobs = never_run(queues, fresh, call.token, call.now, worker)
    answer = Claimed(jobs, [], [], call.now, due)
    left = 0
    for before, place, id, token, fields in others:
        queue = queues[int(place) - 1]
        record = given_out(queue, token, id, fields, call.now, worker)
        if (scheduler := fields[_SCHEDULER]) is not None:
            answer.born.append(Born(queue, id, scheduler, fields[_OPTS] or ""))
        if (why := fields[_DEFERRED]) is not None:
            failure = Failure("unrecoverable", why, f"UnrecoverableError: {why}")
            answer.doomed.append(Failed(lease_of(record), failure, _keep(fields[_OPTS])))
            left += 1
        else:
            jobs.insert(before - left, record)
    return answer


def _keep(opts: str | None) -> Keep:
    try:
        options = msgspec.json.decode(options_in(opts or ""), type=JobOptions)
    except UNREADABLE:
        return Keep()
    return Keep() if options.keep_failed is msgspec.UNSET else options.keep_failed
