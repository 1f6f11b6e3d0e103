"""The depot in the containers that are checked in: every picture is done, whoever dies."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.plan import decode
from tests.cli.support import ok
from tests.sidecar.containers.engine import Engine, wait
from tests.sidecar.containers.stack import Project, Stack

ROOT = Path(__file__).resolve().parents[3]
DEPOT = ROOT / "examples" / "depot"
PLAN = DEPOT / "sidecar.json"
UPLOAD = Path(__file__).parent / "projects" / "depot_upload.py"
COUNT = """
from depot.database import session
from depot.models import Upload
from sqlalchemy import select
with session() as db:
    print(*(str(status) for status in db.scalars(select(Upload.status))))
"""


def test_the_files_that_are_checked_in_are_what_stoker_writes() -> None:
    ok("sidecar", "generate", str(DEPOT), "--target", "all", "--check")


def test_its_worker_is_seen_without_the_plan() -> None:
    seen = detect(DEPOT)

    assert [unit.command for unit in seen.units] == [("stoker", "worker", "depot.worker:app")]
    assert seen.brokers == ("sqlite",)


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path]
    subprocess.run([*command, ROOT], check=True, capture_output=True, timeout=100)
    [made] = tmp_path.glob("*.whl")
    return made


@pytest.fixture
def stack(engine: Engine, wheel: Path, tmp_path: Path) -> Iterator[Stack]:
    engine.offer(wheel)
    plan = decode(PLAN.read_bytes(), PLAN.name)
    made = Stack(engine, Project("depot", DEPOT, (), plan), tmp_path)
    made.generate()
    yield made
    made.down()


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_every_picture_is_done(stack: Stack) -> None:
    stack.compose("build", seconds=600)
    stack.compose("up", "--detach")
    stack.wait_for_workers(1)

    upload(stack, "first", 2, 64)
    wait(lambda: statuses(stack) == {"completed": 2}, "two pictures are done", 90)

    stack.compose("up", "--detach", "--no-recreate", "--scale", "worker=3")
    stack.wait_for_workers(3)
    upload(stack, "killed", 12, 3_000)
    stack.kill_one()
    stack.wait_for_workers(3)
    wait(lambda: statuses(stack) == {"completed": 14}, "the dead worker's, too", 180)

    upload(stack, "stopped", 12, 3_000)
    wait(lambda: statuses(stack)["processing"] > 0, "one has begun", 90)
    stack.compose("stop", "worker")
    assert [c["State"]["ExitCode"] for c in stack.containers()].count(137) == 0
    stack.compose("up", "--detach", "--no-recreate", "--scale", "worker=3")
    wait(lambda: statuses(stack) == {"completed": 26}, "nothing is lost", 180)


def upload(stack: Stack, prefix: str, count: int, side: int) -> None:
    script = UPLOAD.read_text("utf-8")
    words = ("python", "-c", script, prefix, str(count), str(side))
    stack.compose("exec", "-T", "worker", *words)


def statuses(stack: Stack) -> Counter[str]:
    return Counter(stack.compose("exec", "-T", "worker", "python", "-c", COUNT).split())
