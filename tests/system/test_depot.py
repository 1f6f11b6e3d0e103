"""The example application: every upload ends as planned, whatever happens to the worker."""

import ast
import asyncio
import importlib
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from stoker import Filter, State, Stoker
from stoker.job.model import JobRecord
from stoker.job.states import FINISHED

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "examples" / "depot"
DEMO = [sys.executable, "-u", str(PROJECT / "demo.py")]
UPLOADS = 40
WORKER_SIDE = ("depot.jobs", "depot.worker")

Rows = dict[str, tuple[str, str | None]]


@pytest.fixture(scope="module")
def env() -> dict[str, str]:
    """An environment in which only the demo decides, and nothing is cut off at a narrow edge."""
    ours = ("STOKER_", "DEPOT_", "REDIS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"COLUMNS": "200"}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, env: dict[str, str]) -> tuple[Path, str]:
    """A folder in which the demo has run once, and what it printed."""
    folder = tmp_path_factory.mktemp("depot")
    return folder, demo(folder, env, "--uploads", str(UPLOADS))


def demo(folder: Path, env: dict[str, str], *options: str) -> str:
    done = subprocess.run(
        [*DEMO, *options], cwd=folder, env=env, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def planned(uploads: int, monkeypatch: pytest.MonkeyPatch) -> Rows:
    monkeypatch.syspath_prepend(str(PROJECT))
    plan: Any = importlib.import_module("show.plan")
    return {
        f"{sample.organisation_id}/{sample.key}": (sample.status, sample.reason)
        for sample in plan.announced(plan.plan(uploads, 1))
    }


def found(folder: Path) -> Rows:
    query = "SELECT organisation_id || '/' || key, status, error FROM uploads"
    with closing(sqlite3.connect(folder / "depot-data" / "depot.db")) as db:
        return {
            path: (status, error.partition(":")[0] if error else None)
            for path, status, error in db.execute(query)
        }


def thumbnails(folder: Path) -> dict[str, bytes]:
    store = folder / "depot-data" / "store"
    files = (path for path in store.glob("*/thumbnails/**/*") if path.is_file())
    return {str(path.relative_to(store)): path.read_bytes() for path in files}


def jobs(folder: Path, queue: str, state: State) -> list[JobRecord]:
    async def find() -> list[JobRecord]:
        async with Stoker(f"sqlite:///{folder}/depot-data/jobs.db") as app:
            return list((await app.queue(queue).find(Filter(state=state), limit=1_000)).jobs)

    return asyncio.run(find())


def test_every_upload_ends_as_planned(
    played: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, output = played

    plan = planned(UPLOADS, monkeypatch)
    assert found(folder) == plan
    assert len(thumbnails(folder)) == 3 * sum(status == "completed" for status, _ in plan.values())
    assert "Every upload ended as planned." in output
    for reason in {reason for _, reason in plan.values() if reason}:
        assert re.search(rf"^ {reason} +1 ", output, re.MULTILINE), output


def test_a_late_file_is_waited_for(played: tuple[Path, str]) -> None:
    folder, _ = played

    again = [job for job in jobs(folder, "verify", State.COMPLETED) if job.attempts > 1]

    assert len(again) == 1  # the plan has one such upload


def test_done_twice_it_is_the_same(played: tuple[Path, str], env: dict[str, str]) -> None:
    folder, _ = played
    rows, before = found(folder), thumbnails(folder)
    url = ["--url", "sqlite:///depot-data/jobs.db"]
    replay = ["job", "retry", "--state", "completed,failed", "--queue", "thumbnails", "--yes", *url]
    subprocess.run([sys.executable, "-m", "stoker", *replay], cwd=folder, env=env, check=True)

    demo(folder, env, "--keep")

    assert found(folder) == rows
    assert thumbnails(folder) == before


def test_the_commands_it_prints_work_as_pasted(
    played: tuple[Path, str], env: dict[str, str]
) -> None:
    folder, output = played
    commands = re.findall(r"^  ([^#\s].*)$", output.partition("Look further:")[2], re.MULTILINE)

    assert len(commands) == 5
    for command in commands:
        done = subprocess.run(
            shlex.split(command), cwd=folder, env=env, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
        assert done.stdout.strip(), command


def test_a_killed_worker_costs_nothing(
    tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = 120
    process = subprocess.Popen(
        [*DEMO, "--uploads", str(uploads)],
        cwd=tmp_path,
        env=env | {"STOKER_LEASE": "2s"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        assert process.stdout is not None
        output = iter(process.stdout)
        worker = int(wait_for(r"worker (\d+) started", output)[1])
        while len(jobs(tmp_path, "thumbnails", State.COMPLETED)) < 5:
            assert process.poll() is None, "".join(output)

        os.kill(worker, signal.SIGKILL)

        wait_for("the worker ended with SIGKILL; worker .* takes its place", output)
        rest = "".join(output)
    assert process.returncode == 0, rest
    assert found(tmp_path) == planned(uploads, monkeypatch)
    ended = [job for state in FINISHED for job in jobs(tmp_path, "thumbnails", state)]
    assert any(job.crashes for job in ended)


def wait_for(pattern: str, output: Iterator[str]) -> re.Match[str]:
    seen: list[str] = []
    for line in output:
        seen.append(line)
        if (match := re.search(pattern, line)) is not None:
            return match
    raise AssertionError(f"no {pattern!r} in:\n{''.join(seen)}")


def test_a_job_does_not_reach_another_tenants_upload(
    played: tuple[Path, str], env: dict[str, str]
) -> None:
    folder, _ = played
    before = found(folder)
    own = env | {"PYTHONPATH": str(PROJECT), "STOKER_APP": "depot.worker:app"}
    with closing(sqlite3.connect(folder / "depot-data" / "depot.db")) as db:
        (id,) = db.execute("SELECT min(id) FROM uploads WHERE organisation_id = 'alpine-club'")
    job = ["enqueue", "make-thumbnails", "organisationId=nora-studio", f"uploadId={id[0]}"]

    for command in (job, ["worker", "--burst"]):
        subprocess.run(
            [sys.executable, "-m", "stoker", *command],
            cwd=folder, env=own, check=True, capture_output=True,
        )  # fmt: skip

    dead = [job.failure for job in jobs(folder, "thumbnails", State.FAILED)]
    assert sum("UnknownUpload: nora-studio has no upload" in str(failure) for failure in dead) == 1
    assert found(folder) == before


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "thesis.txt").write_text("the only copy")

    done = subprocess.run(
        [*DEMO, "--folder", str(tmp_path)], env=env, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 1
    assert "not from an earlier run of the demo" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_where_clearing_was_cut_off_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PROJECT))
    module: Any = importlib.import_module("show.folder")
    folder = module.Folder(tmp_path / "depot-data")
    with folder.taken():
        folder.clear()
        (folder.path / "store" / "alpine-club").mkdir(parents=True)
        folder.filled(module.Size(40, 1))

    with monkeypatch.context() as cut, folder.taken():
        cut.setattr(module.shutil, "rmtree", interrupt)
        with pytest.raises(KeyboardInterrupt):
            folder.clear()
    assert (folder.path / "store" / "alpine-club").is_dir()
    assert folder.kept() is None

    with folder.taken():
        folder.clear()
        assert sorted(path.name for path in folder.path.iterdir()) == [".gitignore", "demo.json"]


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGHUP", "closed pipe"])
def test_a_demo_that_is_stopped_leaves_no_worker_and_can_be_gone_on_with(
    tmp_path: Path, env: dict[str, str], how: str
) -> None:
    with subprocess.Popen(
        [*DEMO, "--uploads", str(20 * UPLOADS)],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        wait_for(r"worker \d+ started", iter(process.stdout))
        refused = subprocess.run(
            DEMO, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60
        )
        if how == "closed pipe":
            process.stdout.close()
        else:
            process.send_signal(signal.SIGINT if how == "Ctrl-C" else signal.SIGHUP)
            rest = process.stdout.read()
            assert "Traceback" not in rest, rest
            assert "--keep goes on" in rest, rest
        assert process.wait(60) == (1 if how == "closed pipe" else 130)

    assert refused.returncode == 1
    assert "another demo is at work in depot-data" in refused.stdout
    # The worker holds the folder's lock, too: while one was left, this would be refused.
    assert "Every upload ended as planned." in demo(tmp_path, env, "--keep")


def imports_of_the_worker(source: str) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return [name for name in names if f"{name}.".startswith(tuple(f"{w}." for w in WORKER_SIDE))]


def test_the_application_does_not_import_its_worker() -> None:
    package = PROJECT / "depot"
    application = [
        path
        for path in package.rglob("*.py")
        if path.parent.name != "jobs" and path.name != "worker.py"
    ]

    found = {path.name: imports_of_the_worker(path.read_text("utf-8")) for path in application}

    assert len(found) > 5
    assert {name: names for name, names in found.items() if names} == {}


def test_an_import_of_the_worker_is_noticed() -> None:
    text = "import depot.jobs.verify\nfrom depot import worker\nfrom depot.jobs.tracked import X\n"

    assert len(imports_of_the_worker(text)) == 3
    assert imports_of_the_worker("from depot import queues\nfrom depot.app import app\n") == []
