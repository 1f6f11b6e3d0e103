"""Which queues a worker of Celery takes, where only the source names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.detection import Detection

OURS = ("celery", "-A", "proj", "worker", "--loglevel=info")
APP = """\
import os

from celery import Celery
from kombu import Queue

app = Celery("proj", include=["proj.tasks"])
"""
TASKS = "from proj.celery import app\n\n\n@app.task\ndef render(page):\n    return page\n"


def seen(root: Path, settings: str, tasks: str = TASKS, procfile: str = "") -> Detection:
    (root / "proj").mkdir(exist_ok=True)
    (root / "requirements.txt").write_text("celery[redis]\n")
    (root / "proj" / "__init__.py").write_text("")
    (root / "proj" / "celery.py").write_text(APP + settings)
    (root / "proj" / "tasks.py").write_text(tasks)
    if procfile:
        (root / "Procfile").write_text(procfile)
    return detect(root)


@pytest.mark.parametrize(
    ("settings", "queues"),
    [
        ('app.conf.task_routes = {"proj.tasks.render": {"queue": "render"}}\n', "celery,render"),
        ('app.conf.update(task_routes={"proj.tasks.*": "render"})\n', "celery,render"),
        ('app.conf.update({"task_routes": {"a.*": {"queue": "render"}}})\n', "celery,render"),
        ('app.conf["task_routes"] = ([("a.*", {"queue": "render"})],)\n', "celery,render"),
        ('R = {"a": {"queue": "render"}}\napp.conf.task_routes = R\n', "celery,render"),
        ('app.conf.task_queues = [Queue("celery"), Queue(name="mail")]\n', "celery,mail"),
        ('CELERY_QUEUES = {"mail": {"exchange": "mail"}}\n', "celery,mail"),
        (
            'app.conf.task_default_queue = "proj"\napp.conf.task_routes = {"a.*": "render"}\n',
            "proj,render",
        ),
    ],
)
def test_a_worker_that_nobody_wrote_down_takes_what_the_source_names(
    settings: str, queues: str, tmp_path: Path
) -> None:
    found = seen(tmp_path, settings)

    [worker] = found.units
    assert worker.command == (*OURS, "-Q", queues)
    assert worker.queues == tuple(queues.split(","))
    assert found.notes == ()


def test_a_tasks_own_queue_is_taken_and_another_librarys_is_not(tmp_path: Path) -> None:
    tasks = (
        "from celery import shared_task\nfrom other import tool\n\n\n"
        '@shared_task(queue="reports")\ndef report():\n    pass\n\n\n'
        '@tool.task(queue="foreign")\ndef foreign():\n    pass\n'
    )

    [worker] = seen(tmp_path, "", tasks).units

    assert worker.queues == ("celery", "reports")


SEND = "\n\ndef send(page):\n    {}\n"


@pytest.mark.parametrize(
    "call",
    [
        'render.apply_async((page,), queue="render")',
        'render.s(page).set(queue="render").delay()',
        'render.signature((page,), queue="render").delay()',
        'chain(render.s(page), render.s()).apply_async(queue="render")',
        'app.send_task("proj.tasks.render", [page], queue="render")',
        'app.send_task(name="proj.tasks.render", queue="render")',
        'signature("proj.tasks.render", args=(page,), queue="render").delay()',
        'self.retry(queue="render")',
    ],
)
def test_a_queue_that_a_job_is_sent_to_by_hand_is_taken_too(call: str, tmp_path: Path) -> None:
    found = seen(tmp_path, "", TASKS + SEND.format(call))

    [worker] = found.units
    assert worker.command == (*OURS, "-Q", "celery,render")
    assert worker.evidence[-1].text == call


def test_a_queue_that_beat_sends_to_is_taken_too(tmp_path: Path) -> None:
    entry = '{"task": "proj.tasks.render", "options": {"queue": "render"}, "schedule": 60}'
    found = seen(tmp_path, f'app.conf.beat_schedule = {{"render": {entry}}}\n')

    assert [unit.queues for unit in found.units if unit.role == "worker"] == [("celery", "render")]


@pytest.mark.parametrize(
    "call",
    [
        'app.send_task("shop.orders.ship", queue="orders")',
        'signature("shop.orders.ship", queue="orders").delay()',
        'app.send_task(NAME, queue="orders")',
        "render.apply_async(queue=page)",
        'thread.start(queue="orders")',
    ],
    ids=["another's task", "its signature", "a task not known", "a queue not known", "no task"],
)
def test_a_queue_of_another_projects_worker_is_left_to_it(call: str, tmp_path: Path) -> None:
    found = seen(tmp_path, "", TASKS + SEND.format(call))

    [worker] = found.units
    assert (worker.command, found.notes) == (OURS, ())


def test_a_task_that_has_a_name_of_its_own_is_known_by_it(tmp_path: Path) -> None:
    tasks = TASKS.replace("@app.task", '@app.task(name="render-it")')

    [worker] = seen(
        tmp_path, "", tasks + SEND.format('app.send_task("render-it", queue="render")')
    ).units

    assert worker.queues == ("celery", "render")


def test_a_queue_that_a_call_names_and_a_persons_command_does_not_take_is_named(
    tmp_path: Path,
) -> None:
    tasks = TASKS + SEND.format('render.apply_async((page,), queue="render")')

    found = seen(tmp_path, "", tasks, procfile="worker: celery -A proj worker\n")

    assert found.units[0].command == ("celery", "-A", "proj", "worker")
    assert found.notes == (
        "proj/tasks.py:10: no worker takes jobs of the queue 'render': start one with "
        "-Q celery,render",
    )


@pytest.mark.parametrize(
    "settings",
    [
        "",
        'app.conf.task_routes = ("proj.routers.Router",)\n',
        'app.conf.task_default_queue = os.environ["Q"]\napp.conf.task_routes = {"a": "render"}\n',
        'app.conf.task_queues = [Queue(n) for n in "ab"]\napp.conf.task_routes = {"a": "b"}\n',
        'app.conf.task_routes = {"a": {"queue": os.environ["Q"]}}\n',
    ],
    ids=["none", "a router", "a default not known", "queues not known", "a route not known"],
)
def test_where_not_all_queues_are_known_a_worker_is_told_of_none(
    settings: str, tmp_path: Path
) -> None:
    [worker] = seen(tmp_path, settings).units

    assert worker.command == OURS


ROUTED = 'app.conf.task_routes = {"proj.tasks.render": {"queue": "render"}}\n'


def test_a_persons_command_is_left_and_the_queue_that_nobody_serves_is_named(
    tmp_path: Path,
) -> None:
    found = seen(tmp_path, ROUTED, procfile="worker: celery -A proj worker\n")

    [worker] = found.units
    assert (worker.command, worker.queues) == (("celery", "-A", "proj", "worker"), ())
    assert found.notes == (
        "proj/celery.py:7: no worker takes jobs of the queue 'render': start one with "
        "-Q celery,render",
    )


@pytest.mark.parametrize(
    "procfile",
    [
        "worker: celery -A proj worker\nrender: celery -A proj worker -Q render\n",
        "worker: celery -A proj worker -Q celery,render\n",
        "worker: celery -A proj worker -Q $QUEUES\n",
    ],
)
def test_where_a_worker_takes_it_or_may_do_so_there_is_no_note(
    procfile: str, tmp_path: Path
) -> None:
    assert seen(tmp_path, ROUTED, procfile=procfile).notes == ()


def test_a_worker_of_another_package_may_take_it(tmp_path: Path) -> None:
    other = tmp_path / "render"
    other.mkdir()
    (other / "requirements.txt").write_text("celery[redis]\n")
    (other / "render.py").write_text("from celery import Celery\n\napp = Celery('render')\n")
    (other / "Procfile").write_text("worker: celery -A render worker -Q render\n")

    assert seen(tmp_path, ROUTED, procfile="worker: celery -A proj worker\n").notes == ()


@pytest.mark.parametrize(
    ("imports", "queue"),
    [
        ('RENDER = "render"\n', "RENDER"),
        ("from proj.names import RENDER\n", "RENDER"),
        ("from .names import RENDER as TO\n", "TO"),
        ("from proj import names\n", "names.RENDER"),
        ("import proj.names as names\n", "names.RENDER"),
        ("from proj.passed import RENDER\n", "RENDER"),
    ],
)
@pytest.mark.parametrize(
    "tasks",
    [
        TASKS + SEND.format("render.apply_async((page,), queue={queue})"),
        TASKS.replace("@app.task", "@app.task(queue={queue})"),
        TASKS + 'BEAT = {{"a": {{"task": "proj.tasks.render", "options": {{"queue": {queue}}}}}}}\n'
        "app.conf.beat_schedule = BEAT\n",
    ],
    ids=["call", "task", "schedule"],
)
def test_a_queue_that_a_constant_names_is_taken(
    imports: str, queue: str, tasks: str, tmp_path: Path
) -> None:
    (tmp_path / "proj").mkdir()
    (tmp_path / "proj" / "names.py").write_text('RENDER: str = "render"\n')
    (tmp_path / "proj" / "passed.py").write_text("from .names import RENDER\n")

    [worker, *_] = seen(tmp_path, "", imports + tasks.format(queue=queue)).units

    assert worker.queues == ("celery", "render")


@pytest.mark.parametrize(
    "constant",
    [
        "RENDER = os.environ['RENDER']\n",
        "RENDER = 'render'\nRENDER = 'other'\n",
        "from proj.tasks import RENDER\n",
        "from elsewhere import RENDER\n",
        "RENDER = RENDER\n",
    ],
    ids=["read", "twice", "of itself", "of another project", "circle"],
)
def test_a_queue_whose_name_is_not_known_is_not_taken(constant: str, tmp_path: Path) -> None:
    tasks = constant + TASKS + SEND.format("render.apply_async((page,), queue=RENDER)")

    [worker] = seen(tmp_path, "", tasks).units

    assert "-Q" not in worker.command
