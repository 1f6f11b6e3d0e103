"""The store, or the machine, is away for longer than a lease: who lives keeps what it holds."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.system.arena import LEASE_MS, Arena, WorkerProcess
from tests.system.oracle import check

pytestmark = pytest.mark.system

JOBS = 8
AWAY = 2.5 * LEASE_MS / 1_000


def locked(arena: Arena, turn: int, workers: list[WorkerProcess]) -> None:
    """Nobody can write."""
    arena.close_gate("held")
    arena.close_gate("let-go")
    statements = ("BEGIN IMMEDIATE", "UPDATE counter SET value = value + 1")
    arena.script(f"holder{turn}", "holder", str(arena.database), *statements)
    arena.until((arena.folder / "gates" / "held-1").exists, "the lock to be taken")
    time.sleep(AWAY)  # the length of the fault
    arena.open_gate("let-go")


def suspended(arena: Arena, turn: int, workers: list[WorkerProcess]) -> None:
    """Nobody runs, and when they do again, the one that holds nothing comes first."""
    for worker in workers:
        worker.freeze()
    time.sleep(AWAY)
    for worker in reversed(workers):
        worker.thaw()
        time.sleep(0.03)


@pytest.mark.again(5)
@pytest.mark.parametrize("away", [locked, suspended])
def test_when_it_is_back_no_living_worker_loses_a_job(
    arena: Arena, away: Callable[[Arena, int, list[WorkerProcess]], None]
) -> None:
    holders = arena.workers("w0", "w1", concurrency=JOBS // 2)
    held = arena.add("hold", JOBS, name="jobs")
    for id in held:
        arena.until_started(id)
    workers = [*holders, *arena.workers("idle0", "idle1", "idle2")]

    for turn in range(2):
        arena.note(f"away for {AWAY} s")
        away(arena, turn, workers)
        back = time.time()
        arena.until(lambda at=back: renewed(arena, at), "all leases to be renewed")
        time.sleep(LEASE_MS / 1_000)  # for whoever would take one

    assert [line for worker in workers for line in worker.said("jobs.recovered")] == []
    arena.open_gate("jobs")
    arena.until_all_done()
    assert {(row.state, row.starts, row.crashes) for row in arena.rows()} == {("completed", 1, 0)}
    check(arena)


def renewed(arena: Arena, since: float) -> bool:
    alive = "SELECT count(*) FROM job WHERE starts > 1 OR expires_at > ?"
    return arena.query(alive, (int(since * 1_000) + LEASE_MS,)) == [(JOBS,)]
