"""What would grow for ever, kept in bounds: events, dedup keys, finished jobs of idle queues."""

from __future__ import annotations

import apsw

from stoker.broker.sqlite.query import rows, value
from stoker.broker.sqlite.retention import trim
from stoker.broker.sqlite.sql import statement
from stoker.broker.sqlite.transaction import CHUNK, Transaction
from stoker.job.model import Keep
from stoker.job.states import State

EVENTS_KEPT = 10_000


def untidy(connection: apsw.Connection, now: int) -> bool:
    """Return whether there is anything to trim."""
    return (
        _event_excess(connection) > 0
        or value(connection, statement("housekeeping", "any_dedup"), {"now": now})
        or any(
            rows(
                connection,
                statement("retention", "over_age"),
                {"queue": queue, "state": state, "before": now - age_ms, "limit": 1},
            )
            for queue, state, age_ms in rows(connection, statement("retention", "ages"))
        )
    )


def tidy(tx: Transaction) -> bool:
    """Trim a bounded number of each; call it again as long as it is untidy."""
    excess = min(_event_excess(tx.connection), CHUNK)
    tx.run(statement("housekeeping", "trim_events"), {"excess": max(excess, 0)})
    tx.run(statement("housekeeping", "trim_dedup"), {"now": tx.now, "limit": CHUNK})
    for queue, state, age_ms in tx.run(statement("retention", "ages")):
        trim(tx, queue, State(state), Keep(age_ms=age_ms))
    return True


def _event_excess(connection: apsw.Connection) -> int:
    return value(connection, statement("housekeeping", "event_excess"), {"keep": EVENTS_KEPT})
