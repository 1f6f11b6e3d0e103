"""Development: what a person changes on the host is what the worker in its container does next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.sidecar.containers.applications import SOURCES
from tests.sidecar.containers.engine import Engine, wait
from tests.sidecar.containers.stack import Project, Stack

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]


class Case(NamedTuple):
    project: Project
    source: str
    """The file with the job."""
    old: str
    new: str
    manifest: str
    """What the dependencies are installed from."""


CASES = [
    Case(
        Project(
            "celery",
            SOURCES / "celery",
            ("python", "-c", "import sys, tasks; tasks.work.delay(sys.argv[1], 0)"),
        ),
        "tasks.py",
        'store.sadd("done", key)',
        'store.sadd("done", f"{key}-changed")',
        "requirements.txt",
    ),
    Case(
        Project("bullmq", SOURCES / "bullmq", ("node", "add.js")),
        "worker.js",
        'sadd("done", job.data.key)',
        'sadd("done", `${job.data.key}-changed`)',
        "package.json",
    ),
    Case(
        Project("sidekiq", SOURCES / "sidekiq", ("bundle", "exec", "ruby", "add.rb")),
        "worker.rb",
        '"SADD", "done", key',
        '"SADD", "done", "#{key}-changed"',
        "Gemfile",
    ),
]


@pytest.fixture
def stack(engine: Engine, case: Case, tmp_path: Path) -> Iterator[Stack]:
    made = Stack(engine, case.project, tmp_path, "compose.yaml")
    made.generate()
    yield made
    made.down()


def starts(stack: Stack) -> list[tuple[str, str]]:
    """Which containers work, and since when."""
    try:
        found = stack.containers()
    except AssertionError:  # it is being replaced: there, and gone when looked at
        return []
    running = [container for container in found if container["State"]["Running"]]
    return [(container["Id"], container["State"]["StartedAt"]) for container in running]


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


@pytest.mark.parametrize("case", [pytest.param(case, id=case.project.name) for case in CASES])
def test_a_change_on_the_host_is_what_the_worker_does_next(stack: Stack, case: Case) -> None:
    with stack.watched():
        wait(lambda: starts(stack), "a worker is started", 400)
        stack.add(["first"], 0)
        stack.wait_until("done", ["first"])

        before = starts(stack)
        edit(stack.folder / case.source, case.old, case.new)
        wait(lambda: _anew(stack, before), "the same container is started again", 120)
        stack.add(["second"], 0)
        stack.wait_until("done", ["second-changed"])
        [(container, _)] = starts(stack)
        assert container == before[0][0]

        manifest = stack.folder / case.manifest
        manifest.write_text(manifest.read_text("utf-8") + "\n", "utf-8")
        wait(lambda: _others(stack, container), "a container of a new image", 400)
        stack.add(["third"], 0)
        stack.wait_until("done", ["third-changed"])

        stack.compose("stop")
    assert [each["State"]["ExitCode"] for each in stack.containers()].count(137) == 0


def _anew(stack: Stack, before: list[tuple[str, str]]) -> bool:
    now = starts(stack)
    return bool(now) and now != before


def _others(stack: Stack, container: str) -> bool:
    return any(id != container for id, _ in starts(stack))
