"""Runs that take longer than they may, wherever they run."""

from __future__ import annotations

import signal

import pytest

from tests.system.arena import Arena
from tests.system.oracle import check, untroubled
from tests.system.test_children import gone

pytestmark = pytest.mark.system


@pytest.mark.again(10)
@pytest.mark.parametrize("task", ["slow", "slow_thread", "slow_process"])
def test_a_run_that_takes_too_long_fails_and_its_slot_is_free(arena: Arena, task: str) -> None:
    worker = arena.worker("worker", concurrency=1, processes=1)
    id = arena.add_one(task, name="never")
    other = arena.add_one("nap")
    started = arena.until_started(id)

    row = arena.until_state(id, "failed", 5)
    after = arena.until_state(other, "completed", 5)

    assert (row.reason, row.attempts, row.crashes, row.starts) == ("timeout", 1, 0, 1)
    assert (after.starts, after.crashes) == (1, 0)
    match task:
        case "slow":
            assert len(arena.entries("cancelled", id)) == 1
        case "slow_thread":
            arena.until(lambda: arena.entries("cancelled", id), "the thread to notice")
            assert [line.jobs[0][0] for line in worker.said("job.stuck")] == [id]
        case "slow_process":
            assert gone(started.pid)
    arena.open_gate("never")  # the thread returns a result that nobody waits for
    worker.stop()
    assert arena.row(id) == row
    check(arena)
    untroubled(worker)


def test_the_start_of_a_child_process_is_not_on_the_clock(arena: Arena) -> None:
    """Two children start at once on a busy machine; the runs are shorter than their timeout."""
    worker = arena.worker("worker", processes=2)

    arena.add("nap_process", 2)

    arena.until_all_done()
    assert arena.count("completed") == 2
    untroubled(worker)


@pytest.mark.again(5)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stuck_threads_do_not_keep_the_worker_from_leaving(
    arena: Arena, number: signal.Signals
) -> None:
    ids = arena.add("slow_thread", 5, name="never")
    worker = arena.worker("worker", concurrency=5)
    for id in ids:
        arena.until_state(id, "failed", 5)
    later = arena.add_one("nap")
    arena.until_state(later, "completed")

    worker.signal(number)

    assert worker.exit_code(3) == 0, worker.tail()
    assert {arena.row(id).reason for id in ids} == {"timeout"}
    check(arena)
    untroubled(worker)
