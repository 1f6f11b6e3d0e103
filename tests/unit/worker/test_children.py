"""Child processes as the worker uses them: what they load, for how long, and who waits for them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from stoker import JobContext, Processor, Stoker
from stoker.broker.base import Want
from stoker.failure import Failure
from stoker.job.model import JobRecord, NewJob, lease_of
from stoker.job.outcome import Done, Released, Retried
from stoker.worker import crowd, line
from stoker.worker.executors import process
from stoker.worker.slots import Room
from tests.unit.support import Watched, soon
from tests.unit.worker.support import Running

app = Stoker("sqlite://:memory:")


@app.processor
class Hangs(Processor[dict[str, Any]]):
    queue = "default"
    run_in = "process"

    def setup(self) -> None:
        time.sleep(3_600)

    def process(self, job: JobContext[dict[str, Any]]) -> None: ...


@app.task(run_in="process")
def place() -> str:
    return str(Path.cwd())


@app.task(run_in="process")
def outlives(seconds: float) -> str:
    time.sleep(seconds)
    return "done"


@app.task(run_in="process", timeout=None)
def held(gate: str) -> None:
    while not Path(gate).exists():
        time.sleep(0.002)


@app.task(run_in="process", timeout="300ms")
def hurried() -> None: ...


@app.task(timeout=None)
def held_here(gate: str) -> None:
    held(gate)


@app.task
async def quick() -> None: ...


async def a_job(watched: Watched, name: str, data: str = "{}") -> JobRecord:
    await watched.add([NewJob("default", name, data)])
    [job] = await watched.claim(Want({"default": 1}, 1, "w"))
    return job


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A file that lets those go which are held; there is none yet."""
    return tmp_path / "gate"


@pytest.fixture
async def running(watched: Watched, gate: Path) -> AsyncIterator[Running]:
    """A worker of ten slots and one child."""
    running = Running(app, watched)
    yield running
    let_go(gate)
    await running.executors.close()


def let_go(gate: Path) -> None:
    gate.touch()


def waits_for(gate: Path) -> str:
    return json.dumps({"gate": str(gate)})


async def test_a_setup_that_hangs_does_not_hold_its_slot_for_ever(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOAD_SECONDS", 1.0)
    running = Running(app, watched)
    job = await a_job(watched, "Hangs")

    [outcome] = await running.run(job)

    assert isinstance(outcome, Retried)
    assert outcome.failure == Failure(
        "timeout", "its imports and setup in a child process took longer than 1s"
    )
    assert running.slots.busy == 0
    await running.executors.close()


async def test_once_it_is_loaded_only_the_jobs_own_timeout_counts(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOAD_SECONDS", 3.0)
    running = Running(app, watched)
    job = await a_job(watched, "outlives", '{"seconds": 3.5}')

    [outcome] = await running.run(job)

    assert isinstance(outcome, Done)
    await running.executors.close()


def test_a_child_that_died_keeps_its_pid_until_its_group_is_killed() -> None:
    """Else the pid could be another's by then, and its group one that has nothing to do with us."""
    child = process._Child(Path.cwd())
    pid = child._process.pid
    os.kill(pid, signal.SIGKILL)
    while child.alive:
        time.sleep(0.005)

    assert os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG), "nobody waited for it"
    child.kill()
    with pytest.raises(ChildProcessError):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG)


def test_a_child_that_was_reaped_is_not_killed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    child = process._Child(Path.cwd())
    child.kill()
    killed: list[int] = []
    monkeypatch.setattr(os, "killpg", lambda pid, _: killed.append(pid))

    child.kill()

    assert killed == []


async def test_a_child_begins_in_the_folder_its_worker_began_in(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path in the code it imports, such as the store's, means the same file."""
    began = Path.cwd()
    running = Running(app, watched)
    job = await a_job(watched, "place")
    monkeypatch.chdir(tmp_path)

    [outcome] = await running.run(job)

    assert isinstance(outcome, Done)
    assert outcome.value == f'"{began}"'
    await running.executors.close()


# Where there are more jobs than children


async def test_a_job_that_needs_no_child_goes_past_one_that_waits_for_it(
    watched: Watched, running: Running, gate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "LONGEST_SECONDS", 60)
    first, second = [await a_job(watched, "held", waits_for(gate)) for _ in range(2)]
    last = await a_job(watched, "quick")

    running.start(first, second, last)

    assert (await running.outcome()).lease == lease_of(last)
    let_go(gate)
    assert {(await running.outcome(count)).lease for count in (2, 3)} == {
        lease_of(first),
        lease_of(second),
    }
    assert {type(outcome) for outcome in running.outcomes} == {Done}
    assert running.room() == 10


async def test_the_time_of_a_job_counts_from_when_it_has_a_child(
    watched: Watched, running: Running, gate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "LONGEST_SECONDS", 60)
    running.start(await a_job(watched, "held", waits_for(gate)), await a_job(watched, "hurried"))

    await asyncio.sleep(0.5)  # longer than its timeout
    let_go(gate)

    assert isinstance(await running.outcome(2), Done)


async def test_what_no_child_is_free_for_is_given_back_and_no_more_of_its_queue_is_asked_for(
    watched: Watched, running: Running, gate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd, "LONG_TURN_SECONDS", 60.0)
    first, second = [await a_job(watched, "held", waits_for(gate)) for _ in range(2)]

    running.start(first, second)

    assert await running.outcome() == Released(lease_of(second))
    assert running.room() == 0
    let_go(gate)
    assert isinstance(await running.outcome(2), Done)
    assert running.room() == 1


async def test_a_queue_whose_jobs_found_no_child_is_asked_again_after_a_while(
    watched: Watched, running: Running, gate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd, "LONG_TURN_SECONDS", 0.02)
    running.start(*[await a_job(watched, "held", waits_for(gate)) for _ in range(2)])
    await running.outcome()
    assert running.room() == 0

    await running.nudged()

    assert running.room() == 9


async def test_what_no_slot_is_free_for_says_nothing_of_children(
    watched: Watched, gate: Path
) -> None:
    running = Running(app, watched, slots=1)
    tasks = ["held_here", "held"]
    jobs = [await a_job(watched, task, waits_for(gate)) for task in tasks]
    room = running.slots.reserve(ahead=1)
    assert room is not None
    running.slots.settle(room, jobs)

    running.runner.start(jobs)

    assert await running.outcome() == Released(lease_of(jobs[1]))
    let_go(gate)
    await soon(running.runner.idle())
    assert running.slots.reserve(ahead=1) == Room({"default": 2}, 2, everywhere=True)


async def test_a_stopping_worker_hands_back_at_once_what_waits_for_a_child(
    watched: Watched, running: Running, gate: Path
) -> None:
    first, second = [await a_job(watched, "held", waits_for(gate)) for _ in range(2)]
    running.start(first, second)

    running.runner.hand_back()

    assert running.outcomes == [Released(lease_of(second))]
    let_go(gate)
    assert isinstance(await running.outcome(2), Done)
