"""Which finished jobs go: the oldest of a queue and state, by count and by age."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stoker.broker.sqlite.sql import statement
from stoker.broker.sqlite.transaction import CHUNK, Transaction
from stoker.job.model import Keep
from stoker.job.outcome import Done, Failed
from stoker.job.states import State


def retain(tx: Transaction, outcomes: Iterable[Done | Failed]) -> None:
    """Apply each retention that these outcomes ask for, once a queue and state."""
    asked = {
        (outcome.lease.queue, State.COMPLETED if isinstance(outcome, Done) else State.FAILED,
         outcome.keep)
        for outcome in outcomes
    }  # fmt: skip
    for queue, state, keep in asked:
        trim(tx, queue, state, keep)


def trim(tx: Transaction, queue: str, state: State, keep: Keep) -> None:
    """Delete the oldest finished jobs beyond ``keep``, a bounded number."""
    where = {"queue": queue, "state": state}
    if keep.age_ms is not None:
        before = tx.now - keep.age_ms
        old = tx.run(statement("finish", "over_age"), {**where, "before": before, "limit": CHUNK})
        _delete_finished(tx, queue, state, [seq for (seq,) in old])
    if keep.count is not None:
        stored: int = tx.value(statement("finish", "count"), (queue, state)) or 0
        excess = min(stored + tx.pending(queue, state) - keep.count, CHUNK)
        if excess > 0:
            over = tx.run(statement("finish", "over_count"), {**where, "excess": excess})
            _delete_finished(tx, queue, state, [seq for (seq,) in over])


def _delete_finished(tx: Transaction, queue: str, state: State, seqs: Sequence[int]) -> None:
    if seqs:
        tx.delete(seqs)
        tx.moved(queue, state, None, len(seqs))
