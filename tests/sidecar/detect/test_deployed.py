"""What somebody deploys says what there is to start; the source adds only what goes with it."""

from __future__ import annotations

from pathlib import Path

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
