"""Workers killed in the middle of their work: nothing is lost, and what they held runs again."""

from __future__ import annotations

import time

import pytest

from tests.system.arena import RECOVERED_WITHIN, Arena, WorkerProcess
from tests.system.oracle import check

pytestmark = pytest.mark.system

JOBS = 200
ROUNDS = 5


@pytest.mark.again(50)
def test_what_a_killed_worker_held_runs_again_and_nothing_is_lost(arena: Arena) -> None:
    fleet = arena.workers("w0", "w1", "w2", concurrency=6)
    expected: dict[str, int] = {}
    for turn in range(ROUNDS):
        ids = arena.add("nap", JOBS // 2, ms=20) + arena.add("nap_thread", JOBS // 2, ms=20)
        mine = set(ids)
        enough = arena.rng.randrange(10, JOBS - 40)
        arena.until(
            lambda m=mine, n=enough: sum(e.job in m for e in arena.entries("start")) >= n,
            f"{enough} jobs of round {turn} to begin",
        )
        time.sleep(arena.rng.uniform(0, 0.02))  # the instant is the fault's, nothing waits for it
        victim = arena.rng.choice(fleet)

        killed_at = victim.kill()

        orphans = arena.rows("state = 'active' AND worker = ?", (victim.name,))
        arena.note(f"{victim.name} held {[row.id for row in orphans]}")
        fleet[fleet.index(victim)] = arena.worker(f"{victim.name}+", concurrency=6)
        for row in orphans:
            expected[row.id] = expected.get(row.id, 0) + 1
        arena.until_all_done()
        for row in orphans:
            recovered = [at for at in recoveries(arena, row.id) if at >= killed_at]
            assert len(recovered) == 1, f"job {row.id} was recovered at {recovered}"
            assert recovered[0] - killed_at < RECOVERED_WITHIN

    for row in arena.rows():
        assert (row.state, row.attempts) == ("completed", 1), row
        assert row.crashes == expected.get(row.id, 0), row
    assert sum(expected.values()) > 0, "no kill hit a running job: the test showed nothing"
    check(arena)
    for worker in fleet:
        worker.stop()


@pytest.mark.again(50)
def test_all_workers_killed_at_once(arena: Arena) -> None:
    for turn in range(2):
        fleet = arena.workers(f"a{turn}", f"b{turn}", concurrency=8)
        before = len(arena.entries("start"))
        arena.add("nap", JOBS, ms=10)
        enough = before + arena.rng.randrange(10, JOBS - 40)
        arena.until(lambda n=enough: len(arena.entries("start")) >= n, f"{enough} starts")

        for worker in fleet:
            worker.kill()

        heir: WorkerProcess = arena.worker(f"heir{turn}", concurrency=8)
        arena.until_all_done()
        heir.stop()

    assert arena.count("completed") == len(arena.entries("added"))
    check(arena)


def recoveries(arena: Arena, id: str) -> list[float]:
    """Return when a job was recovered."""
    return [
        at / 1_000
        for (at,) in arena.query(
            "SELECT at FROM event, json_each(event.ids) WHERE kind = 'recovered' AND value = ?",
            (id,),
        )
    ]
