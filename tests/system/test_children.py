"""Child processes that die, and those of a worker that died."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.arena import Arena, soak
from tests.system.oracle import check, untroubled

pytestmark = pytest.mark.system

MAX_STALLS = 2
DEATHS = {
    "segfault": "SIGSEGV",
    "exit": "exit code 7",
    "killed": "SIGKILL",
    "memory": "SIGSEGV",
    "stack": "SIGSEGV",
}


def gone(pid: int) -> bool:
    """Whether a process has ended; a zombie that only waits for its parent has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@contextlib.contextmanager
def ended_whatever_happens(*pids: int) -> Iterator[None]:
    """Leave none of these processes behind, also where nobody ends them who should."""
    try:
        yield
    finally:
        for pid in pids:
            if not gone(pid):
                os.kill(pid, signal.SIGKILL)


def pool_has(arena: Arena, size: int, after: str) -> None:
    """See that so many jobs run in child processes at once."""
    before = len(arena.entries("start"))
    arena.add("hold_process", size, name=f"pool-{after}")
    arena.until(
        lambda: len(arena.entries("start")) == before + size, f"{size} children to be at work"
    )
    arena.open_gate(f"pool-{after}")
    arena.until_all_done()


@pytest.mark.again(10)
@pytest.mark.parametrize("how", ["segfault", "killed", *map(soak, ["exit", "memory", "stack"])])
def test_a_job_that_kills_its_process_is_buried_and_nobody_else_is_hurt(
    arena: Arena, how: str
) -> None:
    worker = arena.worker("worker", processes=2, max_stalls=MAX_STALLS)
    beside = [arena.add_one(task, name="beside") for task in ("hold", "hold_deaf", "hold_process")]
    for id in beside:
        arena.until_started(id)

    id = arena.add_one("die", how=how)

    row = arena.until_state(id, "failed")
    assert (row.reason, row.crashes, row.attempts) == ("crashed", MAX_STALLS + 1, 0)
    assert row.starts == len(arena.entries("start", id)) == MAX_STALLS + 1
    assert DEATHS[how] in (row.failure or ""), row.failure
    arena.open_gate("beside")
    arena.until_all_done()
    assert {(arena.row(id).state, arena.row(id).starts) for id in beside} == {("completed", 1)}
    pool_has(arena, 2, after=how)
    worker.stop()
    check(arena)
    untroubled(worker)


@pytest.mark.again(10)
def test_one_crash_costs_one_crash_and_no_attempt(arena: Arena) -> None:
    worker = arena.worker("worker", processes=2)

    id = arena.add_one("die", how="segfault", times=1)

    row = arena.until_state(id, "completed")
    assert (row.crashes, row.attempts, row.starts) == (1, 1, 2)
    worker.stop()
    check(arena)
    untroubled(worker)


def test_a_memory_error_in_python_is_an_ordinary_failure(arena: Arena) -> None:
    worker = arena.worker("worker", processes=1)

    id = arena.add_one("hoard")

    row = arena.until_state(id, "failed")
    assert (row.reason, row.crashes, row.attempts) == ("error", 0, 1)
    assert "MemoryError" in (row.failure or "")
    pool_has(arena, 1, after="hoard")
    [before], [after] = arena.entries("start", id), arena.entries("start")[-1:]
    assert gone(before.pid)  # the next job has a child with memory of its own
    assert after.pid != before.pid
    worker.stop()
    check(arena)
    untroubled(worker)


@pytest.mark.again(5)
def test_many_crashes_leave_the_pool_as_it_was(arena: Arena) -> None:
    worker = arena.worker("worker", processes=2, max_stalls=0)

    ids = {arena.add_one("die", how=how): how for how in [*DEATHS] * 2}
    good = arena.add("nap_process", 10)

    arena.until_all_done()
    for id, how in ids.items():
        row = arena.row(id)
        assert (row.reason, row.crashes, row.attempts) == ("crashed", 1, 0)
        assert len(arena.entries("start", id)) == 1  # claimed more often: not all had a child
        assert DEATHS[how] in (row.failure or ""), row.failure
    assert {arena.row(id).state for id in good} == {"completed"}
    assert {len(arena.entries("start", id)) for id in good} == {1}
    pool_has(arena, 2, after="all")
    worker.stop()
    check(arena)
    untroubled(worker)


@pytest.mark.again(10)
@pytest.mark.parametrize("task", ["hold_process", "spin_process"])
def test_the_children_of_a_killed_worker_go_away(arena: Arena, task: str) -> None:
    data: dict[str, Any] = {"name": "never"} if task == "hold_process" else {}
    arena.add(task, 2, **data)
    worker = arena.worker("worker", processes=2)
    started = arena.until(lambda: s if len(s := arena.entries("start")) == 2 else [], "the jobs")

    worker.kill()

    with ended_whatever_happens(*(entry.pid for entry in started)):
        for entry in started:
            arena.until(lambda pid=entry.pid: gone(pid), f"child {entry.pid} to go away", 3)


@pytest.mark.again(5)
def test_a_child_killed_from_outside_costs_its_own_job_only(arena: Arena) -> None:
    ids = arena.add("hold_process", 2, name="job")
    worker = arena.worker("worker", processes=2)
    first, second = (arena.until_started(id) for id in ids)
    arena.note(f"SIGKILL to child {first.pid}")

    os.kill(first.pid, 9)

    arena.until_started(first.job, claim=2)
    assert not gone(second.pid)
    arena.open_gate("job", claim=1)
    arena.open_gate("job", claim=2)
    arena.until_all_done()
    assert (arena.row(first.job).crashes, arena.row(second.job).crashes) == (1, 0)
    worker.stop()
    check(arena)
    untroubled(worker)


@pytest.mark.parametrize("end", ["cancelled", "worker killed"])
def test_what_a_child_has_started_goes_with_it(arena: Arena, end: str) -> None:
    id = arena.add_one("parent", name="never")
    worker = arena.worker("worker", processes=1)
    [entry] = arena.until(lambda: arena.entries("grandchild", id), "the grandchild")
    grandchild = int(entry.text)

    if end == "cancelled":
        arena.cancel(id)
    else:
        worker.kill()

    with ended_whatever_happens(grandchild):
        arena.until(lambda: gone(grandchild), "the grandchild to go away", 3)


def test_what_no_child_is_free_for_is_left_to_other_workers(arena: Arena) -> None:
    """In a queue of mixed tasks, more jobs are claimed than there are children."""
    ids = arena.add("hold_process", 4, name="job")
    crowded = arena.worker("crowded", processes=1, concurrency=4)
    arena.until(
        lambda: sorted(arena.row(id).state for id in ids) == ["active", *["waiting"] * 3],
        "three of four to be handed back",
    )
    [first] = arena.until(lambda: arena.entries("start"), "the one to begin")

    crowded.kill()
    worker = arena.worker("idle", processes=4)

    arena.until(lambda: len({entry.job for entry in arena.entries("start")}) == 4, "all to begin")
    arena.until_started(first.job, claim=2)
    assert [arena.row(id).crashes for id in ids] == [int(id == first.job) for id in ids]
    for claim in range(1, 20):
        arena.open_gate("job", claim=claim)
    arena.until_all_done()
    worker.stop()
    check(arena)


def test_what_no_child_is_free_for_is_not_claimed_again_and_again(arena: Arena) -> None:
    ids = arena.add("nap_process", 20, ms=200)

    worker = arena.worker("worker", processes=2, concurrency=10, burst=True)

    assert worker.exit_code() == 0
    # Each slot once in vain before it is known what these jobs need, and once more for each turn.
    assert sum(arena.row(id).starts for id in ids) <= 3 * len(ids)
    check(arena)


def test_jobs_that_need_no_child_go_on_while_others_wait_for_one(arena: Arena) -> None:
    held = arena.add("hold_process", 4, name="job")
    others = arena.add("nap", 300, ms=10)

    crowded = arena.worker("crowded", processes=1, concurrency=6)

    arena.until(lambda: arena.count("completed") == len(others), "the others to go past")
    arena.worker("idle", processes=4)
    arena.until(lambda: {entry.job for entry in arena.entries("start")} >= {*held}, "all to begin")
    assert crowded.running
    for claim in range(1, 200):
        arena.open_gate("job", claim=claim)
    arena.until_all_done()
    assert {arena.row(id).crashes for id in held} == {0}
    check(arena)


def test_a_worker_goes_on_with_what_it_had_no_child_for(arena: Arena) -> None:
    ids = arena.add("nap_process", 4, ms=600)
    quick = arena.add_one("nap")

    worker = arena.worker("worker", processes=1, burst=True)

    assert worker.exit_code() == 0
    rows = [arena.row(id) for id in [*ids, quick]]
    assert {(row.state, row.attempts, row.crashes) for row in rows} == {("completed", 1, 0)}
    check(arena)
