"""What an operation works with inside a writing transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import apsw
import msgspec

from stoker.broker.base import EventKind
from stoker.broker.sqlite.query import rows, value
from stoker.broker.sqlite.sql import statement
from stoker.job.states import State

CHUNK = 500
"""Jobs that one transaction promotes, sweeps or trims at the most: well under 10 ms."""

_NEXT = statement("move", "next")
_TALLY = statement("move", "tally")
_QUEUE = statement("move", "queue")
_EVENT = statement("move", "event")
_DELETE_JOBS = statement("select", "delete_jobs")
_DROP_DEDUP = statement("select", "drop_dedup")
_DELETE_LOGS = statement("select", "delete_logs")

_encode = msgspec.json.Encoder().encode


def json(value: object) -> str:
    """Return ``value`` as JSON text, to bind many values as one."""
    return _encode(value).decode()


class Transaction:
    """One writing transaction, shared by the operations of a group commit.

    Moves and events are gathered and written once at the end, by ``flush``.
    """

    def __init__(self, connection: apsw.Connection, now: int) -> None:
        self.connection = connection
        self.now = now
        self.rests_on_others = False
        """An answer says that a job is stored, which its own adder may not have been told yet."""
        self._moves: Counter[tuple[str, State]] = Counter()
        self._events: list[tuple[str, int, str, str, str]] = []

    def run(self, sql: str, bindings: Any = ()) -> list[Any]:
        """Execute one statement and return all of its rows."""
        return rows(self.connection, sql, bindings)

    def value(self, sql: str, bindings: Any = ()) -> Any:
        """Execute one statement and return the first value of its first row, or ``None``."""
        return value(self.connection, sql, bindings)

    def many(self, sql: str, bindings: Iterable[Any]) -> None:
        """Execute one statement for each row of bindings."""
        self.connection.executemany(sql, bindings)

    def numbers(self, count: int) -> range:
        """Take ``count`` numbers that no job has had as its seq or its rank."""
        step = count
        while True:
            ((last, taken),) = self.run(_NEXT, {"step": step, "count": count})
            if not taken:
                return range(last - count + 1, last + 1)
            step *= 2  # soon past any number of rows, but never up to one that is far away

    def moved(self, queue: str, before: State | None, after: State | None, count: int = 1) -> None:
        """Note that jobs changed state; ``None`` is "not stored"."""
        if before is not None:
            self._moves[queue, before] -= count
        if after is not None:
            self._moves[queue, after] += count

    def pending(self, queue: str, state: State) -> int:
        """Return the change of a count that this transaction has noted but not yet written."""
        return self._moves[queue, state]

    def event(
        self,
        queue: str,
        kind: EventKind,
        ids: Sequence[str] = (),
        fields: dict[str, Any] | None = None,
    ) -> None:
        """Note what happened, for ``Broker.events``."""
        self._events.append((queue, self.now, kind, json(ids), json(fields or {})))

    def delete(self, seqs: Sequence[int]) -> None:
        """Delete jobs and their logs; the caller notes the moves."""
        given = (json(seqs),)
        self.run(_DROP_DEDUP, given)
        self.run(_DELETE_LOGS, given)
        self.run(_DELETE_JOBS, given)

    def flush(self) -> None:
        """Write what was gathered; the last thing before the commit."""
        moves = [(queue, state, n) for (queue, state), n in self._moves.items() if n]
        if moves:
            self.many(_QUEUE, {(queue,) for queue, _, _ in moves})
            self.many(_TALLY, moves)
        if self._events:
            self.many(_EVENT, self._events)
        self._moves.clear()
        self._events.clear()
