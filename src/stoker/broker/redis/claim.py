"""Read what was claimed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from stoker.broker.redis.options import UNREADABLE, options_in
from stoker.broker.redis.records import BORN_WITH, claimed
from stoker.job.model import Failure, JobOptions, JobRecord, Keep, lease_of
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


def read(queues: Sequence[str], jobs: Sequence[Any], now: int, worker: str) -> Claimed:
    """Sort the jobs of an answer."""
    answer = Claimed([], [], [])
    for id, token, fields, place in jobs:
        queue = queues[int(place) - 1]
        record = claimed(queue, token, id, fields, now, worker)
        if len(fields) == BORN_WITH:
            answer.jobs.append(record)
            continue
        if (scheduler := fields[_SCHEDULER]) is not None:
            answer.born.append(Born(queue, id, scheduler, fields[_OPTS] or ""))
        if (why := fields[_DEFERRED]) is not None:
            failure = Failure("unrecoverable", why, f"UnrecoverableError: {why}")
            answer.doomed.append(Failed(lease_of(record), failure, _keep(fields[_OPTS])))
        else:
            answer.jobs.append(record)
    return answer


def _keep(opts: str | None) -> Keep:
    try:
        options = msgspec.json.decode(options_in(opts or ""), type=JobOptions)
    except UNREADABLE:
        return Keep()
    return Keep() if options.keep_failed is msgspec.UNSET else options.keep_failed
