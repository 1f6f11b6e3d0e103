"""RQ's queues and scheduler, as the source alone shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import commands, seen

FLASK = "from flask.ext.rq import job\n\n@job\ndef mail(): ...\n\n@job('films')\ndef film(): ...\n"
PLAIN = "from rq.decorators import job\n\n@job('films', connection=redis)\ndef film(): ...\n"


@pytest.mark.parametrize(
    ("text", "queues"),
    [
        (FLASK, "default films"),
        (FLASK.replace("flask.ext.rq", "flask_rq"), "default films"),
        (PLAIN, "films"),
        ("from flask_rq import get_queue\n\nget_queue('films').enqueue(print)\n", "films"),
    ],
)
def test_a_job_names_its_queue(tmp_path: Path, text: str, queues: str) -> None:
    files = {"requirements.txt": "flask-rq\n", "jobs.py": text}

    assert commands(seen(tmp_path, files)) == [f"rq worker {queues}"]


@pytest.mark.parametrize(("manifest", "workers"), [("", 1), ("flask\n", 0)])
def test_who_has_no_manifest_is_asked_what_it_imports(
    tmp_path: Path, manifest: str, workers: int
) -> None:
    more = {"requirements.txt": manifest} if manifest else {}

    assert len(commands(seen(tmp_path, {"jobs.py": FLASK} | more))) == workers


SCHEDULES = "from rq_scheduler import Scheduler\n\nscheduler = Scheduler(connection=redis)\n"


def test_what_is_to_be_done_later_waits_for_the_scheduler(tmp_path: Path) -> None:
    files = {"requirements.txt": "rq\nrq-scheduler\n", "jobs.py": FLASK, "later.py": SCHEDULES}
    roles = {unit.role: unit.command for unit in seen(tmp_path, files).units}
    assert roles["scheduler"] == ("rqscheduler",)

    found = seen(tmp_path, {"later.py": f"{SCHEDULES}\nscheduler.run()\n"})
    assert [unit.role for unit in found.units] == ["worker"]


def test_the_scheduler_of_django_is_a_command_of_it(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "django\ndjango-rq\n",
        "manage.py": "",
        "shop/later.py": "import django_rq\n\ndjango_rq.get_scheduler().cron('* * * * *')\n",
    }

    [unit] = seen(tmp_path, files).units

    assert unit.command == ("python", "manage.py", "rqscheduler")


SETTINGS = """\
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    queue: str = {default}
    other: str = "none"


settings = Settings()
"""


@pytest.mark.parametrize(
    ("given", "default", "queues"),
    [
        ("settings.queue", "'mail'", ("mail",)),
        ("settings.queue", "Field('mail', description='where jobs wait')", ("mail",)),
        ("settings.queue", "Field(default='mail')", ("mail",)),
        ("settings.queue", "os.getenv('QUEUE', 'mail')", ("mail",)),
        ("settings.queue", "made_up('mail')", ()),
        ("Queue(settings.queue)", "'mail'", ("mail",)),
        ("os.getenv('JOBS', 'mail')", "''", ("mail",)),
        ("os.environ['JOBS']", "''", ()),
    ],
)
def test_a_program_s_queues_are_those_of_its_settings(
    tmp_path: Path, given: str, default: str, queues: tuple[str, ...]
) -> None:
    work = (
        f"from rq import Queue, Worker\nfrom settings import settings\n\nWorker([{given}]).work()\n"
    )
    files = {"requirements.txt": "rq\n", "worker.py": work}

    [unit] = seen(tmp_path, files | {"settings.py": SETTINGS.format(default=default)}).units

    assert (unit.command, unit.queues) == (("python", "worker.py"), queues)
