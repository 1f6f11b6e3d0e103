"""Add jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

from stoker.broker.base import Added
from stoker.broker.sqlite.sql import statement
from stoker.broker.sqlite.transaction import Transaction, json
from stoker.job.model import NewJob
from stoker.job.states import State

LARGE = 10_000
"""Characters of data from which on a job is not put into one text with hundreds of others."""

_INSERT = statement("add", "insert")
_INSERT_ALIKE = statement("add", "insert_alike")
_kind = attrgetter("queue", "name", "options", "priority", "delay_ms", "lifo")


def add(tx: Transaction, jobs: Sequence[NewJob]) -> list[Added]:
    """Insert ``jobs``, but for those whose id or dedup key is taken."""
    if any(job.id is not None or job.dedup is not None for job in jobs):
        return _add_one_by_one(tx, jobs)
    seqs = tx.numbers(len(jobs))
    if any(len(job.data) > LARGE for job in jobs):
        tx.many(_INSERT, map(_row, jobs, seqs, repeat(tx.now)))
    else:
        _insert_alike(tx, jobs, seqs)
    ids = [str(seq) for seq in seqs]
    _note_added(tx, jobs, ids)
    return [Added(id) for id in ids]


def _insert_alike(tx: Transaction, jobs: Sequence[NewJob], seqs: Sequence[int]) -> None:
    """Insert the jobs of each kind with one step of one statement."""
    kinds: dict[tuple[Any, ...], dict[int, str]] = {}
    for seq, job in zip(seqs, jobs, strict=True):
        kinds.setdefault(_kind(job), {})[seq] = job.data
    for (queue, name, options, priority, delay_ms, lifo), data in kinds.items():
        bindings = {
            "jobs": json(data),
            "queue": queue,
            "name": name,
            "options": options,
            "state": "delayed" if delay_ms else "waiting",
            "priority": priority,
            "now": tx.now,
            "due": tx.now + delay_ms if delay_ms else None,
            "lifo": lifo,
        }
        tx.run(_INSERT_ALIKE, bindings)


def _add_one_by_one(tx: Transaction, jobs: Sequence[NewJob]) -> list[Added]:
    """Insert jobs each of which may be the duplicate of one before it."""
    answers: list[Added] = []
    inserted: list[NewJob] = []
    for job in jobs:
        taken = _taken_by(tx, job)
        if taken is not None:
            tx.rests_on_others = True
            answers.append(Added(taken, duplicate=True))
            continue
        (seq,) = tx.numbers(1)
        id = job.id or str(seq)
        tx.run(_INSERT, _row(job, seq, tx.now))
        if job.dedup is not None:
            ttl = job.dedup.ttl_ms
            until = None if ttl is None else tx.now + ttl
            tx.run(statement("add", "hold_dedup"), (job.queue, job.dedup.key, seq, id, until))
        answers.append(Added(id))
        inserted.append(job)
    _note_added(tx, inserted, [answer.id for answer in answers if not answer.duplicate])
    return answers


def _taken_by(tx: Transaction, job: NewJob) -> str | None:
    if job.id is not None and tx.run(statement("add", "by_id"), (job.queue, job.id)):
        return job.id
    if job.dedup is not None:
        return tx.value(
            statement("add", "dedup"), {"queue": job.queue, "key": job.dedup.key, "now": tx.now}
        )
    return None


def _row(job: NewJob, seq: int, now: int) -> tuple[Any, ...]:
    return (
        seq,
        job.queue,
        job.id,
        job.name,
        job.data,
        job.options,
        "delayed" if job.delay_ms else "waiting",
        job.priority,
        -seq if job.lifo else seq,
        now,
        now + job.delay_ms if job.delay_ms else None,
        1 if job.lifo else 0,
    )


def _note_added(tx: Transaction, jobs: Sequence[NewJob], ids: Sequence[str]) -> None:
    by_queue: dict[str, list[str]] = {}
    for job, id in zip(jobs, ids, strict=True):
        by_queue.setdefault(job.queue, []).append(id)
    for (queue, delayed), count in Counter((job.queue, job.delay_ms > 0) for job in jobs).items():
        tx.moved(queue, None, State.DELAYED if delayed else State.WAITING, count)
    for queue, own in by_queue.items():
        tx.event(queue, "added", own)
