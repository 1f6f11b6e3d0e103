"""What somebody deploys says what there is to start; the source adds only what goes with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import commands, seen

APP = "from celery import Celery\n\napp = Celery('jobs', broker='redis://localhost')\n\n"
TASK = "\n@app.task\ndef tile(n): ...\n"
COMPOSE = """\
services:
  worker: {build: jobs, command: celery -A tasks worker}
"""


def test_an_app_of_another_package_is_a_copy_where_a_worker_is_deployed(tmp_path: Path) -> None:
    files = {
        "web/requirements.txt": "flask\ncelery\n",
        "web/app.py": f"from flask import Flask\n{APP}{TASK}",
        "jobs/requirements.txt": "celery\n",
        "jobs/tasks.py": APP + TASK,
        "jobs/Dockerfile": "FROM python:3.13-slim\n",
    }

    assert len(commands(seen(tmp_path, files))) == 2
    assert commands(seen(tmp_path, {"compose.yaml": COMPOSE})) == ["celery -A tasks worker"]


def test_what_a_package_deploys_says_nothing_of_another_package(tmp_path: Path) -> None:
    files = {
        "a/requirements.txt": "celery\n",
        "a/tasks.py": APP + TASK,
        "a/Procfile": "worker: celery -A tasks worker\n",
        "b/requirements.txt": "celery\n",
        "b/tasks.py": APP + TASK,
        "b/Dockerfile": 'FROM python:3.13-slim\nCMD ["gunicorn", "site:app"]\n',
    }

    assert {unit.dir for unit in seen(tmp_path, files).units} == {"a", "b"}


def test_beat_is_given_its_app_as_the_worker_was(tmp_path: Path) -> None:
    """The worker runs in the directory of its module, whatever package this is."""
    conf = "[program:worker]\ndirectory=/code/app\ncommand=celery --app=tasks.app worker\n"
    files = {
        "requirements.txt": "celery\n",
        "app/__init__.py": "",
        "app/tasks.py": f"{APP}app.conf.beat_schedule = {{}}\n{TASK}",
        "supervisord.conf": conf,
    }

    found = seen(tmp_path, files)

    [beat] = [unit for unit in found.units if unit.role == "scheduler"]
    assert (beat.dir, beat.command[:3]) == ("app", ("celery", "-A", "tasks.app"))


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/opt/mail/bin/rqworker high", ("rqworker", "high")),
        ("/opt/mail/bin/python3 /opt/mail/bin/rqworker high", ("rqworker", "high")),
        ("%(ENV_VIRTUAL_ENV)s/bin/rq worker high", ("rq", "worker", "high")),
        ("bin/worker high", None),
    ],
)
def test_a_program_is_not_started_from_where_one_machine_has_it(
    tmp_path: Path, command: str, expected: tuple[str, ...] | None
) -> None:
    conf = f"[program:rqworker]\nautostart = true\ncommand = {command}\n"

    units = seen(tmp_path, {"supervisord.conf": conf, "jobs.py": "import redis\n"}).units

    assert [(unit.command, unit.evidence[0].line) for unit in units] == (
        [(expected, 3)] if expected else []
    )


@pytest.mark.parametrize(("more", "left"), [("", False), ("flower\n", True), ("celery\n", True)])
def test_what_no_manifest_asks_for_was_left_behind(tmp_path: Path, more: str, left: bool) -> None:
    actor = "import dramatiq\n\n@dramatiq.actor\ndef tile(n): ...\n"
    files = {"requirements.txt": f"dramatiq\n{more}", "jobs.py": actor, "old.py": APP + TASK}

    found = {unit.framework for unit in seen(tmp_path, files).units}

    assert found == ({"dramatiq", "celery"} if left else {"dramatiq"})


def test_queues_that_begin_with_the_same_variable_have_a_worker_each(tmp_path: Path) -> None:
    script = "rq worker ${PREFIX}_mail &\nrq worker ${PREFIX}_film &\nrq worker ${PREFIX}_film\n"
    dockerfile = 'FROM python:3.13-slim\nCOPY . .\nENTRYPOINT ["./start.sh"]\n'
    files = {"requirements.txt": "rq\n", "start.sh": script, "Dockerfile": dockerfile}

    found = commands(seen(tmp_path, files | {"jobs.py": "import rq\n"}))

    assert [each.rpartition("_")[2] for each in found] == ["mail", "film"]


def test_a_module_called_as_its_library_lies_in_a_package(tmp_path: Path) -> None:
    """Python would import the library, and not ``celery.py``, by that name."""
    [command] = commands(seen(tmp_path, {"manage.py": "", "shop/celery.py": APP + TASK}))

    assert command.startswith("celery -A shop worker")


def test_a_text_tells_of_one_worker_for_all_queues_or_of_several(tmp_path: Path) -> None:
    lines = [f"    celery -A jobs worker -Q {queues}\n" for queues in ("a,b", "a", "b")]
    files = {"requirements.txt": "celery\n", "jobs.py": APP + TASK}

    readme = {"README.md": "".join(lines)}
    assert commands(seen(tmp_path, files | readme)) == ["celery -A jobs worker -Q a,b"]

    procfile = "".join(f"{name}: {line.strip()}\n" for name, line in zip("xyz", lines, strict=True))
    assert len(commands(seen(tmp_path, {"Procfile": procfile}))) == 3


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"a/compose.yaml": "-Q fast", "b/compose.yaml": "-Q slow"}, [("fast",), ("slow",)]),
        ({"dev/compose.yaml": "-Q fast", "live/compose.yaml": "-Q fast,slow"}, [("fast",)]),
        ({"dev/compose.yaml": "-Q fast", "live/compose.yaml": ""}, [("fast",)]),
        ({"compose.yaml": "-Q fast", "compose.prod.yaml": "-Q slow"}, [("slow",)]),
    ],
    ids=["two projects", "two variants", "one is told of none", "two uses"],
)
def test_workers_of_two_compose_projects_may_be_called_alike(
    tmp_path: Path, files: dict[str, str], found: list[tuple[str, ...]]
) -> None:
    own = {"requirements.txt": "celery[redis]\n", "shop.py": APP, "Dockerfile": "FROM python\n"}
    start = "services:\n  worker:\n    build: %s\n    command: celery -A shop worker %s\n"
    for path, told in files.items():
        own[path] = start % (".." if "/" in path else ".", told)

    assert [each.queues for each in seen(tmp_path, own).units] == found


@pytest.mark.parametrize(
    ("dockerfile", "dir"),
    [
        ("WORKDIR /repo\nCOPY . .\nWORKDIR /repo/apps/jobs\n", "apps/jobs"),
        ("WORKDIR /repo\nCOPY . .\nWORKDIR apps/jobs\n", "apps/jobs"),
        ("COPY . /repo\nFROM node\nCOPY --from=0 /repo /repo\nWORKDIR /repo/apps/jobs\n",
         "apps/jobs"),
        ("WORKDIR /repo\nFROM 0 AS built\nFROM node AS base\nWORKDIR /repo\nFROM base\nCOPY . .\n"
         "WORKDIR apps/jobs\n", "apps/jobs"),
        ("WORKDIR /jobs\nCOPY apps/jobs .\n", "apps/jobs"),
        ("COPY ./apps/jobs /srv/jobs/\nWORKDIR /srv/jobs\n", "apps/jobs"),
        ("WORKDIR /apps/jobs\nCOPY . .\n", "."),
        ("WORKDIR /srv\nCOPY apps/jobs apps/mail ./\n", "."),
        ("WORKDIR /srv\nCOPY package.json apps/jobs ./\n", "apps/jobs"),
        ("WORKDIR /srv\nCOPY apps/jobs/package*.json ./\nCOPY apps/jobs .\n", "apps/jobs"),
        ("WORKDIR /srv\nCOPY package.json ./\nCOPY . .\n", "."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["Dockerfile", "docker/jobs.Dockerfile"])
def test_what_an_image_starts_is_run_where_its_directory_is_a_copy_of(
    tmp_path: Path, path: str, dockerfile: str, dir: str
) -> None:
    work = 'import { Worker } from "bullmq";\nnew Worker("mail", send);\n'
    manifest = '{"dependencies": {"bullmq": "5"}, "scripts": {"start": "node run.js"}}'
    files = {
        "package.json": manifest, "run.js": work, "apps/jobs/package.json": manifest,
        "apps/jobs/run.js": work, "apps/mail/package.json": "{}",
        path: f"FROM node\n{dockerfile}CMD ['npm', 'start']\n".replace("'", '"'),
        "compose.yml": f"services: {{jobs: {{build: {{context: ., dockerfile: {path}}}}}}}\n",
    }  # fmt: skip

    dirs = [each.dir for each in seen(tmp_path, files).units if each.evidence[0].note == "compose"]

    assert dirs == [dir]


@pytest.mark.parametrize("text", ["README.md", "docs/run.md", "docs/self-hosting/docker.md"])
def test_documentation_is_about_the_project_around(tmp_path: Path, text: str) -> None:
    files = {
        "backend/requirements.txt": "celery[redis]\n", "backend/shop.py": APP,
        "backend/Dockerfile": "FROM python:3.13\nCOPY . /app\nWORKDIR /app\n",
        "compose.yaml": "services:\n  worker:\n    build: backend\n"
        "    command: celery -A shop worker\n",
        text: "```\ncelery -A shop worker --loglevel=info\n```\n",
    }  # fmt: skip

    assert [each.dir for each in seen(tmp_path, files).units] == ["backend"]
