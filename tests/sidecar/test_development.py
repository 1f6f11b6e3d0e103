"""Development: what reloads by itself is only given its source, all else is started anew."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.planning import make_plan
from stoker.sidecar.reloading import reloads
from stoker.sidecar.render import render
from tests.cli.support import ok
from tests.sidecar.projects_expected import PROJECTS
from tests.sidecar.reading import compose_values


@pytest.mark.parametrize(
    "line",
    [
        "tsx watch src/worker.ts",
        "node --watch worker.js",
        "bun --hot worker.ts",
        "node_modules/.bin/nodemon worker.js",
        "nodemon --exec 'ts-node src/worker.ts'",
        "nest start --watch",
        "next dev",
        "npm run dev",
        "watchfiles --filter python 'celery -A shop worker'",
        "python -m watchfiles 'rq worker'",
        "uvicorn shop:app --reload-dir=src",
        "dramatiq jobs --watch .",
        "python manage.py runserver 0.0.0.0:8000",
        "flask --app shop run --debug",
        "air -c .air.toml",
        "cargo watch -x run",
    ],
)
def test_it_reloads(line: str) -> None:
    assert reloads(tuple(line.split()))
    assert reloads(("sh", "-c", f"exec {line}"))


@pytest.mark.parametrize(
    "line",
    [
        "go run ./cmd/worker",
        "cargo run --bin worker",
        "tsx src/worker.ts",
        "bun worker.ts",
        "nest start worker",
        "node worker.js",
        "python manage.py runserver --noreload",
        "python manage.py rqworker",
        "flask run",
        "bundle exec sidekiq",
        "npm run worker",
    ],
)
def test_it_has_to_be_started_anew(line: str) -> None:
    assert not reloads(tuple(line.split()))
    assert not reloads(())


def worker_of(root: Path) -> dict[str, Any]:
    text = render(make_plan(detect(root)), modes=["dev"])["compose.yaml"].text
    return compose_values(text)["services"]["worker"]


@pytest.mark.parametrize(
    ("project", "command"),
    [
        ("asynq-cmd", ["go", "run", "./cmd/worker"]),
        ("asynq-flag", ["go", "run", ".", "-mode=worker"]),
        ("apalis-bin", ["cargo", "run", "--bin", "worker"]),
        ("faktory-clap", ["cargo", "run", "--bin", "shop", "--", "background-worker"]),
    ],
)
def test_what_is_compiled_runs_from_its_source_and_anew_after_a_change(
    project: str, command: list[str]
) -> None:
    worker = worker_of(PROJECTS / project)

    assert worker["command"] == command
    assert worker["build"]["target"] == "dev", "where the compiler is"
    assert worker["develop"]["watch"][-1]["action"] == "sync+restart"


def test_an_image_of_the_projects_own_is_built_anew(tmp_path: Path) -> None:
    """What it has in its last stage is a binary, and no compiler."""
    project = tmp_path / "shop"
    shutil.copytree(PROJECTS / "asynq-cmd", project)
    (project / "Dockerfile").write_text("FROM scratch\nCOPY worker /worker\n")

    worker = worker_of(project)

    assert worker["command"] == ["worker"]
    assert {watched["action"] for watched in worker["develop"]["watch"]} == {"rebuild"}


def _kept(root: Path, project: str, **changes: Any) -> Path:
    """Write a project with its plan as it was kept before plans said what reloads by itself."""
    shutil.copytree(PROJECTS / project, root)
    plan = json.loads(msgspec.json.encode(make_plan(detect(root), root.name)))
    for service in (*plan["services"], *([plan["app"]] if "app" in plan else [])):
        service.pop("reloads", None)
        service.update(changes)
    (root / "sidecar.json").write_text(json.dumps(plan))
    return root


@pytest.mark.parametrize("project", ["bullmq-typescript", "asynq-cmd", "stoker-fastapi"])
def test_a_plan_that_does_not_say_what_reloads_is_as_one_that_does(
    project: str, tmp_path: Path
) -> None:
    old = _kept(tmp_path / "shop", project)
    new = shutil.copytree(PROJECTS / project, tmp_path / "new" / "shop")

    for root in (old, new):
        ok("sidecar", "generate", str(root))

    assert (old / "compose.yaml").read_text() == (new / "compose.yaml").read_text()
    ok("sidecar", "generate", "--check", str(old))
    (old / "sidecar.json").unlink()
    ok("sidecar", "generate", "--check", str(old))


def test_a_plan_that_says_what_reloads_is_believed(tmp_path: Path) -> None:
    root = _kept(tmp_path / "shop", "bullmq-typescript", reloads=False, watch=["src"])

    ok("sidecar", "generate", str(root))

    worker = compose_values((root / "compose.yaml").read_text())["services"]["worker"]
    assert worker["develop"]["watch"][-1]["action"] == "sync+restart"
