"""A worker that is frozen past its lease comes back: whatever it still says is refused."""

from __future__ import annotations

import pytest

from tests.system.arena import Arena, Row, WorkerProcess
from tests.system.oracle import check

pytestmark = pytest.mark.system


def freeze_past_the_lease(
    arena: Arena, task: str, **data: object
) -> tuple[str, WorkerProcess, WorkerProcess]:
    """Return a job that one frozen worker still runs and another has begun to run."""
    id = arena.add_one(task, name="job", **data)
    zombie = arena.worker("zombie")
    arena.until_started(id)
    heir = arena.worker("heir")
    arena.freeze(zombie)
    arena.until_started(id, claim=2)
    return id, zombie, heir


def refused(zombie: WorkerProcess, token: str) -> bool:
    """Whether the zombie was told that a lease is lost, be it by its outcome or by a renewal."""
    return any(token in {given for _, given in line.jobs} for line in zombie.said("jobs.lost"))


def only_the_heirs_word_is_stored(arena: Arena, row: Row) -> None:
    assert (row.state, row.attempts, row.crashes, row.starts) == ("completed", 1, 1, 2)
    assert row.value["claim"] == 2
    lines = [text for (text,) in arena.query("SELECT line FROM log WHERE job = ?", (int(row.id),))]
    assert lines == ["from claim 2"]
    assert row.progress == '{"claim":2}'


@pytest.mark.again(30)
@pytest.mark.parametrize("task", ["haunt", "haunt_loop"])
def test_a_result_that_comes_while_the_heir_is_at_work_is_refused(arena: Arena, task: str) -> None:
    data = {"heed": False} if task == "haunt" else {}
    id, zombie, heir = freeze_past_the_lease(arena, task, **data)
    token = arena.entries("start", id)[0].token

    arena.open_gate("job", claim=1)
    zombie.thaw()

    arena.until(lambda: refused(zombie, token), "the zombie to be refused")
    row = arena.row(id)
    assert (row.state, row.worker, row.progress) == ("active", "heir", None)
    assert row.token == arena.entries("start", id)[1].token
    arena.open_gate("job", claim=2)
    only_the_heirs_word_is_stored(arena, arena.until_state(id, "completed"))
    check(arena)
    for worker in (zombie, heir):
        worker.stop()


@pytest.mark.again(30)
@pytest.mark.parametrize("task", ["haunt", "haunt_loop"])
def test_a_result_that_comes_after_the_heirs_does_not_overwrite_it(arena: Arena, task: str) -> None:
    data = {"heed": False} if task == "haunt" else {}
    id, zombie, heir = freeze_past_the_lease(arena, task, **data)
    token = arena.entries("start", id)[0].token
    arena.open_gate("job", claim=2)
    before = arena.until_state(id, "completed")

    arena.open_gate("job", claim=1)
    zombie.thaw()

    arena.until(lambda: refused(zombie, token), "the zombie to be refused")
    zombie.stop()  # whatever it still had to say is said by now
    assert arena.row(id) == before
    only_the_heirs_word_is_stored(arena, before)
    check(arena)
    heir.stop()


@pytest.mark.again(10)
def test_the_handler_learns_of_the_loss_and_its_reports_are_refused(arena: Arena) -> None:
    id, zombie, heir = freeze_past_the_lease(arena, "haunt", heed=True)
    arena.open_gate("job", claim=1)

    zombie.thaw()

    arena.until(lambda: arena.entries("cancelled", id), "the handler to be told")
    arena.until(lambda: arena.entries("end", id), "the handler to end all the same")
    zombie.stop()
    row = arena.row(id)
    assert (row.state, row.worker, row.progress) == ("active", "heir", None)
    [(lines,)] = arena.query("SELECT count(*) FROM log WHERE job = ?", (int(id),))
    assert lines == 0
    heir.kill()  # its handler waits for the loss as well


@pytest.mark.again(10)
def test_a_child_process_that_outlives_its_frozen_worker_is_refused(arena: Arena) -> None:
    id, zombie, heir = freeze_past_the_lease(arena, "hold_process")
    token = arena.entries("start", id)[0].token

    arena.open_gate("job", claim=1)  # only the worker is frozen: the child goes on, and ends
    arena.until(lambda: arena.entries("end", id), "the zombie's child to end")
    zombie.thaw()

    arena.until(lambda: refused(zombie, token), "the zombie to be refused")
    arena.open_gate("job", claim=2)
    row = arena.until_state(id, "completed")
    assert (row.value["claim"], row.crashes, row.attempts) == (2, 1, 1)
    check(arena)
    for worker in (zombie, heir):
        worker.stop()


@pytest.mark.again(10)
def test_a_zombie_goes_on_working_once_it_is_back(arena: Arena) -> None:
    ids = arena.add("haunt_loop", 5, name="job")
    zombie = arena.worker("zombie")
    arena.until(lambda: len(arena.entries("start")) == 5, "the jobs to begin")
    heir = arena.worker("heir")
    arena.freeze(zombie)
    arena.open_gate("job", claim=2)
    arena.until_all_done()
    heir.stop()

    zombie.thaw()

    new = arena.add("nap", 30)
    arena.until_all_done()
    assert {arena.row(id).value["claim"] for id in ids} == {2}
    assert {arena.row(id).worker for id in new} == {"zombie"}
    check(arena)
    zombie.stop()
