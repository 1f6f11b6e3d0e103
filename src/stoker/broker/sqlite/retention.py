"""Which finished jobs go: the oldest of a queue and state, by count and by age."""

from __future__ import annotations

from collections.abc import Sequence

from stoker.broker.sqlite.sql import statement
from stoker.broker.sqlite.transaction import CHUNK, Transaction
from stoker.job.model import Keep
from stoker.job.outcome import Done, Failed
from stoker.job.states import State


def retain(tx: Transaction, ended: Sequence[tuple[int, Done | Failed]]) -> None:
    """Apply what these jobs, given with their row numbers, ask to be kept of their kind.

    A job that is not to be kept at all goes by itself; the others of its queue stay (BullMQ's
    rule). Else what it asks for is applied once a queue and state, oldest jobs first.
    """
    dropped: dict[tuple[str, State], list[int]] = {}
    asked: set[tuple[str, State, Keep]] = set()
    for seq, outcome in ended:
        queue = outcome.lease.queue
        state = State.COMPLETED if isinstance(outcome, Done) else State.FAILED
        if outcome.keep.count == 0:
            dropped.setdefault((queue, state), []).append(seq)
        else:
            asked.add((queue, state, outcome.keep))
    for (queue, state), seqs in dropped.items():
        _delete(tx, queue, state, seqs)
    for queue, state, keep in asked:
        where = {"queue": queue, "state": state}
        if keep.age_ms is None:
            tx.run(statement("retention", "forget"), where)
        else:
            tx.run(statement("retention", "remember"), {**where, "age_ms": keep.age_ms})
        trim(tx, queue, state, keep)


def trim(tx: Transaction, queue: str, state: State, keep: Keep) -> None:
    """Delete the oldest finished jobs beyond ``keep``, a bounded number."""
    where = {"queue": queue, "state": state}
    if keep.age_ms is not None:
        before = tx.now - keep.age_ms
        most = CHUNK if keep.limit is None else min(keep.limit, CHUNK)
        old = tx.run(statement("retention", "over_age"), {**where, "before": before, "limit": most})
        _delete(tx, queue, state, [seq for (seq,) in old])
    if keep.count is not None:
        stored: int = tx.value(statement("retention", "count"), (queue, state)) or 0
        excess = min(stored + tx.pending(queue, state) - keep.count, CHUNK)
        if excess > 0:
            over = tx.run(statement("retention", "over_count"), {**where, "excess": excess})
            _delete(tx, queue, state, [seq for (seq,) in over])


def _delete(tx: Transaction, queue: str, state: State, seqs: Sequence[int]) -> None:
    if seqs:
        tx.delete(seqs)
        tx.moved(queue, state, None, len(seqs))
