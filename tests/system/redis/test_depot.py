"""The example application on Redis, its jobs added by a Node process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.server import Server
from tests.wire import runtime

pytestmark = pytest.mark.system

DEPOT = Path(__file__).resolve().parents[3] / "examples" / "depot"
UPLOADS = 40


@pytest.fixture
def env(redis_server: Server, tmp_path: Path) -> dict[str, str]:
    ours = ("STOKER_", "DEPOT_", "REDIS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"STOKER_URL": redis_server.url, "DEPOT_HOME": str(tmp_path / "depot-data")}


@pytest.fixture
def played(env: dict[str, str], tmp_path: Path) -> str:
    """What the demo printed; it ends well only if every upload ended as planned."""
    command = [sys.executable, "-u", str(DEPOT / "demo.py"), "--uploads", str(UPLOADS)]
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def worker(env: dict[str, str], played: str, tmp_path: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "stoker", "worker", "depot.worker:app"]
    with (tmp_path / "worker.log").open("w") as log:
        process = subprocess.Popen(command, cwd=DEPOT, env=env, stdout=log, stderr=log)
        yield
        process.terminate()
        assert process.wait(30) == 0


@pytest.fixture
def producer(tmp_path: Path) -> Path:
    """The Node program, beside the packages that its own lock names, and no others.

    They are copied: Node would look for what a package needs beside where its link leads.
    """
    runtime.runtime()
    lock = json.loads((DEPOT / "node" / "package-lock.json").read_text())
    for place in filter(None, lock["packages"]):
        if (runtime.HERE / place).exists():  # some are for other machines
            shutil.copytree(runtime.HERE / place, tmp_path / place, dirs_exist_ok=True)
    program = tmp_path / "producer.mjs"
    program.write_text((DEPOT / "node" / "producer.mjs").read_text())
    return program


def produce(producer: Path, env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(runtime.runtime().node), str(producer), *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=90)


@pytest.mark.usefixtures("worker")
def test_a_node_process_has_the_python_worker_sweep(producer: Path, env: dict[str, str]) -> None:
    done = produce(producer, env, "sweep")

    assert done.returncode == 0, done.stderr
    swept = json.loads(done.stdout)
    assert swept["arrived"] == swept["missing"] == 0, "the demo had settled all"
    assert len(swept["orphans"]) == 1


@pytest.mark.usefixtures("worker")
def test_a_node_process_learns_why_a_job_failed(producer: Path, env: dict[str, str]) -> None:
    done = produce(producer, env, "verify", "nobody", "1")

    assert done.returncode == 1
    assert "UnknownUpload: nobody has no upload 1" in done.stderr


def test_the_commands_that_it_prints_are_for_where_the_url_is_set(played: str) -> None:
    assert "Look further, where STOKER_URL is set as for this demo:" in played


def test_without_words_it_says_how_it_is_used(producer: Path, env: dict[str, str]) -> None:
    done = produce(producer, env)

    assert done.returncode == 2
    assert "usage: node producer.mjs sweep" in done.stderr


def test_it_asks_for_the_packages_that_the_wire_is_tested_with() -> None:
    def wanted(folder: Path) -> dict[str, str]:
        return json.loads((folder / "package.json").read_text())["dependencies"]

    assert wanted(DEPOT / "node").items() <= wanted(runtime.HERE).items()
