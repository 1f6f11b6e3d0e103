"""What an idle worker costs, and that the backlog does not change it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from stoker.job.model import NewJob
from tests.system.arena import Arena, WorkerProcess, soak
from tests.system.oracle import untroubled

pytestmark = pytest.mark.system

MIB = 1 << 20
IDLE = 60 * MIB
DIFFERENCE = 4 * MIB
DAY_MS = 86_400_000
LOOKED_AT = 2.0
"""Seconds of doing nothing that are compared."""
CHUNK = 500


class Cost(NamedTuple):
    resident: int
    processor: float
    """Share of one core."""


def resident(worker: WorkerProcess) -> int:
    lines = Path(f"/proc/{worker.pid}/status").read_text().splitlines()
    [size] = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return int(size) * 1024


def processor_seconds(worker: WorkerProcess) -> float:
    fields = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle_cost(arena: Arena, name: str) -> Cost:
    """Return what a worker costs that has done a little work and now has none."""
    worker = arena.worker(name, lease_ms=30_000, recover_ms=5_000)
    arena.add("nap", 50)
    arena.until_state(arena.add_one("nap"), "completed")
    arena.until(
        lambda: not arena.query("SELECT 1 FROM job WHERE state = 'active'"), "an idle worker"
    )
    used = processor_seconds(worker)
    time.sleep(LOOKED_AT)  # what is measured
    cost = Cost(resident(worker), (processor_seconds(worker) - used) / LOOKED_AT)
    arena.note(f"{name}: {cost.resident / MIB:.1f} MiB, {cost.processor:.1%} of a core")
    untroubled(worker)
    worker.stop()
    return cost


def delay_many(arena: Arena, count: int) -> None:
    """Store jobs that are not due for days."""

    async def add() -> None:
        broker = await arena.app.client.broker()
        for start in range(0, count, CHUNK):
            await broker.add(
                [
                    NewJob("default", "nap", delay_ms=DAY_MS + number)
                    for number in range(start, start + CHUNK)
                ]
            )

    arena.app.run(add())


@pytest.mark.parametrize("delayed", [100_000, soak(1_000_000)])
def test_an_idle_worker_is_small_however_many_jobs_are_delayed(arena: Arena, delayed: int) -> None:
    before = idle_cost(arena, "before")
    delay_many(arena, delayed)
    assert arena.count("delayed") == delayed

    after = idle_cost(arena, "after")

    assert before.resident < IDLE
    assert after.resident < IDLE
    assert after.resident - before.resident < DIFFERENCE
    assert after.processor < 0.1


@pytest.mark.parametrize("jobs", [4_000, soak(500_000)])
def test_a_worker_does_not_grow_with_the_jobs_it_has_run(arena: Arena, jobs: int) -> None:
    arena.env["FAULT_SYNC"] = "0"
    worker = arena.worker("worker", concurrency=50, lease_ms=30_000)
    arena.add("nap", 2_000)
    arena.until_all_done()
    before = resident(worker)

    for _ in range(0, jobs, 1_000):
        arena.add("nap", 1_000)
        arena.until_all_done(120)

    grown = resident(worker) - before
    arena.note(f"{before / MIB:.1f} MiB after 2,000 jobs, {grown / MIB:.1f} more after {jobs:,}")
    assert grown < 4 * MIB
    worker.stop()
