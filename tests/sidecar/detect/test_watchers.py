"""Workers that start themselves anew at the desk: in production, the same without that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import commands, seen

FILES = {
    "requirements.txt": "arq\ncelery\ndramatiq\ntaskiq\ntaskiq-redis\n",
    "Dockerfile": "FROM python\n",
    "shop/__init__.py": "",
}
SOURCE = {
    "taskiq": "from taskiq_redis import ListQueueBroker\n\nbroker = ListQueueBroker('redis://')\n",
    "dramatiq": "import dramatiq\n\n\n@dramatiq.actor\ndef mail(): ...\n",
    "arq": "import arq\n\n\nclass WorkerSettings:\n    functions = [mail]\n",
    "celery": "from celery import Celery\n\napp = Celery(broker='redis://')\n",
}
WAYS = [
    (
        "taskiq", "taskiq worker --reload --reload-dir shop shop.jobs:broker -w 2",
        "taskiq worker shop.jobs:broker -w 2",
    ),
    ("taskiq", "taskiq worker -r shop.jobs:broker -fsd", "taskiq worker shop.jobs:broker -fsd"),
    ("dramatiq", "dramatiq --watch . shop.jobs -p 2", "dramatiq shop.jobs -p 2"),
    ("dramatiq", "dramatiq shop.jobs --watch=. --watch-use-polling", "dramatiq shop.jobs"),
    ("arq", "arq shop.jobs.WorkerSettings --watch shop", "arq shop.jobs.WorkerSettings"),
    ("celery", "celery -A shop.jobs worker --autoreload -Q x", "celery -A shop.jobs worker -Q x"),
    ("celery", "hupper -m celery -A shop.jobs worker -Q x", "celery -A shop.jobs worker -Q x"),
    (
        "celery", "python -m hupper -w '*.py' -m celery -A shop.jobs worker -Q x",
        "celery -A shop.jobs worker -Q x",
    ),
    ("celery", "jurigged -m celery -A shop.jobs worker -Q x", "celery -A shop.jobs worker -Q x"),
]  # fmt: skip


@pytest.mark.parametrize(("framework", "written", "command"), WAYS)
def test_what_watches_its_files_is_started_without_that(
    tmp_path: Path, framework: str, written: str, command: str
) -> None:
    compose = f"services:\n  jobs:\n    build: .\n    command: {written}\n"
    files = FILES | {"shop/jobs.py": SOURCE[framework], "compose.yml": compose}

    [unit, *others] = seen(tmp_path, files).units

    assert (" ".join(unit.command), others) == (command, [])
    assert " ".join(unit.dev_command) == written or framework == "celery"


def test_what_is_written_without_it_elsewhere_is_how_it_is_deployed(tmp_path: Path) -> None:
    compose = "services: {jobs: {build: ., command: arq shop.jobs.WorkerSettings --watch shop}}\n"
    files = {"shop/jobs.py": SOURCE["arq"], "compose.yml": compose,
             "Procfile": "jobs: arq shop.jobs.WorkerSettings -v\n"}  # fmt: skip

    assert commands(seen(tmp_path, FILES | files)) == ["arq shop.jobs.WorkerSettings -v"]
