"""An application that only sends tasks by their names: another project's workers run them."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.detect import detect
from tests.sidecar.detect.test_programs import seen

CLIENT = "from celery import Celery\n\ncelery_app = Celery('files', broker='redis://localhost')\n"
SENDS = "from app.client import celery_app\n\ncelery_app.send_task('tile', args=[1])\n"
TASKS = [
    "from celery import shared_task\n\n@shared_task\ndef tile(n): ...\n",
    "from app.client import celery_app\n\n@celery_app.task(name='tile')\ndef tile(n): cut(n)\n",
    "from app.client import celery_app\n\ncelery_app.autodiscover_tasks(['app'])\n",
    "from app.client import celery_app\n\ncelery_app.conf.imports = ['app.more']\n",
    "from celery import Task\n\nclass Tile(Task): ...\n",
]


def written(root: Path, **files: str) -> Path:
    (root / "requirements.txt").write_text("celery[redis]\n")
    (root / "app").mkdir()
    for name, text in files.items():
        (root / "app" / f"{name}.py").write_text(text)
    return root


ASKS = "from app.client import celery_app\n\ncelery_app.AsyncResult('1').get()\n"


SIGNATURES = [
    "from celery import signature\n\nsignature('tile', args=(1,)).delay()\n",
    "from celery import (\n    chain,\n    signature as named,\n)\n\nchain(named('tile'))()\n",
    "from celery.canvas import Signature as S\n\nS('tile').delay()\n",
    "from app.client import celery_app as app\n\napp.signature('tile').delay()\n",
    "import celery\n\ncelery.chain(celery.signature('tile'))()\n",
]


@pytest.mark.parametrize("api", [SENDS, ASKS, *SIGNATURES])
def test_it_has_no_worker(tmp_path: Path, api: str) -> None:
    assert detect(written(tmp_path, client=CLIENT, api=api)).units == ()


@pytest.mark.parametrize("more", TASKS)
def test_one_that_has_a_task_too_has_a_worker(tmp_path: Path, more: str) -> None:
    [unit] = detect(written(tmp_path, client=CLIENT, api=SENDS, more=more)).units

    assert unit.framework == "celery"


def test_who_only_sends_is_one_of_two_packages(tmp_path: Path) -> None:
    files = {
        "web/requirements.txt": "flask\ncelery[redis]\n",
        "web/client.py": CLIENT,
        "web/api.py": SENDS.replace("app.client", "client"),
        "jobs/requirements.txt": "celery[redis]\n",
        "jobs/tasks.py": CLIENT + "\n@celery_app.task(name='tile')\ndef tile(n): cut(n)\n",
    }

    [unit] = seen(tmp_path, files).units

    assert (unit.dir, unit.command[2]) == ("jobs", "tasks.celery_app")


def test_an_app_that_is_told_of_no_modules_has_no_task_of_them(tmp_path: Path) -> None:
    client = CLIENT.replace("broker=", "include=[], broker=")

    assert detect(written(tmp_path, client=client, api=SENDS)).units == ()


@pytest.mark.parametrize(("task", "workers"), [("# @celery_app.task", 0), ("@celery_app.task", 1)])
def test_a_task_that_is_commented_out_is_none(tmp_path: Path, task: str, workers: int) -> None:
    tasks = f"from app.client import celery_app\n\n{task}\ndef tile(n): ...\n"

    assert len(detect(written(tmp_path, client=CLIENT, api=SENDS, tasks=tasks)).units) == workers


def test_of_two_apps_the_client_is_not_the_worker_s(tmp_path: Path) -> None:
    app = CLIENT.replace("celery_app", "app") + "\n@app.task(name='tile')\ndef tile(n): cut(n)\n"
    api = "from web.celery_client import celery_app\n\ncelery_app.send_task('tile')\n"
    files = {"requirements.txt": "celery\n", "web/celery_client.py": CLIENT, "web/api.py": api}

    [unit] = seen(tmp_path, files | {"jobs/main.py": app}).units

    assert unit.command[2] == "jobs.main.app"


RQ = "from rq import Queue\n\nqueue = Queue('mail')\nqueue.enqueue(JOB, 1)\n"


@pytest.mark.parametrize(
    ("job", "workers"), [("'mailer.tasks.send'", 0), ("'app.jobs.send'", 1), ("send", 1)]
)
def test_jobs_of_rq_may_be_functions_of_another_project(
    tmp_path: Path, job: str, workers: int
) -> None:
    files = {"requirements.txt": "rq\n", "app/jobs.py": "def send(n): ...\n"}

    found = seen(tmp_path, files | {"app/queue.py": RQ.replace("JOB", job)})

    assert len(found.units) == workers


BROKER = "from taskiq_redis import ListQueueBroker\n\nbroker = ListQueueBroker('redis://r')\n"
KICKS = "from taskiq.kicker import AsyncKicker\n\nAsyncKicker('mail', broker, {}).kiq(1)\n"


@pytest.mark.parametrize(("more", "workers"), [("", 0), ("@broker.task\ndef mail(n): ...\n", 1)])
def test_tasks_of_taskiq_may_be_known_by_their_names_only(
    tmp_path: Path, more: str, workers: int
) -> None:
    files = {"requirements.txt": "taskiq-redis\n", "app/broker.py": BROKER + more}

    found = seen(tmp_path, files | {"app/api.py": f"from app.broker import broker\n{KICKS}"})

    assert len(found.units) == workers


PUSHES = {
    "sidekiq": "Sidekiq::Client.push('class' => 'MailJob', 'args' => [1])\n",
    "resque": "Resque.push('mail', class: 'Mail', args: [1])\n",
}
JOBS = {
    "sidekiq": "class MailJob\n  include Sidekiq::Job\nend\n",
    "resque": "class Mail\n  @queue = :mail\nend\n",
}


@pytest.mark.parametrize("gem", ["sidekiq", "resque"])
def test_a_job_s_class_may_be_in_another_project(tmp_path: Path, gem: str) -> None:
    files = {
        "Gemfile": f"gem 'rails'\ngem '{gem}'\n",
        "config/application.rb": "",
        "config/initializers/sidekiq.rb": "Sidekiq.configure_client { |config| config }\n",
        "app/models/user.rb": PUSHES[gem],
    }

    assert seen(tmp_path, files).units == ()
    [unit] = seen(tmp_path, {"app/jobs/mail.rb": JOBS[gem]}).units
    assert unit.framework == gem


def test_a_kind_of_broker_is_made_for_others(tmp_path: Path) -> None:
    broker = "from taskiq import AsyncBroker, TaskiqScheduler\n\nclass Pipe(AsyncBroker): ...\n\n"
    made = "broker = PipeBroker()\nscheduler = TaskiqScheduler(broker)\n"
    task = "from pipe import broker\n\n@broker.task\ndef mail(n): ...\n"
    files = {"requirements.txt": "taskiq\n", "pipe.py": f"{broker}class PipeBroker(Pipe): ...\n"}

    assert seen(tmp_path, files | {"pipe.py": files["pipe.py"] + made}).units == ()
    assert len(seen(tmp_path, {"jobs.py": task}).units) == 2


@pytest.mark.parametrize("name", ["tests.py", "conftest.py", "test_jobs.py"])
def test_tasks_that_are_made_to_be_tried_are_none(tmp_path: Path, name: str) -> None:
    files = {"requirements.txt": "dramatiq\n"}
    actor = "import dramatiq\n\n@dramatiq.actor\ndef mail(n): ...\n"

    assert seen(tmp_path, files | {name: actor}).units == ()
    assert len(seen(tmp_path, {"jobs.py": actor}).units) == 1


@pytest.mark.parametrize(
    ("name", "body", "workers"),
    [
        ("(name='others.tile')", "'Others cut it.'", 0),
        ("(bind=True, name='others.tile')", "log.info(n)\n    return True", 0),
        ("(name='others.tile')", "raise NotImplementedError('elsewhere')", 0),
        ("(name='others.tile')", "return cut(n)", 1),
        ("", "return True", 1),
    ],
)
def test_a_task_that_has_a_name_and_does_nothing_is_run_by_others(
    tmp_path: Path, name: str, body: str, workers: int
) -> None:
    api = f"from app.client import celery_app\n\n@celery_app.task{name}\ndef tile(n):\n    {body}\n"

    assert len(detect(written(tmp_path, client=CLIENT, api=api)).units) == workers
