"""Celery's app may be made in one place, and come to its module by others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import commands, seen

MAKES = (
    "from celery import Celery\n\n\ndef make_celery(app):\n"
    "    made = Celery(app.import_name, broker='redis://redis')\n"
    "    made.conf.update(app.config)\n    return made\n"
)
PASSES_ON = (
    "from flask import Flask\nfrom shop.makers import make_celery\n\n\n"
    "def create_celery_app():\n    {}\n"
)
TASKS = (
    "from shop.celery_app import create_celery_app\n\nqueue = create_celery_app()\n\n\n"
    "@queue.task\ndef mail(n): ...\n"
)
CLASS = (
    "from celery import Celery\n\n\nclass Jobs:\n    def __init__(self):\n"
    "        self.celery = Celery()\n\n    def init_app(self, app):\n"
    "        self.celery = Celery(app.import_name, broker='redis://redis')\n\n\njobs = Jobs()\n"
)
EXTENSION = "from flask_celeryext import FlaskCeleryExt\n\njobs = FlaskCeleryExt()\n"
WORKER = (
    "from shop import create_app\nfrom shop.jobs import jobs\n\n"
    "jobs.init_app(create_app())\napp = jobs.celery\n"
)
TASK = "from celery import shared_task\n\n\n@shared_task\ndef mail(n): ...\n"


@pytest.mark.parametrize(
    "body",
    [
        "return make_celery(Flask('shop'))",
        "celery = make_celery(Flask('shop'))\n    celery.set_default()\n    return celery",
    ],
)
def test_a_function_returns_what_another_one_makes(tmp_path: Path, body: str) -> None:
    files = {"makers": MAKES, "celery_app": PASSES_ON.format(body), "tasks": TASKS}

    assert project(tmp_path, files) == ["celery -A shop.tasks.queue worker --loglevel=info"]


def test_a_function_that_returns_another_thing_makes_no_app(tmp_path: Path) -> None:
    body = "make_celery(Flask('shop'))\n    return Flask('shop')"
    files = {"makers": MAKES, "celery_app": PASSES_ON.format(body), "tasks": TASKS}

    assert project(tmp_path, files) == []


@pytest.mark.parametrize("made", [CLASS, EXTENSION])
def test_a_module_takes_the_app_of_what_holds_it(tmp_path: Path, made: str) -> None:
    files = {"jobs": made, "tasks": TASK, "worker": WORKER}

    assert project(tmp_path, files) == ["celery -A shop.worker.app worker --loglevel=info"]


def test_what_is_only_called_so_holds_no_app(tmp_path: Path) -> None:
    files = {"jobs": "class Jobs: ...\n\n\njobs = Jobs()\n", "tasks": TASK, "worker": WORKER}

    assert project(tmp_path, files) == []


def project(root: Path, modules: dict[str, str]) -> list[str]:
    files = {f"shop/{name}.py": text for name, text in modules.items()}
    more = {"requirements.txt": "celery\nflask\nredis\n", "shop/__init__.py": ""}
    return commands(seen(root, more | files))
