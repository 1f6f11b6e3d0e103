"""Add jobs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from stoker.broker.base import Added
from stoker.broker.redis.calls import Call
from stoker.broker.redis.options import opts_of
from stoker.broker.redis.server import Server
from stoker.errors import InvalidJob
from stoker.job.model import NewJob
from stoker.job.settings import TAKEN_IDS

_kind = attrgetter("queue", "name", "options", "priority", "delay_ms", "lifo")


async def add(server: Server, jobs: Sequence[NewJob]) -> list[Added]:
    """Store jobs. Raises ``InvalidJob`` for an id whose key is one of the queue's own."""
    if not jobs:
        return []
    call = server.new_call()
    _write(call, jobs)
    each = iter(await server.run("add", call))
    return [Added(id, duplicate=bool(duplicate)) for id, duplicate in zip(each, each, strict=True)]


def _write(call: Call, jobs: Sequence[NewJob]) -> None:
    """Write the arguments: jobs that follow each other and are of a kind share them."""
    kinds = [list(kind) for _, kind in groupby(jobs, key=_own_or_kind)]
    call.add(len(kinds))
    for kind in kinds:
        job = kind[0]
        dedup = job.dedup
        if job.id in TAKEN_IDS:
            raise InvalidJob(f"id={job.id!r} is taken", hint="it names a part of the queue")
        call.add(
            call.place(job.queue), job.name, opts_of(job), job.delay_ms, job.priority,
            "1" if job.lifo else "0", job.id, dedup and dedup.key, dedup and dedup.ttl_ms,
            len(kind), *(one.data for one in kind),
        )  # fmt: skip


def _own_or_kind(job: NewJob) -> Any:
    # Each of those that may be a duplicate is a kind of its own.
    if job.id is not None or job.dedup is not None:
        return id(job)
    return _kind(job)
