"""Settle the outcomes of runs, and fetch the next jobs with the same commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from stoker.broker.base import EventKind, Finished, Want
from stoker.broker.sqlite.bury import bury
from stoker.broker.sqlite.claim import claim
from stoker.broker.sqlite.ids import held_places, seqs_of
from stoker.broker.sqlite.retention import retain
from stoker.broker.sqlite.sql import statement
from stoker.broker.sqlite.transaction import Transaction, json
from stoker.job.model import Lease
from stoker.job.outcome import Done, Failed, Outcome, Released, Retried, Snoozed
from stoker.job.states import State

MOST_CHARACTERS = 32 * 1024 * 1024


def finish(tx: Transaction, outcomes: Sequence[Outcome], want: Want | None) -> Finished:
    """Settle the outcomes whose lease is held, then claim what is wanted."""
    held, lost = _held(tx, outcomes)
    done: list[tuple[int, Done]] = []
    released: list[tuple[int, Released]] = []
    for seq, outcome in held:
        match outcome:
            case Done():
                done.append((seq, outcome))
            case Failed():
                bury(tx, outcome.lease.queue, seq, outcome.lease.id, outcome.failure)
            case Retried() | Snoozed():
                _again(tx, seq, outcome)
            case Released():
                released.append((seq, outcome))
    for seq, outcome in reversed(released):  # each goes to the front, so the first goes last
        _again(tx, seq, outcome)
    if done:
        _complete(tx, done)
    retain(tx, [(seq, outcome) for seq, outcome in held if isinstance(outcome, Done | Failed)])
    jobs = claim(tx, want) if want is not None else []
    return Finished(frozenset(lost), jobs)


def _held(
    tx: Transaction, outcomes: Sequence[Outcome]
) -> tuple[list[tuple[int, Outcome]], list[Lease]]:
    """Part the outcomes into those whose lease is held, with their job's number, and the rest."""
    leases = [outcome.lease for outcome in outcomes]
    seqs = seqs_of(tx.connection, leases)
    places = held_places(tx, leases, seqs)
    held: dict[int, Outcome] = {}
    lost: list[Lease] = []
    for place, outcome in enumerate(outcomes):
        seq = seqs[place]
        # A job named twice in one batch is settled once.
        if place in places and seq is not None and seq not in held:
            held[seq] = outcome
        else:
            lost.append(outcome.lease)
    return list(held.items()), lost


def _complete(tx: Transaction, done: Sequence[tuple[int, Done]]) -> None:
    for part in _portions(done):
        rows = [(seq, outcome.value) for seq, outcome in part]
        tx.run(statement("finish", "done"), {"now": tx.now, "rows": json(rows)})
    for queue, ids in _ids_by_queue(outcome.lease for _, outcome in done).items():
        tx.moved(queue, State.ACTIVE, State.COMPLETED, len(ids))
        tx.event(queue, "completed", ids)


def _portions(done: Sequence[tuple[int, Done]]) -> Iterator[Sequence[tuple[int, Done]]]:
    """Cut where the results would make a text longer than SQLite takes (a billion bytes)."""
    start, size = 0, 0
    for place, (_, outcome) in enumerate(done):
        size += len(outcome.value)
        if size > MOST_CHARACTERS and place > start:
            yield done[start:place]
            start, size = place, len(outcome.value)
    yield done[start:]


def _again(tx: Transaction, seq: int, outcome: Retried | Snoozed | Released) -> None:
    kind: EventKind
    delay_ms, failure, crash = 0, None, False
    match outcome:
        case Retried(_, failure, delay_ms):
            kind = "retried"
        case Snoozed(_, delay_ms):
            kind = "snoozed"
        case Released(_, crash):
            kind = "released"
    state = State.DELAYED if delay_ms else State.WAITING
    (rank,) = tx.numbers(1)
    tx.run(
        statement("finish", "again"),
        {
            "seq": seq,
            "state": state,
            "due": tx.now + delay_ms if delay_ms else None,
            "rank": rank,
            "front": kind == "released",
            "failure": None if failure is None else json(failure),
            "attempt": 1 if kind == "retried" else 0,
            "crash": 1 if crash else 0,
        },
    )
    lease = outcome.lease
    tx.moved(lease.queue, State.ACTIVE, state)
    tx.event(lease.queue, kind, [lease.id], {"delay_ms": delay_ms} if delay_ms else None)


def _ids_by_queue(leases: Iterable[Lease]) -> dict[str, list[str]]:
    by_queue: dict[str, list[str]] = {}
    for lease in leases:
        by_queue.setdefault(lease.queue, []).append(lease.id)
    return by_queue
