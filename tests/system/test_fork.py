"""Applications that fork while their broker is open."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.system.arena import ROOT, Arena
from tests.system.oracle import check, untroubled

pytestmark = pytest.mark.system

CHILDREN, JOBS = 8, 10


@pytest.mark.again(20)
def test_parent_and_children_enqueue_side_by_side(arena: Arena) -> None:
    forker = arena.script("forker", "forker", "crowd", str(CHILDREN), str(JOBS))
    worker = arena.worker("worker")

    assert forker.exit_code(60) == 0, forker.tail()

    arena.until_all_done()
    assert len(arena.entries("added")) >= JOBS * (CHILDREN + 2)
    assert {(row.state, row.starts) for row in arena.rows()} == {("completed", 1)}
    check(arena)
    untroubled(worker)


@pytest.mark.again(20)
def test_a_child_that_outlives_its_parent_adds_to_the_same_store(arena: Arena) -> None:
    gates = arena.folder / "gates"
    daemon = arena.script("daemon", "forker", "daemon")
    arena.until((gates / "forked-1").exists, "the child to be on its own")

    look_in(arena)  # the last one but the child to close the file
    arena.open_gate("go-on")
    arena.until((gates / "done-1").exists, "the child to add once more")

    assert daemon.exit_code() == 0
    arena.worker("worker")
    arena.until_all_done()
    assert len(arena.entries("added")) == 3
    check(arena)


def look_in(arena: Arena) -> None:
    """Open and close the file, as a command does, in a process of its own."""
    code = (
        "import sys; from stoker import Stoker; app = Stoker(sys.argv[1])\n"
        "print(app.run(app.queues())); app.run(app.close())"
    )
    environment = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    subprocess.run([sys.executable, "-c", code, arena.url], cwd=ROOT, env=environment, check=True)


@pytest.mark.again(5)
def test_two_apps_of_one_process_share_a_file(arena: Arena) -> None:
    """Opening the second must not drop the locks of the first."""
    pair = arena.script("pair", "pair")
    arena.until((arena.folder / "gates" / "open-1").exists, "both to be open")

    # An SQLite of another make, which relies on these locks when it closes the file as the last.
    subprocess.run(
        [sys.executable, "-c", OTHER_SQLITE, str(arena.database)], check=True, capture_output=True
    )
    arena.open_gate("go-on")

    assert pair.exit_code() == 0, pair.tail()
    arena.worker("worker")
    arena.until_all_done()
    check(arena)


@pytest.mark.again(10)
def test_a_handler_that_forks_does_not_disturb_its_worker(arena: Arena) -> None:
    worker = arena.worker("worker")
    beside = arena.add("hold", 3, name="beside")
    for id in beside:
        arena.until_started(id)

    forking = arena.add("pool", 5, count=100)
    for id in forking:
        arena.until_state(id, "completed")

    arena.open_gate("beside")
    arena.until_all_done()
    assert worker.said("signal") == []
    assert {(row.state, row.starts) for row in arena.rows()} == {("completed", 1)}
    worker.stop()
    check(arena)
    untroubled(worker)


OTHER_SQLITE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM job").fetchall()
connection.close()
"""


@pytest.mark.parametrize("url", ["file", "sqlite://:memory:"])
def test_a_child_that_calls_its_parents_broker_is_told(arena: Arena, url: str) -> None:
    url = arena.url if url == "file" else url
    done = subprocess.run(
        [sys.executable, "-c", INHERITED, url], cwd=ROOT, capture_output=True, text=True, timeout=30
    )

    assert done.returncode == 0, done.stderr
    assert "was opened by the process that forked this one" in done.stdout


INHERITED = """
import asyncio, os, sys
from stoker import BrokerUnavailable
from stoker.broker import make_broker
from stoker.job.model import NewJob

broker = make_broker(sys.argv[1])
asyncio.run(broker.open())
asyncio.run(broker.add([NewJob("q", "x")]))
child = os.fork()
if not child:
    try:
        asyncio.run(asyncio.wait_for(broker.add([NewJob("q", "x")]), 10))
    except BrokerUnavailable as error:
        print(error, flush=True)
    asyncio.run(broker.close())
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
[stats] = asyncio.run(broker.queues())
assert stats.counts == {"waiting": 1}
asyncio.run(broker.close())
"""
