"""Holds the store against what really happened.

- Conservation: what was acknowledged is there, nothing else is, and the kept counts are true.
- A job is run again only after a loss that the store recorded, and a loss is recorded only for a
  worker that a fault was done to.
- At most one completion of a job was accepted, and its result is from the run that held the lease.
- Attempts and crashes are what the store's own history says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import msgspec

from tests.system.arena import Arena, Row, WorkerProcess
from tests.system.ledger import Entry

GIVES_BACK = {"recovered", "released", "retried", "snoozed", "requeued"}
SKEW = 0.05
"""Seconds by which the clocks of a log line and of a transaction may differ."""


class Step(NamedTuple):
    """One event of one job."""

    kind: str
    at: float


class Tale(NamedTuple):
    """All that is known about one job."""

    row: Row
    steps: list[Step]
    runs: list[Entry]
    ends: list[Entry]


def check(arena: Arena, *, removed: Collection[str] = (), blameless: bool = True) -> None:
    """Raise ``AssertionError`` with all that is wrong.

    ``blameless``: a lease is lost only by a worker that a fault was done to. Without it, any loss
    that is recorded is taken as an explanation.
    """
    problems = list(_whole(arena, set(removed)))
    for tale in _tales(arena):
        problems += [f"job {tale.row.id}: {problem}" for problem in _job(tale)]
        if blameless:
            problems += [f"job {tale.row.id}: {problem}" for problem in _blame(arena, tale)]
    assert not problems, "\n".join([f"{len(problems)} problems", *problems[:50]])


def _whole(arena: Arena, removed: set[str]) -> Iterator[str]:
    [(integrity,)] = arena.query("PRAGMA integrity_check")
    if integrity != "ok":
        yield f"integrity_check: {integrity}"
    added = [entry.job for entry in arena.entries("added")]
    stored = {row.id for row in arena.rows()}
    if len(added) != len(set(added)):
        yield "an id was given twice"
    if lost := set(added) - stored - removed:
        yield f"{len(lost)} acknowledged jobs are lost: {sorted(lost)[:10]}"
    if strange := stored - set(added):
        yield f"{len(strange)} jobs that nobody added: {sorted(strange)[:10]}"
    true = dict(arena.query("SELECT queue || ' ' || state, count(*) FROM job GROUP BY 1"))
    kept = dict(arena.query("SELECT queue || ' ' || state, n FROM tally WHERE n <> 0"))
    if true != kept:
        yield f"the counts kept are {kept}, the true ones {true}"


def _tales(arena: Arena) -> Iterator[Tale]:
    [(first,)] = arena.query("SELECT coalesce(min(seq), 1) FROM event")
    assert first == 1, "events were trimmed: the oracle needs them all, so use fewer jobs"
    steps: dict[str, list[Step]] = {}
    for kind, at, ids in arena.query("SELECT kind, at, ids FROM event ORDER BY seq"):
        for id in msgspec.json.decode(ids):
            steps.setdefault(id, []).append(Step(kind, at / 1_000))
    runs, ends = _by_job(arena.entries("start")), _by_job(arena.entries("end"))
    for row in arena.rows():
        yield Tale(row, steps.get(row.id, []), runs.get(row.id, []), ends.get(row.id, []))


def _by_job(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.job, []).append(entry)
    return found


def _job(tale: Tale) -> Iterator[str]:
    row, kinds = tale.row, Counter(step.kind for step in tale.steps)
    claims = kinds["claimed"]
    if row.starts != claims:
        yield f"starts={row.starts}, claimed {claims} times"
    tokens = [run.token for run in tale.runs]
    if len(tokens) != len(set(tokens)):
        yield f"run twice under one lease: {tale.runs}"
    if len(tokens) > claims:
        yield f"run {len(tokens)} times, claimed {claims} times"
    held = False
    for step in tale.steps:
        if step.kind == "claimed":
            if held:
                yield f"claimed twice with no loss between: {tale.steps}"
            held = True
        elif step.kind in GIVES_BACK | {"completed", "failed"}:
            held = False
    if held != (row.state == "active"):
        yield f"is {row.state}, its history says otherwise: {tale.steps}"
    if kinds["completed"] > 1 + kinds["requeued"]:
        yield f"completed {kinds['completed']} times"
    yield from _counters(tale, kinds)
    yield from _result(tale)


def _counters(tale: Tale, kinds: Counter[str]) -> Iterator[str]:
    row = tale.row
    if kinds["requeued"]:
        return  # they start again at 0
    crashed = row.state == "failed" and row.reason == "crashed"
    cancelled = row.state == "failed" and row.reason == "cancelled" and "cancelled" in kinds
    failed = kinds["failed"] and not crashed and not cancelled
    attempts = kinds["retried"] + kinds["completed"] + bool(failed)
    if row.attempts != attempts:
        yield f"attempts={row.attempts}, by its history {attempts}"
    most = kinds["recovered"] + kinds["released"] + crashed
    if not kinds["recovered"] <= row.crashes <= most:
        yield f"crashes={row.crashes}, recovered {kinds['recovered']} times"


def _result(tale: Tale) -> Iterator[str]:
    row = tale.row
    if row.state != "completed" or not isinstance(row.value, dict):
        return
    token = row.value["token"]
    if token not in {end.token for end in tale.ends}:
        yield f"its result is of a run that did not end: {row.value}"
    if row.value["claim"] != row.starts:
        yield f"its result is of claim {row.value['claim']}, the last one was {row.starts}"


def _blame(arena: Arena, tale: Tale) -> Iterator[str]:
    """Yield the losses that no fault explains."""
    claim = 0
    claimed_at = 0.0
    for step in tale.steps:
        if step.kind == "claimed":
            claim += 1
            claimed_at = step.at
        elif step.kind == "recovered":
            holder = next((run.worker for run in tale.runs if run.claim == claim), None)
            if not any(
                fault.at <= step.at + SKEW
                and (fault.worker == holder if holder else fault.at >= claimed_at - SKEW)
                for fault in arena.faults
            ):
                yield f"claim {claim} (worker {holder}) was recovered without a fault: {tale.steps}"


def untroubled(*workers: WorkerProcess) -> None:
    """Check that no failure of the store came to the surface."""
    for worker in workers:
        failures = [line.text for line in worker.said("broker.failed")]
        assert failures == [], f"{worker.name}: {failures[:5]}"
        assert "Traceback" not in worker.tail(), worker.tail()
        assert "is locked" not in worker.tail(), worker.tail()
