"""Child processes as the worker uses them: what they get to load, and for how long."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from stoker import JobContext, Processor, Stoker
from stoker.broker.base import Want
from stoker.job.model import Failure, JobRecord, NewJob
from stoker.job.outcome import Done, Retried
from stoker.worker.executors import process
from tests.unit.support import Watched
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


async def a_job(watched: Watched, name: str, data: str = "{}") -> JobRecord:
    await watched.add([NewJob("default", name, data)])
    [job] = await watched.claim(Want({"default": 1}, 1, "w"))
    return job


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
