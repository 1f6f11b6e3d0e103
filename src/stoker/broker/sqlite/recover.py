"""Renew leases, and take back those that ran out."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import apsw

from stoker.broker.sqlite.bury import bury
from stoker.broker.sqlite.ids import held_places, seqs_of
from stoker.broker.sqlite.query import id_text, value
from stoker.broker.sqlite.sql import statement
from stoker.broker.sqlite.transaction import CHUNK, Transaction, json
from stoker.job.model import Lease
from stoker.job.outcome import crash_failure
from stoker.job.states import State


def extend(tx: Transaction, leases: Collection[Lease], lease_ms: int) -> set[Lease]:
    """Renew the leases that are held and return the others."""
    given = list(leases)
    seqs = seqs_of(tx.connection, given)
    places = held_places(tx, given, seqs)
    held = json([seqs[place] for place in places])
    tx.run(statement("extend", "extend"), {"expires": tx.now + lease_ms, "seqs": held})
    return {lease for place, lease in enumerate(given) if place not in places}


def recoverable(connection: apsw.Connection, now: int, queues: Sequence[str]) -> bool:
    """Return whether a lease has run out."""
    return any(
        value(connection, statement("recover", "any_expired"), {"queue": queue, "now": now})
        for queue in queues
    )


class Looks:
    """When this process last saw which leases of a queue had run out, and took what it could."""

    def __init__(self) -> None:
        self._at: dict[str, int] = {}

    def last(self, queue: str, now: int, patience_ms: int) -> int:
        """Return by when a lease must have run out to be taken now."""
        if patience_ms == 0:
            return now
        at = self._at[queue] = min(self._at.get(queue, now), now)  # a clock may be set back
        return at if now - at >= patience_ms else 0

    def note(self, queue: str, now: int) -> None:
        """Nothing that may be taken is left: from here on the holders have their time again."""
        self._at[queue] = now


def recover(
    tx: Transaction, queues: Sequence[str], max_stalls: int, looks: Looks, patience_ms: int
) -> list[str]:
    """Hand back jobs whose lease has run out; those that crashed too often are dead letters."""
    ids: list[str] = []
    for queue in queues:
        own: list[str] = []
        by = looks.last(queue, tx.now, patience_ms)
        expired = tx.run(
            statement("recover", "expired"), {"queue": queue, "by": by, "limit": CHUNK}
        )
        if by and not expired:
            looks.note(queue, tx.now)
        for seq, name, crashes, worker in reversed(expired):  # each goes to the front
            id = id_text(name)
            own.append(id)
            how = f"worker {id_text(worker or b'?')} died or lost its lease"
            if crashes < max_stalls:
                _hand_back(tx, queue, seq)
            else:
                bury(tx, queue, seq, id, crash_failure(crashes + 1, how))
        if own:
            tx.event(queue, "recovered", own)
        ids += own
    return ids


def _hand_back(tx: Transaction, queue: str, seq: int) -> None:
    (rank,) = tx.numbers(1)
    tx.run(
        statement("finish", "again"),
        {"seq": seq, "state": State.WAITING, "due": None, "rank": rank, "front": True,
         "failure": None, "attempt": 0, "crash": 1},
    )  # fmt: skip
    tx.moved(queue, State.ACTIVE, State.WAITING)
