"""Dead letters."""

from __future__ import annotations

from stoker.broker.sqlite.sql import statement
from stoker.broker.sqlite.transaction import Transaction, json
from stoker.failure import Failure
from stoker.job.states import State


def bury(tx: Transaction, queue: str, seq: int, id: str, failure: Failure) -> None:
    """Make an active job a dead letter; counts a crash if that is the reason, else an attempt."""
    crash = failure.reason == "crashed"
    tx.run(
        statement("finish", "failed"),
        {
            "seq": seq,
            "now": tx.now,
            "failure": json(failure),
            "attempt": 0 if crash else 1,
            "crash": 1 if crash else 0,
        },
    )
    tx.moved(queue, State.ACTIVE, State.FAILED)
    tx.event(queue, "failed", [id], {"reason": failure.reason})
