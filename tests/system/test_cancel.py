"""Cancelling a job that runs in another process."""

from __future__ import annotations

import pytest

from tests.system.arena import Arena, soak
from tests.system.oracle import check, untroubled
from tests.system.test_children import gone

pytestmark = pytest.mark.system

WITHIN = 2.0
"""Seconds from the cancelling to the handler: a tick of the keeper, which is one at the most."""
SLACK = 0.5


@pytest.mark.again(10)
@pytest.mark.parametrize("lease_ms", [30_000, soak(1_000)])
@pytest.mark.parametrize("task", ["hold", "hold_thread", "hold_deaf"])
def test_a_running_handler_is_told_within_two_seconds(
    arena: Arena, task: str, lease_ms: int
) -> None:
    id = arena.add_one(task, name="job")
    beside = arena.add_one("hold", name="beside")
    worker = arena.worker("worker", lease_ms=lease_ms)
    arena.until_started(id)
    arena.until_started(beside)

    assert arena.cancel(id)

    cancelled = arena.row(id)
    assert (cancelled.state, cancelled.reason, cancelled.attempts) == ("failed", "cancelled", 0)
    arena.note(f"job {id} cancelled")
    [told] = arena.until(lambda: arena.entries("cancelled", id), "the handler to be told", 5)
    [(at,)] = arena.query("SELECT finished_at FROM job WHERE seq = ?", (int(id),))
    assert told.at - at / 1_000 < WITHIN + SLACK
    arena.open_gate("job")  # the deaf one ends only now, with a result
    arena.open_gate("beside")
    arena.until_state(beside, "completed")
    worker.stop()
    assert arena.row(id) == cancelled
    check(arena)
    untroubled(worker)


@pytest.mark.again(10)
@pytest.mark.parametrize("task", ["hold_process", "spin_process"])
def test_a_child_process_is_killed(arena: Arena, task: str) -> None:
    id = arena.add_one(task, **({"name": "job"} if task == "hold_process" else {}))
    worker = arena.worker("worker", processes=1)
    started = arena.until_started(id)
    assert not gone(started.pid)

    assert arena.cancel(id)

    arena.until(lambda: gone(started.pid), "the child to be killed", WITHIN + SLACK)
    row = arena.row(id)
    assert (row.state, row.reason, row.attempts, row.crashes) == ("failed", "cancelled", 0, 0)
    after = arena.add_one("nap_process")
    arena.until_state(after, "completed")
    worker.stop()
    assert arena.row(id) == row
    check(arena)
    untroubled(worker)


@pytest.mark.again(10)
@pytest.mark.parametrize("task", ["hold", "hold_thread", "hold_process"])
def test_removing_a_running_job_by_force_interrupts_it(arena: Arena, task: str) -> None:
    id = arena.add_one(task, name="job")
    worker = arena.worker("worker", processes=1)
    started = arena.until_started(id)

    assert arena.app.run(arena.app.queue().job(id).remove(force=True))

    arena.note(f"job {id} removed")
    if task == "hold_process":
        arena.until(lambda: gone(started.pid), "the child to be killed", WITHIN + SLACK)
    else:
        arena.until(lambda: arena.entries("cancelled", id), "the handler to be told", 5)
    worker.stop()
    assert arena.rows() == []
    check(arena, removed={id})
    untroubled(worker)
