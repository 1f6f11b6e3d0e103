"""find, requeue, remove, cancel: one bounded look over a selection, and what is done to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import apsw
import msgspec

from stoker.broker.base import Page, Select, Swept, reasons_listed
from stoker.broker.sqlite.ids import seq_of
from stoker.broker.sqlite.query import id_text, readable, rows
from stoker.broker.sqlite.sql import statement
from stoker.broker.sqlite.transaction import CHUNK, Transaction, json
from stoker.failure import Failure
from stoker.job.model import JobRecord, reason_in
from stoker.job.states import FINISHED, UNFINISHED, State

MOST_LOOKED_AT = 2_000
"""Rows that one look examines at the most, whatever share of them matches the filters."""

# The columns that order a state's jobs; each list is that of its index, so that no look
# sorts but one at active jobs, which are few.
_ORDER: dict[State, tuple[str, ...]] = {
    State.WAITING: ("priority", "rank"),
    State.DELAYED: ("due_at", "seq"),
    State.ACTIVE: ("seq",),
    State.COMPLETED: ("finished_at", "seq"),
    State.FAILED: ("finished_at", "seq"),
}
_TIME = {
    State.WAITING: "created_at",
    State.DELAYED: "due_at",
    State.ACTIVE: "created_at",
    State.COMPLETED: "finished_at",
    State.FAILED: "finished_at",
}


# Of a failure that was written by hand, and is no JSON or names no reason, an empty one.
_REASON = "CASE WHEN json_valid(failure) THEN coalesce(failure ->> '$.reason', '') ELSE '' END"


class Hit(NamedTuple):
    """A job that a look found, with what moving it needs to know."""

    seq: int
    id: str
    state: State


def look(connection: apsw.Connection, select: Select, most: int) -> tuple[list[Hit], str | None]:
    """Return the jobs selected, at most ``most``, and the cursor behind the last one examined."""
    if select.ids is not None:
        return _by_ids(connection, select, most)
    assert select.state is not None, "Select needs ids or a state"
    looked_at = rows(connection, *_query(select, select.state))
    width = len(_ORDER[select.state])
    hits: list[Hit] = []
    for seq, id, matches, *key in looked_at:
        if matches:
            hits.append(Hit(seq, id_text(id), select.state))
        if len(hits) == most:
            return hits, json(key[:width])
    return hits, json(looked_at[-1][3:]) if len(looked_at) == MOST_LOOKED_AT else None


def find(connection: apsw.Connection, select: Select) -> Page:
    """Return the records of one look."""
    hits, cursor = look(connection, select, select.limit)
    records = records_of(connection, [hit.seq for hit in hits])
    return Page([records[hit.seq] for hit in hits if hit.seq in records], cursor)


def records_of(connection: apsw.Connection, seqs: Sequence[int]) -> dict[int, JobRecord]:
    """Return the records of these rows, by row number."""
    found = rows(connection, statement("select", "records"), (json(list(seqs)),))
    return {seq: readable(record, JobRecord) for seq, record in found}


def requeue(tx: Transaction, select: Select) -> Swept:
    """Make delayed and finished jobs waiting."""
    hits, cursor = look(tx.connection, select, min(select.limit, CHUNK))
    movable = [hit for hit in hits if hit.state in FINISHED or hit.state is State.DELAYED]
    ranks = tx.numbers(len(movable))
    tx.many(
        statement("select", "requeue"),
        [{"rank": rank, "seq": hit.seq} for rank, hit in zip(ranks, movable, strict=True)],
    )
    _note(tx, select.queue, movable, State.WAITING)
    return _swept(tx, select.queue, "requeued", movable, cursor)


def remove(tx: Transaction, select: Select, force: bool) -> Swept:
    """Delete jobs; active ones only if forced."""
    hits, cursor = look(tx.connection, select, min(select.limit, CHUNK))
    gone = [hit for hit in hits if force or hit.state is not State.ACTIVE]
    seqs = [hit.seq for hit in gone]
    tx.run(statement("select", "free_dedup"), (json(seqs),))
    tx.delete(seqs)
    _note(tx, select.queue, gone, None)
    return _swept(tx, select.queue, "removed", gone, cursor)


def cancel(tx: Transaction, select: Select, why: str) -> Swept:
    """Make unfinished jobs dead letters with reason ``cancelled``."""
    hits, cursor = look(tx.connection, select, min(select.limit, CHUNK))
    ended = [hit for hit in hits if hit.state in UNFINISHED]
    failure = json(Failure("cancelled", why))
    tx.many(
        statement("select", "cancel"),
        [{"failure": failure, "now": tx.now, "seq": hit.seq} for hit in ended],
    )
    _note(tx, select.queue, ended, State.FAILED)
    if ended:
        tx.event(select.queue, "failed", [hit.id for hit in ended], {"reason": "cancelled"})
    return _swept(tx, select.queue, "cancelled", ended, cursor)


def _note(tx: Transaction, queue: str, hits: Iterable[Hit], after: State | None) -> None:
    for hit in hits:
        tx.moved(queue, hit.state, after)


def _swept(
    tx: Transaction, queue: str, kind: Any, hits: Sequence[Hit], cursor: str | None
) -> Swept:
    ids = [hit.id for hit in hits]
    if ids:
        tx.event(queue, kind, ids)
    return Swept(ids, cursor)


def _by_ids(connection: apsw.Connection, select: Select, most: int) -> tuple[list[Hit], str | None]:
    ids = tuple(dict.fromkeys(select.ids or ()))
    start = int(select.after or 0)
    wanted = ids[start : start + most]
    seqs = [seq_of(connection, select.queue, id) for id in wanted]
    records = records_of(connection, [seq for seq in seqs if seq is not None])
    hits = [
        Hit(seq, id, records[seq].state)
        for seq, id in zip(seqs, wanted, strict=True)
        if seq in records and records[seq].id == id and _matches(select, records[seq])
    ]
    end = start + len(wanted)
    return hits, str(end) if end < len(ids) else None


def _matches(select: Select, job: JobRecord) -> bool:
    """Apply the filters to a job that was picked by its id."""
    at = getattr(job, _TIME[job.state])
    text = f"{job.data}\n{job.failure or ''}"
    return (
        job.queue == select.queue
        and (select.state is None or job.state is select.state)
        and (select.name is None or job.name == select.name)
        and (select.text is None or _folded(select.text) in _folded(text))
        and (select.reasons is None or reason_in(job) in select.reasons)
        and (select.since is None or at >= select.since)
        and (select.until is None or at < select.until)
    )


def _folded(text: str) -> bytes:
    """Return the text in lower case as LIKE sees it: of ASCII only."""
    return text.encode("utf-8", "replace").lower()


def _query(select: Select, state: State) -> tuple[str, dict[str, Any]]:
    """Build the one statement whose shape depends on the selection."""
    order = _ORDER[state]
    bindings: dict[str, Any] = {"queue": select.queue, "most": MOST_LOOKED_AT}
    # The state is written out, not bound: only then may SQLite use the state's partial index.
    where = [f"queue = :queue AND state = '{state}'"]
    if select.after is not None:
        names = [f"after{place}" for place in range(len(order))]
        bindings |= dict(zip(names, msgspec.json.decode(select.after), strict=True))
        sign = "<" if select.newest_first else ">"
        where.append(f"({', '.join(order)}) {sign} ({', '.join(f':{name}' for name in names)})")
    matches = ["1"]
    for column, operator, name in (
        ("name", "=", "name"),
        (_TIME[state], ">=", "since"),
        (_TIME[state], "<", "until"),
    ):
        if (value := getattr(select, name)) is not None:
            matches.append(f"{column} {operator} :{name}")
            bindings[name] = value
    if select.text is not None:
        bindings["text"] = f"%{_escaped(select.text)}%"
        matches.append("(data || char(10) || coalesce(failure, '')) LIKE :text ESCAPE '\\'")
    if select.reasons is not None:
        listed, meant = reasons_listed(select.reasons)
        bindings["reasons"] = json(listed)
        matches.append(
            f"(failure IS NOT NULL AND {_REASON} {'' if meant else 'NOT '}IN "
            "(SELECT value FROM json_each(:reasons)))"
        )
    direction = " DESC" if select.newest_first else ""
    sql = (
        f"SELECT seq, CAST(coalesce(id, seq) AS BLOB), {' AND '.join(matches)}, {', '.join(order)} "
        f"FROM job WHERE {' AND '.join(where)} "
        f"ORDER BY {', '.join(column + direction for column in order)} LIMIT :most"
    )
    return sql, bindings


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
