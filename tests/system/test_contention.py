"""Many processes on one file: no job is held twice, and no lock comes to the surface."""

from __future__ import annotations

import multiprocessing
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from stoker.broker.sqlite.connection import connect
from tests.system.arena import Arena, Process
from tests.system.oracle import check, untroubled

pytestmark = pytest.mark.system

NEW_FILES = 60
OPENERS = 3
DEFAULT_LEASE = {"lease_ms": 30_000, "recover_ms": 5_000}


@pytest.mark.again(20)
@pytest.mark.parametrize(("workers", "jobs"), [(2, 600), (4, 1_200)])
def test_no_job_is_given_to_two_workers(arena: Arena, workers: int, jobs: int) -> None:
    # All of them outlive every process here; a sync for each line would only slow the contention.
    arena.env["FAULT_SYNC"] = "0"
    arena.add("nap", jobs // 3)
    producers = [arena.script(f"p{n}", "producer", str(jobs // 3), "nap") for n in range(2)]

    fleet = arena.workers(*(f"w{n}" for n in range(workers)), concurrency=10)

    assert [producer.exit_code(60) for producer in producers] == [0, 0]
    arena.until_all_done()
    for worker in fleet:
        worker.stop()
    rows = arena.rows()
    assert len(rows) == jobs // 3 * 3
    assert {(row.state, row.starts, row.attempts, row.crashes) for row in rows} == {
        ("completed", 1, 1, 0)
    }
    assert len({run.worker for run in arena.entries("start")}) == workers
    check(arena)
    untroubled(*fleet)


@pytest.mark.again(10)
def test_a_sweep_in_every_process_takes_a_lost_job_back_once(arena: Arena) -> None:
    arena.add("hold", 20, name="held")
    victim = arena.worker("victim", concurrency=20)
    arena.until(lambda: len(arena.entries("start")) == 20, "the jobs to begin")
    fleet = arena.workers("w0", "w1", "w2", concurrency=20, recover_ms=50)
    arena.open_gate("held", claim=2)

    victim.kill()

    arena.until_all_done()
    assert {(row.state, row.crashes, row.attempts) for row in arena.rows()} == {("completed", 1, 1)}
    check(arena)
    untroubled(*fleet)


def open_each(folder: Path, begin: threading.Barrier) -> None:
    """Open new files, each at the same moment as the other processes do."""
    for number in range(NEW_FILES):
        begin.wait(60)
        connect(str(folder / f"{number}.db")).close()


@pytest.mark.again(3)
def test_processes_that_open_a_new_file_at_once_all_get_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(OPENERS, context) as pool:
        begin = manager.Barrier(OPENERS)
        opened = [pool.submit(open_each, tmp_path, begin) for _ in range(OPENERS)]
        faults = [repr(error) for each in opened if (error := each.exception(120))]

    # One that fails leaves the others at a broken barrier: the first line is the one to read.
    assert not faults, "\n".join(sorted(faults))


def hold(arena: Arena, *statements: str) -> Process:
    holder = arena.script("holder", "holder", str(arena.database), *statements)
    arena.until((arena.folder / "gates" / "held-1").exists, "the lock to be held")
    return holder


@pytest.mark.again(5)
def test_a_writer_that_sits_on_the_lock_for_seconds_holds_up_and_breaks_nothing(
    arena: Arena,
) -> None:
    fleet = arena.workers("w0", "w1", concurrency=5, **DEFAULT_LEASE)
    arena.add("hold", 5, name="held")
    arena.until(lambda: len(arena.entries("start")) == 5, "the jobs to begin")
    hold(arena, "BEGIN IMMEDIATE", "UPDATE counter SET value = value + 1")
    arena.note("the write lock is taken")
    arena.open_gate("held")
    arena.until(lambda: len(arena.entries("end")) == 5, "the handlers to end")
    adding = threading.Thread(target=arena.add, args=("nap", 50))
    adding.start()

    time.sleep(5)  # the length of the fault

    assert arena.count("completed") == 0, "the lock was not held: the test shows nothing"
    assert adding.is_alive()
    arena.open_gate("let-go")
    arena.note("the write lock is free")
    adding.join(10)
    assert not adding.is_alive()
    arena.until_all_done()
    assert {(row.state, row.starts) for row in arena.rows()} == {("completed", 1)}
    check(arena)
    untroubled(*fleet)


@pytest.mark.again(5)
def test_a_writer_that_is_killed_while_it_holds_the_lock_leaves_it_free(arena: Arena) -> None:
    [worker] = arena.workers("w0", concurrency=5, **DEFAULT_LEASE)
    holder = hold(arena, "BEGIN IMMEDIATE", "DELETE FROM job", "DELETE FROM tally")
    adding = threading.Thread(target=arena.add, args=("nap", 50))
    adding.start()
    adding.join(0.2)
    assert adding.is_alive(), "the lock was not held: the test shows nothing"

    holder.kill()

    adding.join(5)
    assert not adding.is_alive()
    arena.until_all_done()
    assert {(row.state, row.starts) for row in arena.rows()} == {("completed", 1)}
    check(arena)
    untroubled(worker)


@pytest.mark.again(5)
def test_a_reader_that_never_lets_go_delays_only_the_checkpoint(arena: Arena) -> None:
    arena.env["FAULT_SYNC"] = "0"
    wal = arena.folder / "jobs.db-wal"
    arena.add("nap")
    fleet = arena.workers("w0", "w1", concurrency=10)
    arena.until_all_done()
    reader = hold(arena, "BEGIN", "SELECT * FROM job")

    arena.add("nap", 1_500)
    arena.until_all_done()
    while wal.stat().st_size < 20_000_000:  # past what a checkpoint would have cut it to
        arena.app.run(arena.app.queue("other").add("x", {"text": "x" * 500_000}))

    arena.open_gate("let-go")
    assert reader.exit_code() == 0, reader.tail()  # else the last commit may come before it lets go
    before = arena.database.stat().st_size
    arena.add("nap", 100)
    arena.until_all_done()
    assert {row.starts for row in arena.rows("queue = 'default'")} == {1}
    arena.until(lambda: arena.database.stat().st_size > before + 10_000_000, "a checkpoint")
    untroubled(*fleet)
