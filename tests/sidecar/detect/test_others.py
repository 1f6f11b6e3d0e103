"""What is started here and is another project's, or is only talked about: no worker of this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import commands, seen

TASKS = "from celery import Celery\n\napp = Celery('shop')\n\n@app.task\ndef mail(): ...\n"


def image(command: str) -> str:
    return f"services:\n  worker:\n    image: others/app:1\n    command: {command}\n"


@pytest.mark.parametrize(
    "command", ["celery -A app worker", "bundle exec sidekiq", "rq worker", "node dist/worker.js"]
)
def test_where_there_is_nothing_of_its_language_an_image_is_only_deployed(
    tmp_path: Path, command: str
) -> None:
    assert seen(tmp_path, {"compose.yml": image(command)}).units == ()


def test_a_plug_in_is_tried_in_the_image_of_the_application(tmp_path: Path) -> None:
    command = "/opt/box/venv/bin/python /opt/box/manage.py rqworker"
    plugin = {"setup.py": "setup(name='box-plug', install_requires=['django-rq'])\n"}

    files = plugin | {"box_plug/__init__.py": "", "compose.yml": image(command)}
    assert seen(tmp_path, files).units == ()


def test_an_app_that_is_not_here_is_in_the_image(tmp_path: Path) -> None:
    files = {"requirements.txt": "celery\n", "web.py": "import celery\n"}

    assert seen(tmp_path, files | {"compose.yml": image("celery -A shop worker")}).units == ()
    found = seen(tmp_path, {"shop.py": TASKS})
    assert commands(found) == ["celery -A shop worker"]


def test_a_worker_that_was_only_planned_is_none(tmp_path: Path) -> None:
    readme = "```bash\ncelery -A app.jobs worker\n```\n"
    files = {"requirements.txt": "celery\n", "app/main.py": "", "README.md": readme}

    assert seen(tmp_path, files).units == ()
    assert commands(seen(tmp_path, {"app/jobs.py": TASKS})) == ["celery -A app.jobs worker"]


@pytest.mark.parametrize(
    ("text", "workers"),
    [
        ("const { parentPort } = require('worker_threads')\nparentPort.postMessage(1)\n", 0),
        ("addEventListener('fetch', (event) => event.respondWith(answer()))\n", 0),
        ("self.onmessage = (event) => self.postMessage(event.data)\n", 0),
        ("setInterval(poll, 1000)\n", 1),
    ],
)
def test_a_thread_or_a_browser_s_worker_is_no_process(
    tmp_path: Path, text: str, workers: int
) -> None:
    package = '{"name": "far", "scripts": {"worker": "node worker.js"}}\n'

    found = seen(tmp_path, {"package.json": package, "worker.js": text})

    assert len(found.units) == workers
