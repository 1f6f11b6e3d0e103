"""taskiq's broker may be made by functions, and its tasks may lie anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import commands, seen

AWAITED = """\
from asyncio import run

from taskiq_aio_pika import AioPikaBroker


async def prepared() -> AioPikaBroker:
    made = AioPikaBroker(url="amqp://localhost")
    return made.with_result_backend(None)


def ready() -> AioPikaBroker:
    return run(prepared())


"""
MADE = ["broker = ready()\n", "broker = run(prepared())\n", "broker = ready().with_id('x')\n"]
TASK = "from app.conf import broker\n\n\n@broker.task(retry=1)\nasync def mail(n): ...\n"
FILES = {"requirements.txt": "taskiq\ntaskiq-aio-pika\n", "app/__init__.py": ""}


@pytest.mark.parametrize("made", MADE)
def test_the_functions_that_make_it_are_followed(tmp_path: Path, made: str) -> None:
    found = seen(tmp_path, FILES | {"app/conf.py": AWAITED + made, "app/tasks.py": TASK})

    assert commands(found) == ["taskiq worker -fsd app.conf:broker"]
    assert found.brokers == ("rabbitmq",)


def test_they_may_lie_in_another_file(tmp_path: Path) -> None:
    conf = "from app.maker import ready\n\nbroker = ready()\n"
    files = {"app/maker.py": AWAITED, "app/conf.py": conf, "app/tasks.py": TASK}

    assert commands(seen(tmp_path, FILES | files)) == ["taskiq worker -fsd app.conf:broker"]


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({}, "app.conf:broker app.mail"),
        ({"app/tasks.py": TASK}, "-fsd app.conf:broker app.mail"),
        ({"app/old.py": f"from celery import Celery\n{TASK}"}, "app.conf:broker app.mail"),
    ],
)
def test_it_is_given_the_modules_whose_tasks_it_does_not_find(
    tmp_path: Path, others: dict[str, str], words: str
) -> None:
    files = {"app/conf.py": f"{AWAITED}broker = ready()\n", "app/mail.py": TASK}

    assert commands(seen(tmp_path, FILES | files | others)) == [f"taskiq worker {words}"]


def test_it_is_not_given_what_its_own_file_imports(tmp_path: Path) -> None:
    conf = f"{AWAITED}broker = ready()\n\nfrom app import mail\n"
    files = {"app/conf.py": conf, "app/mail.py": TASK}

    assert commands(seen(tmp_path, FILES | files)) == ["taskiq worker -fsd app.conf:broker"]


def test_it_is_given_none_where_a_pattern_is_written(tmp_path: Path) -> None:
    readme = "While you work: `taskiq worker -tp=app/*.py --reload app.conf:broker`\n"
    files = {"app/conf.py": f"{AWAITED}broker = ready()\n", "app/mail.py": TASK}

    [unit] = seen(tmp_path, FILES | files | {"README.md": readme}).units

    assert " ".join(unit.command) == "taskiq worker -tp=app/*.py app.conf:broker"
    assert ("taskiq", "worker", "-fsd", "app.conf:broker") in unit.alternatives


SCHEDULER = (
    "\nfrom taskiq import TaskiqScheduler\n\nscheduler = TaskiqScheduler(broker, sources=[])\n"
)


def test_a_scheduler_that_is_given_nothing_to_look_at_is_none(tmp_path: Path) -> None:
    conf = f"{AWAITED}broker = ready()\n{SCHEDULER}"

    found = seen(tmp_path, FILES | {"app/conf.py": conf, "app/tasks.py": TASK})
    assert [unit.role for unit in found.units] == ["worker"]

    given = conf.replace("sources=[]", "sources=[LabelScheduleSource(broker)]")
    found = seen(tmp_path, {"app/conf.py": given})
    assert [unit.role for unit in found.units] == ["worker", "scheduler"]


@pytest.mark.parametrize("made", ["InMemoryBroker()", "tried()"])
def test_a_broker_in_memory_has_its_tasks_run_where_they_are_kicked(
    tmp_path: Path, made: str
) -> None:
    maker = "from taskiq import InMemoryBroker\n\n\ndef tried():\n    return InMemoryBroker()\n\n\n"
    files = {"app/conf.py": f"{maker}broker = {made}\n", "app/tasks.py": TASK}

    assert seen(tmp_path, FILES | files).units == ()
