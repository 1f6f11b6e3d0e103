"""update, detail, queues, configure, events: one job, one queue, what happened."""

from __future__ import annotations

from collections.abc import Sequence

import apsw
import msgspec

from stoker.broker.base import (
    Detail,
    EventPage,
    Patch,
    QueueSettings,
    QueueStats,
)
from stoker.broker.sqlite.ids import seq_of
from stoker.broker.sqlite.query import rows
from stoker.broker.sqlite.sql import statement
from stoker.broker.sqlite.sweep import records_of
from stoker.broker.sqlite.transaction import Transaction
from stoker.job.model import Event, JobRecord, Log
from stoker.job.states import State

MOST_EVENTS = 500
"""Events of one page."""

_IN_LINE = (State.WAITING, State.DELAYED)


def _job(connection: apsw.Connection, queue: str, id: str) -> tuple[int, JobRecord] | None:
    seq = seq_of(connection, queue, id)
    record = None if seq is None else records_of(connection, [seq]).get(seq)
    if seq is None or record is None or record.queue != queue or record.id != id:
        return None
    return seq, record


def update(tx: Transaction, queue: str, id: str, patch: Patch) -> bool:
    """Change one job, if its state and lease allow every part of the patch."""
    found = _job(tx.connection, queue, id)
    if found is None:
        return False
    seq, job = found
    moves = patch.priority is not None or patch.delay_ms is not None
    if moves and job.state not in _IN_LINE:
        return False
    if patch.token is not None and (job.state, job.token) != (State.ACTIVE, patch.token):
        return False
    if moves:
        _move(tx, seq, job, patch)
    tx.run(statement("select", "set"), {"seq": seq, "data": patch.data, "progress": patch.progress})
    tx.many(statement("select", "log"), [(seq, tx.now, line) for line in patch.log])
    if patch.progress is not None:
        tx.event(queue, "progress", [id], {"progress": patch.progress})
    if moves or patch.data is not None:
        tx.event(queue, "updated", [id])
    return True


def _move(tx: Transaction, seq: int, job: JobRecord, patch: Patch) -> None:
    """Give a job in line another priority or due time."""
    state, due = job.state, job.due_at
    if patch.delay_ms is not None:
        state = State.DELAYED if patch.delay_ms else State.WAITING
        due = tx.now + patch.delay_ms if patch.delay_ms else None
    (rank,) = tx.numbers(1)
    priority = job.priority if patch.priority is None else patch.priority
    tx.run(
        statement("select", "move"),
        {"seq": seq, "state": state, "priority": priority, "due": due, "rank": rank},
    )
    tx.moved(job.queue, job.state, state)


def detail(connection: apsw.Connection, queue: str, id: str) -> Detail | None:
    """Return one job with its log."""
    found = _job(connection, queue, id)
    if found is None:
        return None
    seq, job = found
    logs = rows(connection, statement("select", "logs"), (seq,))
    return Detail(job, [Log(at, line) for at, line in logs])


def queues(connection: apsw.Connection, names: Sequence[str] | None) -> list[QueueStats]:
    """Return the counts, which every transaction keeps, and whether each queue is paused."""
    paused = dict(rows(connection, statement("select", "queues")))
    counts: dict[str, dict[State, int]] = {}
    for queue, state, n in rows(connection, statement("select", "tallies")):
        counts.setdefault(queue, {})[State(state)] = n
    wanted = sorted(paused.keys() | counts.keys()) if names is None else names
    return [
        QueueStats(name, counts.get(name, {}), paused=bool(paused.get(name, 0))) for name in wanted
    ]


def configure(tx: Transaction, queue: str, settings: QueueSettings) -> None:
    """Store the settings; say so if that changed anything."""
    if settings.paused is None:
        return
    tx.run(statement("move", "queue"), (queue,))
    tx.run(statement("select", "pause"), {"name": queue, "paused": int(settings.paused)})
    if tx.connection.changes():
        tx.event(queue, "paused" if settings.paused else "resumed")


def events(connection: apsw.Connection, queue: str, after: str | None) -> EventPage:
    """Return what happened after a cursor."""
    ((first, last),) = rows(connection, statement("select", "event_range"))
    if after is None:
        return EventPage((), str(last))
    if int(after) > last:  # a claim's event that a power cut has undone, or another file's cursor
        return EventPage((), str(last), gap=True)
    stored = rows(connection, statement("select", "events"), (queue, int(after), MOST_EVENTS))
    found = [
        Event(str(seq), kind, queue, at, msgspec.json.decode(ids, type=tuple[str, ...]),
              msgspec.json.decode(fields))
        for seq, kind, at, ids, fields in stored
    ]  # fmt: skip
    # At the end of the line the cursor goes to the end of all events: that of a quiet queue would
    # fall behind what is trimmed, and its reader be told of a gap where it missed nothing.
    cursor = found[-1].cursor if len(found) == MOST_EVENTS else str(last)
    return EventPage(found, cursor, gap=int(after) + 1 < first)
