"""Rows that somebody wrote into the file by hand: each is buried with its reason, the rest run."""

from __future__ import annotations

from typing import Any, NamedTuple

import apsw
import pytest

from tests.system.arena import Arena
from tests.system.oracle import untroubled

pytestmark = pytest.mark.system

HUGE = 20 << 20
FAR = 10**30
MOST = 2**63 - 1


class Bad(NamedTuple):
    """A row: SQL expressions, so that it may hold what no driver would write."""

    reason: str
    name: str = "'nap'"
    data: str = "'{}'"
    options: str = "'{}'"


def text(raw: bytes) -> str:
    """Return an SQL expression for text of these bytes, UTF-8 or not."""
    return f"CAST(x'{raw.hex()}' AS TEXT)"


BURIED = {
    "a task that nobody has": Bad("unknown-task", name="'nothing'"),
    "a name with a NUL": Bad("unknown-task", name="'nap' || char(0)"),
    "a name that is not UTF-8": Bad("unknown-task", name=text(b"na\xff")),
    "a name of a megabyte": Bad("unknown-task", name="hex(zeroblob(524288))"),
    "an empty name": Bad("unknown-task", name="''"),
    "no JSON": Bad("undecodable", data="'{oops'"),
    "no data": Bad("undecodable", data="''"),
    "a list": Bad("undecodable", data="'[1]'"),
    "null": Bad("undecodable", data="'null'"),
    "a NUL in the data": Bad("undecodable", data="'{}' || char(0)"),
    "data cut short": Bad("undecodable", data="""'{"ms": 1'"""),
    "an argument too many": Bad("undecodable", data="""'{"zz": 1}'"""),
    "an argument of a wrong type": Bad("undecodable", data="""'{"ms": "soon"}'"""),
    "an argument too few": Bad("undecodable", name="'typed'", data="""'{"count": 1}'"""),
    "a name in a list of a wrong type": Bad(
        "undecodable", name="'typed'", data="""'{"count": 1, "names": [1]}'"""
    ),
    "a number beyond all bounds": Bad("undecodable", data="""'{"ms": 1e400}'"""),
    "a value that is not UTF-8": Bad(
        "undecodable", name="'typed'", data=text(b'{"count": 1, "names": ["\xff"]}')
    ),
    "data that is not UTF-8 at all": Bad("undecodable", data=text(b"\xfe\xff\x00")),
    "a huge argument nobody asked for": Bad(
        "undecodable", data=f"""'{{"x": "' || hex(zeroblob({HUGE // 2})) || '"}}'"""
    ),
    "lists in lists in lists": Bad(
        "undecodable", data="'{\"ms\": ' || replace(hex(zeroblob(50000)), '0', '[')"
    ),
    "options that are no JSON": Bad("undecodable", options="'{oops'"),
    "options that are a list": Bad("undecodable", options="'[]'"),
    "options that are not UTF-8": Bad("undecodable", options=text(b'{"\xff": 1}')),
    "no options": Bad("undecodable", options="''"),
    "attempts in words": Bad("undecodable", options="""'{"attempts": "many"}'"""),
    "attempts below 1": Bad("undecodable", options="""'{"attempts": -5}'"""),
    "a timeout before the start": Bad("undecodable", options="""'{"timeout_ms": -5}'"""),
    "a timeout of ages": Bad("undecodable", options=f"""'{{"timeout_ms": {FAR}}}'"""),
    "a backoff of ages": Bad("undecodable", options=f"""'{{"backoff": {{"delay_ms": {FAR}}}}}'"""),
    "a backoff into the past": Bad("undecodable", options="""'{"backoff": {"delay_ms": -1}}'"""),
    "a wild jitter": Bad("undecodable", options="""'{"backoff": {"jitter": 1e300}}'"""),
    "kept for ages": Bad("undecodable", options=f"""'{{"keep_completed": {{"age_ms": {FAR}}}}}'"""),
    "kept less than not": Bad("undecodable", options="""'{"keep_completed": {"count": -1}}'"""),
}


def write(connection: apsw.Connection, bad: Bad, **columns: Any) -> str:
    """Write a row as a careful stranger does: with a number of its own, and counted."""
    names = "".join(f", {name}" for name in columns)
    values = "".join(f", {value}" for value in columns.values())
    with connection:
        [(seq,)] = connection.execute("UPDATE counter SET value = value + 1 RETURNING value")
        connection.execute(
            f"INSERT INTO job (seq, queue, name, data, options, rank{names}) VALUES "
            f"({seq}, 'default', {bad.name}, {bad.data}, {bad.options}, {seq}{values})"
        )
        connection.execute("UPDATE tally SET n = n + 1 WHERE state = 'waiting'")
    return str(seq)


@pytest.fixture
def stranger(arena: Arena) -> Any:
    arena.add("nap")
    connection = apsw.Connection(str(arena.database))
    connection.set_busy_timeout(10_000)
    yield connection
    connection.close()


def outcome(arena: Arena, id: str) -> tuple[str, str]:
    """Return state and reason; what else is in the row cannot be read as text."""
    [(state, reason)] = arena.query(
        "SELECT state, coalesce(failure ->> 'reason', '') FROM job WHERE seq = ?", (int(id),)
    )
    return state, reason


def test_each_is_buried_with_its_reason_and_the_good_ones_run(
    arena: Arena, stranger: apsw.Connection
) -> None:
    ids: dict[str, str] = {}
    good = []
    for what, bad in BURIED.items():
        good.append(arena.add_one("nap"))
        ids[what] = write(stranger, bad)

    worker = arena.worker("worker", lease_ms=30_000)

    arena.until_all_done()
    found = {what: outcome(arena, id) for what, id in ids.items()}
    assert found == {what: ("failed", bad.reason) for what, bad in BURIED.items()}
    assert {(arena.row(id).state, arena.row(id).starts) for id in good} == {("completed", 1)}
    stats = {s.name: s.counts for s in arena.app.run(arena.app.queues())}
    assert stats["default"] == {"completed": len(good) + 1, "failed": len(ids)}
    untroubled(worker)
    worker.stop()


@pytest.mark.parametrize("concurrency", [1, 100])
def test_it_matters_not_how_many_come_at_once(
    arena: Arena, stranger: apsw.Connection, concurrency: int
) -> None:
    kinds = ["a name that is not UTF-8", "data that is not UTF-8 at all", "no JSON", "no options"]
    ids = [write(stranger, BURIED[kind]) for _ in range(10) for kind in kinds]
    good = arena.add("nap", 40)

    worker = arena.worker("worker", concurrency=concurrency)

    arena.until_all_done()
    assert {outcome(arena, id)[0] for id in ids} == {"failed"}
    assert {arena.row(id).state for id in good} == {"completed"}
    untroubled(worker)
    worker.stop()


@pytest.mark.parametrize("column", ["seq", "attempts", "starts", "crashes"])
@pytest.mark.parametrize("number", [MOST, -1])
def test_numbers_that_would_overflow_are_refused_by_the_store(
    arena: Arena, stranger: apsw.Connection, column: str, number: int
) -> None:
    with pytest.raises(apsw.ConstraintError):
        stranger.execute(
            f"INSERT INTO job (queue, name, data, {column}) VALUES ('default', 'nap', '{{}}', ?)",
            (number,),
        )


@pytest.mark.parametrize("number", [MOST, -MOST])
def test_other_absurd_numbers_do_no_harm(
    arena: Arena, stranger: apsw.Connection, number: int
) -> None:
    for column in ("priority", "rank", "created_at", "claimed_at", "lifo"):
        stranger.execute(
            f"UPDATE job SET {column} = ? WHERE seq = ?", (number, arena.add_one("fails_once"))
        )
    arena.add("fails_once")

    worker = arena.worker("worker")

    arena.until_all_done()
    assert {row.state for row in arena.rows()} == {"completed"}
    untroubled(worker)
    worker.stop()


def test_odd_rows_in_other_states_do_no_harm(arena: Arena, stranger: apsw.Connection) -> None:
    odd = [
        write(stranger, Bad(""), state="'delayed'", due_at=MOST),
        write(stranger, Bad(""), state="'delayed'", due_at=-MOST),
        write(stranger, Bad(""), state="'delayed'"),
        write(stranger, Bad(""), state="'active'"),
        write(stranger, Bad(""), state="'active'", expires_at=MOST, token=text(b"\xff")),
        write(stranger, Bad(""), state="'active'", expires_at=-MOST),
        write(stranger, Bad(""), failure=text(b"\xff"), progress=text(b"\xff")),
        write(stranger, Bad(""), failure="'{oops'", progress="'{oops'", result="'{oops'"),
        write(stranger, Bad(""), state="'completed'", finished_at=-MOST),
        write(stranger, Bad(""), state="'failed'", finished_at=MOST),
    ]
    worker = arena.worker("worker")

    good = arena.add("nap", 20)

    for id in good:
        arena.until_state(id, "completed")
    due = arena.until(lambda: outcome(arena, odd[1])[0] == "completed", "the overdue one to run")
    assert due
    arena.until(lambda: outcome(arena, odd[5])[0] == "completed", "the expired one to run")
    untroubled(worker)
    worker.stop()


def test_ids_and_names_of_workers_may_be_no_text(arena: Arena, stranger: apsw.Connection) -> None:
    """A job that nobody could finish, because its id leads to no row or to another, is not run."""
    unnamed = write(stranger, Bad(""), id=text(b"\xffa"))
    numbered = write(stranger, Bad(""), id="'77777'")
    expired = {"state": "'active'", "expires_at": 1, "worker": text(b"\xff")}
    orphan = write(stranger, Bad(""), **expired)
    doomed = write(stranger, Bad(""), crashes=5, **expired)

    worker = arena.worker("worker", lease_ms=300, recover_ms=100, max_stalls=2)

    good = arena.add("nap", 20)
    arena.until_all_done()
    assert outcome(arena, unnamed) == outcome(arena, numbered) == ("failed", "undecodable")
    assert (arena.count("completed"), arena.count("failed")) == (22, 3)
    assert outcome(arena, doomed) == ("failed", "crashed")
    assert outcome(arena, orphan) == ("completed", "")
    assert {arena.row(id).state for id in good} == {"completed"}
    untroubled(worker)
    worker.stop()


def test_a_row_without_a_number_from_the_counter_does_not_stop_the_adding(
    arena: Arena, stranger: apsw.Connection
) -> None:
    for _ in range(3):
        stranger.execute("INSERT INTO job (queue, name, data) VALUES ('default', 'nap', '{}')")

    arena.add("nap", 5)

    worker = arena.worker("worker")
    arena.until_all_done()
    assert arena.count("completed") == 9
    untroubled(worker)
    worker.stop()


@pytest.mark.parametrize("number", [2**53 - 1, 2**53 - 100, 10_000])
def test_a_row_with_a_number_far_away_does_not_stop_the_adding(
    arena: Arena, stranger: apsw.Connection, number: int
) -> None:
    sql = "INSERT INTO job (seq, queue, name, data, rank) VALUES (?, 'default', 'nap', '{}', ?)"
    stranger.execute(sql, (number, 2**63 - 1))

    ids = arena.add("nap", 20) + arena.add("fails_once", 2)

    assert max(map(int, ids)) < 1_000
    worker = arena.worker("worker")
    arena.until_all_done()
    assert arena.count("completed") == 24
    untroubled(worker)
    worker.stop()


def test_many_rows_that_took_the_next_numbers_are_passed(
    arena: Arena, stranger: apsw.Connection
) -> None:
    with stranger:
        stranger.executemany(
            "INSERT INTO job (queue, name, data) VALUES ('default', 'nap', ?)", [("{}",)] * 3_000
        )

    ids = arena.add("nap", 5)

    assert len(set(ids)) == 5
    assert arena.count("waiting") == 3_006
