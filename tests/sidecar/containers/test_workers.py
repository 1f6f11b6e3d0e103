"""Workers in real containers, with the files that Stoker wrote, from the first job to the last.

The libraries of Ruby, Go and Rust are Debian's. It has no queue for the latter two, so that their
workers have none of a framework: what is built, and how it stops, is the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sidecar.containers.applications import CELERY, GO, RUST, SOURCES
from tests.sidecar.containers.engine import Engine
from tests.sidecar.containers.stack import Project, Stack

CELERY_ADDS = (
    "python",
    "-c",
    "import sys, tasks; tasks.work.delay(sys.argv[1], float(sys.argv[2]))",
)
PROJECTS = [
    pytest.param(Project("celery", SOURCES / "celery", CELERY_ADDS, CELERY), id="celery"),
    *(
        pytest.param(
            Project(name, SOURCES / name, ("worker", "add"), plan), id=name, marks=pytest.mark.soak
        )
        for name, plan in (("go", GO), ("rust", RUST))
    ),
    *(
        pytest.param(
            Project(name, SOURCES / name, add), id=f"{name} as seen", marks=pytest.mark.soak
        )
        for name, add in (
            ("celery", CELERY_ADDS),
            ("rq", ("python", "add.py")),
            ("bullmq", ("node", "add.js")),
            ("sidekiq", ("bundle", "exec", "ruby", "add.rb")),
        )
    ),
]
"""One with a plan that checks often, for every run; the others are as Stoker sees them."""


@pytest.fixture
def stack(engine: Engine, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    made = Stack(engine, request.param, tmp_path)
    made.generate()
    yield made
    made.down()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("stack", PROJECTS, indirect=True)
def test_a_worker_lives_in_its_container(stack: Stack) -> None:
    """One story, since each part of it takes its time: build, work, scale, die, stop, go on."""
    stack.compose("build", seconds=600)
    stack.compose("up", "--detach", "--quiet-pull")
    stack.wait_for_workers(1)

    stack.add(["first"], 0)
    stack.wait_until("done", ["first"])

    stack.compose("up", "--detach", "--no-recreate", "--scale", "worker=3")
    stack.wait_for_workers(3)

    stack.kill_one()
    stack.wait_for_workers(3)
    stack.add(["after"], 0)
    stack.wait_until("done", ["after"])

    keys = [f"long-{number}" for number in range(6)]
    stack.add(keys, 5)
    stack.wait_until("begun", keys[:1])
    began = time.monotonic()
    stack.compose("stop", "worker")
    took = time.monotonic() - began
    begun, done = stack.members("begun"), stack.members("done")
    grace = stack.plan.services[0].stop_grace
    assert took < grace, "it had to be killed"
    assert [c["State"]["ExitCode"] for c in stack.containers()].count(137) == 0
    assert done == begun, "it finished what it had begun"

    stack.compose("up", "--detach", "--no-recreate", "--scale", "worker=3")
    stack.wait_until("done", keys)
