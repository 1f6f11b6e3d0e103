"""A handler that does not let the event loop go keeps its job, and the others beside it theirs."""

from __future__ import annotations

import pytest

from tests.system.arena import LEASE_MS, Arena
from tests.system.oracle import check, untroubled

pytestmark = pytest.mark.system


@pytest.mark.again(10)
@pytest.mark.parametrize("task", ["block", "spin"])
def test_the_leases_outlive_a_loop_that_is_blocked_for_three_of_them(
    arena: Arena, task: str
) -> None:
    beside = arena.add("hold", 5, name="beside")
    blocked = arena.worker("blocked")
    arena.until(lambda: len(arena.entries("start")) == 5, "the jobs beside to begin")
    arena.note(f"{task} for three leases")
    id = arena.add_one(task, seconds=3 * LEASE_MS / 1_000)
    arena.until_started(id)
    other = arena.worker("other", recover_ms=50)  # who would take the jobs, if they were lost
    arena.open_gate("beside")

    arena.until_all_done()

    for each in [id, *beside]:
        row = arena.row(each)
        assert (row.state, row.starts, row.crashes, row.worker) == ("completed", 1, 0, "blocked")
    assert len(arena.entries("start")) == 6
    check(arena)
    untroubled(blocked, other)
    for worker in (blocked, other):
        worker.stop()


def test_a_blocked_loop_is_told_of(arena: Arena) -> None:
    worker = arena.worker("blocked")

    arena.add("block", seconds=2.5)

    arena.until(lambda: worker.said("loop.blocked"), "the warning")
    arena.until_all_done()
    assert len(worker.said("loop.blocked")) == 1
