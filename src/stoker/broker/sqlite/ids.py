"""From a job's id to its row. An id that is a whole number is the row's own number."""

from __future__ import annotations

from collections.abc import Sequence

import apsw
import msgspec

from stoker.broker.sqlite.query import value
from stoker.broker.sqlite.sql import statement
from stoker.broker.sqlite.transaction import Transaction, json
from stoker.job.model import Lease


def seqs_of(connection: apsw.Connection, keys: Sequence[Lease]) -> list[int | None]:
    """Return the row numbers of jobs by their ids; ``None`` where there can be none."""
    return [seq_of(connection, key.queue, key.id) for key in keys]


def seq_of(connection: apsw.Connection, queue: str, id: str) -> int | None:
    """Return the row number that ``id`` stands for, whether there is such a row or not."""
    if id.isascii() and id.isdigit():
        return int(id) if len(id) < 19 and id[0] != "0" else None
    return value(connection, statement("add", "by_id"), (queue, id))


def held_places(tx: Transaction, leases: Sequence[Lease], seqs: Sequence[int | None]) -> set[int]:
    """Return the places in ``leases`` of those that are held, asking for all of them at once."""
    rows = [(place, seqs[place], lease.token, lease.queue) for place, lease in enumerate(leases)]
    return set(msgspec.json.decode(tx.value(statement("finish", "held"), (json(rows),))))
