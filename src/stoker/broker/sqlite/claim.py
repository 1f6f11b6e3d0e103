"""Claim jobs: promote what is due, take the first in line."""

from __future__ import annotations

import secrets

import apsw
import msgspec

from stoker.broker.base import Want
from stoker.broker.sqlite.bury import bury
from stoker.broker.sqlite.ids import seq_of
from stoker.broker.sqlite.query import id_text, readable, rows, value
from stoker.broker.sqlite.sql import statement
from stoker.broker.sqlite.transaction import CHUNK, Transaction
from stoker.failure import Failure
from stoker.job.model import JobRecord
from stoker.job.states import State

MOST_PER_CLAIM = 500


def claimable(connection: apsw.Connection, now: int, want: Want) -> bool:
    """Return whether ``claim`` would find something to claim or to promote."""
    return any(
        value(connection, statement("claim", "claimable"), {"queue": queue, "now": now})
        for queue in _open_queues(connection, want)
    )


def next_due(connection: apsw.Connection, want: Want) -> int | None:
    """Return when the first delayed job that could be claimed is due."""
    dues = [
        value(connection, statement("claim", "next_due"), (queue,))
        for queue in _open_queues(connection, want)
    ]
    return min((due for due in dues if due is not None), default=None)


def claim(tx: Transaction, want: Want) -> list[JobRecord]:
    """Promote what is due, then take the first jobs of each queue in turn."""
    token = secrets.token_hex(8)
    jobs: list[JobRecord] = []
    for queue in _open_queues(tx.connection, want):
        count = min(want.queues[queue], want.count - len(jobs), MOST_PER_CLAIM)
        if count > 0:
            promote(tx, queue)
            jobs += _take(tx, queue, count, want, token)
    return jobs


def promote(tx: Transaction, queue: str) -> None:
    """Make a bounded number of due jobs waiting, in the order they fell due."""
    due = tx.run(statement("claim", "due"), {"queue": queue, "now": tx.now, "limit": CHUNK})
    if not due:
        return
    ranks = tx.numbers(len(due))
    tx.many(
        statement("claim", "promote"),
        [(-rank if lifo else rank, seq) for rank, (seq, _, lifo) in zip(ranks, due, strict=True)],
    )
    tx.moved(queue, State.DELAYED, State.WAITING, len(due))
    tx.event(queue, "promoted", [id_text(id) for _, id, _ in due])


def _open_queues(connection: apsw.Connection, want: Want) -> list[str]:
    """Return the queues there is room for that are not paused, in the order they are wanted."""
    paused = {name for (name,) in rows(connection, statement("claim", "paused"))}
    return [queue for queue, most in want.queues.items() if most > 0 and queue not in paused]


def _take(tx: Transaction, queue: str, count: int, want: Want, token: str) -> list[JobRecord]:
    bindings = {
        "queue": queue,
        "count": count,
        "now": tx.now,
        "worker": want.worker,
        "token": token,
    }
    try:
        ((records, seqs, named),) = tx.run(statement("claim", "first"), bindings)
    except apsw.TooBigError:  # payloads of megabytes: fewer of them fit into one text
        return _take(tx, queue, max(1, count // 4), want, token)
    jobs = readable(records, list[JobRecord])
    if jobs:
        bindings["expires"] = tx.now + want.lease_ms
        bindings["seqs"] = seqs
        tx.run(statement("claim", "take"), bindings)
        tx.moved(queue, State.WAITING, State.ACTIVE, len(jobs))
        tx.event(queue, "claimed", [job.id for job in jobs])
    return _findable(tx, jobs, msgspec.json.decode(seqs)) if named else jobs


def _findable(tx: Transaction, jobs: list[JobRecord], seqs: list[int]) -> list[JobRecord]:
    """Bury jobs that nobody could finish: rows by hand, whose id leads to no row or to another."""
    good: list[JobRecord] = []
    for job, seq in zip(jobs, seqs, strict=True):
        if seq_of(tx.connection, job.queue, job.id) == seq:
            good.append(job)
        else:
            what = "its id is not UTF-8, or is a whole number and not that of its row"
            bury(tx, job.queue, seq, job.id, Failure("undecodable", what))
    return good
