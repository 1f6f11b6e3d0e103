"""The disk fills up while jobs are added, claimed and finished, and has room again later."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from stoker.config import BrokerURL
from stoker.errors import BrokerFull
from tests.system.arena import Arena, WorkerProcess, soak
from tests.system.fulldisk import full_while
from tests.system.oracle import check

pytestmark = pytest.mark.system

SMALL = 12 << 20
OUTAGE = 2.0


class Disk(NamedTuple):
    fill: Callable[[], None]
    free: Callable[[], None]


@pytest.fixture(params=["shim", "tmpfs"])
def disk(request: pytest.FixtureRequest, arena: Arena) -> Iterator[Disk]:
    """The arena's database on a disk that can be filled: a real, small one if we may mount it."""
    if request.param == "shim":
        full = arena.folder / "full"
        arena.env["FAULT_FULL"] = str(full)
        with full_while(full):
            try:
                yield Disk(full.touch, full.unlink)
            finally:
                full.unlink(missing_ok=True)
                arena.close()
        return
    folder = arena.folder / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no small disk, only the shim was tried: {done.stderr.strip()}")
    arena.database = folder / "jobs.db"
    arena.url = arena.env["STOKER_URL"] = str(BrokerURL.of_file(arena.database))
    try:
        yield Disk(lambda: fill(folder), (folder / "filler").unlink)
    finally:
        arena.close()
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Write until there is no byte left."""
    file = os.open(folder / "filler", os.O_WRONLY | os.O_CREAT)
    try:
        for size in (1 << 20, 4096, 1):
            try:
                while os.write(file, b"x" * size):
                    pass
            except OSError:
                continue
    finally:
        os.close(file)


def add_until_full(arena: Arena) -> None:
    """Pages that are free in the files may still take some jobs; these are acknowledged."""

    def add() -> None:
        for _ in range(2_000):
            arena.add("nap")

    with pytest.raises(BrokerFull):
        add()


def failures(worker: WorkerProcess, doing: str) -> list[str]:
    return [line.text for line in worker.said("broker.failed") if line.text.startswith(doing)]


@pytest.mark.again(10)
@pytest.mark.parametrize("lease_ms", [600, soak(30_000)])
def test_nothing_acknowledged_is_lost_and_all_goes_on_when_there_is_room(
    arena: Arena, disk: Disk, lease_ms: int
) -> None:
    arena.add("nap", 50)
    worker = arena.worker("worker", concurrency=20, lease_ms=lease_ms)
    arena.until_all_done()
    held = arena.add("hold", 5, name="held") + arena.add("hold_thread", 5, name="held")
    for id in held:
        arena.until_started(id)
    arena.add("nap", 10, settings={"delay": 1.5})  # something to claim while it is full

    disk.fill()
    arena.note("the disk is full")
    add_until_full(arena)
    arena.until(lambda: failures(worker, "claim: BrokerFull"), "a claim to fail")
    arena.open_gate("held")
    arena.until(lambda: failures(worker, "finish: BrokerFull"), "a finish to fail")
    full_from = time.time()
    while time.time() - full_from < OUTAGE:
        with pytest.raises(BrokerFull):
            arena.app.run(arena.app.queue().add("nap"))
        time.sleep(0.05)
    assert worker.running
    assert arena.count("completed") >= 50
    disk.free()
    arena.note("there is room again")

    arena.until_all_done(20)

    late = arena.add("nap", 20)
    arena.until_all_done(20)
    assert {arena.row(id).state for id in late} == {"completed"}
    rows = arena.rows()
    assert {(row.state, row.starts, row.crashes) for row in rows} == {("completed", 1, 0)}
    check(arena)
    # It tried again now and then, and not in a tight loop.
    assert len(worker.said("broker.failed")) < 20 * (OUTAGE + 10)
    assert "Traceback" not in worker.tail(), worker.tail()
    worker.stop()


@pytest.mark.parametrize("disk", [soak("shim"), soak("tmpfs")], indirect=True)
def test_a_worker_can_be_stopped_while_the_disk_is_full(arena: Arena, disk: Disk) -> None:
    id = arena.add_one("hold", name="held")
    worker = arena.worker("worker")
    arena.until_started(id)
    disk.fill()
    add_until_full(arena)
    arena.open_gate("held")
    arena.until(lambda: failures(worker, "finish: BrokerFull"), "a finish to fail")

    worker.stop()

    assert arena.row(id).state == "active"
    disk.free()
    heir = arena.worker("heir")
    arena.open_gate("held", claim=2)
    arena.until_all_done()
    assert arena.row(id).crashes == 1
    check(arena, blameless=False)
    heir.stop()
