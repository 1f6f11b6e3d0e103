"""Which of Python's own programs work, and for which of their commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import commands, seen

RQ = """\
from flask.cli import FlaskGroup
from rq import Connection, Worker

from shop import create_app, redis

cli = FlaskGroup(create_app=create_app)


@cli.command()
def work():
    with Connection(redis):
        Worker(["default"]).work()


@cli.command()
def test():
    pass


if __name__ == "__main__":
    cli()
"""
COMPOSE = """\
services:
  web: {build: ., command: python manage.py run -h 0.0.0.0}
  jobs: {build: ., command: python manage.py work}
"""


def test_of_a_program_s_commands_only_the_one_that_works_is_a_worker(tmp_path: Path) -> None:
    files = {"requirements.txt": "flask\nrq\n", "manage.py": RQ, "compose.yaml": COMPOSE}

    assert commands(seen(tmp_path, files)) == ["python manage.py work"]


def test_what_only_connects_to_redis_adds_jobs(tmp_path: Path) -> None:
    adds = (
        "import redis\nfrom rq import Connection, Queue\n\n"
        "with Connection(redis.Redis()):\n    Queue().enqueue(print)\n"
    )
    works = 'from rq import Worker\n\nWorker(["default"]).work()\n'
    compose = (
        "services:\n  adds: {build: ., command: python adds.py}\n"
        "  works: {build: ., command: python works.py}\n"
    )
    files = {"requirements.txt": "rq\n", "adds.py": adds, "works.py": works}

    found = seen(tmp_path, files | {"compose.yaml": compose})

    assert commands(found) == ["python works.py"]


def test_a_command_of_the_project_s_own_manager_starts_celery(tmp_path: Path) -> None:
    work = (
        "from flask_script import Manager\n\nfrom shop.jobs import celery\n\n"
        "manager = Manager()\n\n\n@manager.command\ndef runworker():\n"
        '    celery.worker_main(["worker", "--loglevel=INFO"])\n'
    )
    files = {
        "requirements.txt": "celery\nredis\n",
        "manage.py": "from shop.commands import manager\n\nmanager.run()\n",
        "shop/__init__.py": "",
        "shop/jobs.py": 'from celery import Celery\n\ncelery = Celery("shop")\n',
        "shop/commands/__init__.py": "from .celery import manager\n",
        "shop/commands/celery.py": work,
        "compose.yaml": (
            "services:\n  worker: {build: ., command: python manage.py celery runworker}\n"
        ),
    }

    assert commands(seen(tmp_path, files)) == ["python manage.py celery runworker"]


def test_celery_is_started_by_the_words_of_its_command(tmp_path: Path) -> None:
    main = 'from shop import celery\n\ncelery.start(argv=["worker", "--loglevel", "info"])\n'
    files = {
        "requirements.txt": "celery\n",
        "shop/__init__.py": 'from celery import Celery\n\ncelery = Celery("shop")\n',
        "shop/__main__.py": main,
        "Procfile": "worker: python -m shop\n",
    }

    assert commands(seen(tmp_path, files)) == ["python -m shop"]


def test_a_worker_in_a_thread_of_some_object_runs_inside_of_the_app(tmp_path: Path) -> None:
    runner = (
        "import threading\n\nimport dramatiq\n\n\nclass Runner:\n"
        "    def __init__(self, broker):\n        worker = dramatiq.Worker(broker)\n"
        "        threading.Thread(target=worker.start).start()\n"
    )
    files = {"requirements.txt": "dramatiq[redis]\n", "shop/runner.py": runner}

    found = seen(tmp_path, files)

    assert commands(found) == []
    assert [each.framework for each in found.embedded] == ["dramatiq"]


def test_of_a_file_and_a_server_that_a_variable_chooses_from_containers_need_the_server(
    tmp_path: Path,
) -> None:
    jobs = (
        "import os\n\nfrom huey import RedisHuey, SqliteHuey\n\n"
        'url = os.environ.get("REDIS_URL")\n'
        "if not url:\n    huey = SqliteHuey()\nelse:\n    huey = RedisHuey(url=url)\n\n\n"
        "@huey.task()\ndef mail():\n    pass\n"
    )
    procfile = "worker: huey_consumer.py jobs.huey\n"

    found = seen(tmp_path, {"requirements.txt": "huey\n", "jobs.py": jobs, "Procfile": procfile})

    assert found.brokers == ("redis",)


MIDDLEWARE = "import dramatiq\n\n\n@dramatiq.actor\ndef barrier():\n    pass\n"
SETUP = 'from setuptools import setup\n\nsetup(name="far-barrier", install_requires=["dramatiq"])\n'


def test_what_others_install_by_its_name_starts_no_worker(tmp_path: Path) -> None:
    files = {
        "setup.py": SETUP,
        "README.md": "```\npip install far-barrier\n```\n",
        "far_barrier/__init__.py": MIDDLEWARE,
    }

    assert seen(tmp_path, files).units == ()


def test_what_is_published_for_others_starts_no_worker(tmp_path: Path) -> None:
    told = (
        '[project]\nname = "far-barrier"\nversion = "1"\ndependencies = ["dramatiq"]\n'
        'classifiers = ["Intended Audience :: Developers"]\n'
    )
    files = {"pyproject.toml": told, "far_barrier/__init__.py": MIDDLEWARE}

    assert seen(tmp_path, files).units == ()
    script = '\n[project.scripts]\nbarrier = "far_barrier:main"\n'
    assert seen(tmp_path, files | {"pyproject.toml": told + script}).units != ()
    app = "from flask import Flask\n\napp = Flask(__name__)\n"
    assert seen(tmp_path, files | {"app.py": app}).units != ()


def test_what_is_installed_and_has_a_container_is_a_program(tmp_path: Path) -> None:
    files = {
        "setup.py": SETUP,
        "README.md": "```\npip install far-barrier\n```\n",
        "far_barrier/__init__.py": MIDDLEWARE,
        "Dockerfile": "FROM python:3.13\n",
    }

    assert commands(seen(tmp_path, files)) == ["dramatiq far_barrier"]


def test_what_is_put_into_a_variable_only_under_a_condition_is_left_out(tmp_path: Path) -> None:
    script = (
        '#!/bin/sh\nqueues=""\nif [ "$QUEUES" ]; then\n  queues="-Q $QUEUES"\nfi\n'
        "exec celery -A shop worker $queues\n"
    )
    files = {
        "requirements.txt": "celery\n",
        "shop.py": 'from celery import Celery\n\napp = Celery("shop")\n',
        "worker.sh": script,
    }

    assert commands(seen(tmp_path, files)) == ["celery -A shop worker"]


HUEY = {
    "requirements.txt": "huey\nredis\n",
    "shop/queue.py": 'from huey import RedisHuey\n\nhuey = RedisHuey("shop")\n',
    "jobs/mail.py": "from shop.queue import huey\n\n\n@huey.task()\ndef send():\n    pass\n",
    "jobs/bill.py": "from shop.queue import huey\n\n\n@huey.task()\ndef write():\n    pass\n",
}


def test_a_worker_is_given_the_module_that_gathers_all_tasks(tmp_path: Path) -> None:
    gathers = (
        "from shop.queue import huey\n\nfrom .bill import write\nfrom .mail import send\n\n"
        '__all__ = ["huey", "send", "write"]\n'
    )

    assert commands(seen(tmp_path, HUEY | {"jobs/__init__.py": gathers})) == [
        "huey_consumer jobs.huey"
    ]


def test_what_imports_the_app_alone_gathers_no_tasks(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "celery\n",
        "shop/__init__.py": "",
        "shop/conf/__init__.py": "",
        "shop/conf/app.py": 'from celery import Celery\n\nqueue = Celery("shop")\n',
        "shop/conf/start.py": "from shop.conf.app import queue\n\nprint(queue)\n",
        "shop/mail.py": "from shop.conf.app import queue\n\n@queue.task\ndef send(n): ...\n",
    }

    assert commands(seen(tmp_path, files)) == ["celery -A shop.mail.queue worker --loglevel=info"]


def test_a_program_of_a_virtual_environment_of_windows_is_named_alone(tmp_path: Path) -> None:
    readme = "```console\n(shop) python c:\\shop\\venv\\Scripts\\huey_consumer.py run.huey\n```\n"
    run = "from shop.queue import huey\n\nimport jobs.bill\nimport jobs.mail\n"

    found = seen(tmp_path, HUEY | {"run.py": run, "README.md": readme})

    assert commands(found) == ["huey_consumer.py run.huey"]


RUNS = "from celery import Celery\n\n\nclass Fleet:\n    def __init__(self):\n" + (
    "        self.app = Celery('fleet')\n\n    def start(self):\n"
    "        self.app.start(argv=['worker', '-l', 'INFO'])\n"
)
MAIN = "from fleet.runs import Fleet\n\n\ndef main():\n    Fleet().start()\n\n\nmain()\n"
INSTALLS = (
    "from setuptools import setup\n\nsetup(name='fleet', entry_points={\n"
    "    'console_scripts': [\n        'fleetd = fleet.__main__:main',\n    ],\n})\n"
)


@pytest.mark.parametrize(("setup", "command"), [("", "python -m fleet"), (INSTALLS, "fleetd")])
def test_a_package_is_a_program_that_comes_to_its_worker(
    tmp_path: Path, setup: str, command: str
) -> None:
    package = {"fleet/__init__.py": "", "fleet/runs.py": RUNS, "fleet/__main__.py": MAIN}
    files = {"requirements.txt": "celery\n", "setup.py": setup}

    assert commands(seen(tmp_path, files | package)) == [command]


def test_a_command_that_setup_cfg_installs_is_a_program_of_the_project(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "rq\n",
        "setup.cfg": "[options.entry_points]\nconsole_scripts =\n    shopd = shop.run:main\n",
        "shop/run.py": "from rq import Worker\n\n\ndef main():\n    Worker(['mail']).work()\n",
        "Procfile": "jobs: shopd\n",
    }

    [unit] = seen(tmp_path, files).units

    assert (unit.command, unit.queues) == (("shopd",), ("mail",))


@pytest.mark.parametrize(("path", "workers"), [("src/handle.py", 1), ("src/other.py", 0)])
def test_a_program_that_the_image_brings_along_is_none_of_the_project(
    tmp_path: Path, path: str, workers: int
) -> None:
    compose = "services:\n  gpu-worker: {build: ., command: python3 -u /handle.py}\n"
    files = {"Dockerfile": "FROM gpu:1\n", "compose.yaml": compose, path: "print('works')\n"}

    assert len(seen(tmp_path, files).units) == workers


COMMANDS = [
    ("@cli.command('run_worker')", "run_worker"),
    ("@cli.command()", "start-jobs"),
    ("@manager.command", "start_jobs"),
    ("@click.command()", ""),
]


@pytest.mark.parametrize(("decorator", "name"), COMMANDS)
def test_a_program_is_given_the_command_that_works(
    tmp_path: Path, decorator: str, name: str
) -> None:
    manage = (
        "from rq import Worker\n\nfrom shop import cli, manager, settings\n\n\n"
        f"{decorator}\ndef start_jobs():\n    Worker(settings['QUEUES']).work()\n\n\n"
        "if __name__ == '__main__':\n    cli()\n"
    )

    [unit] = seen(tmp_path, {"requirements.txt": "rq\n", "manage.py": manage}).units

    assert unit.command == ("python", "manage.py", *([name] if name else []))
    assert unit.queues == ()


def test_an_f_string_that_this_python_can_read_and_not_write_is_read(tmp_path: Path) -> None:
    narrow = "{'\N{NARROW NO-BREAK SPACE}'.strip()}"  # it would be written with a backslash
    files = {
        "requirements.txt": "rq\nflask\nredis\n",
        "app.py": "from flask import Flask\n\napp = Flask(__name__)\n\n\n"
        f'@app.get(f"/{narrow}")\ndef home():\n    return {{}}\n',
        "worker.py": "from redis import Redis\nfrom rq import Worker\n\n"
        f"if f\"{narrow}\":\n    Worker(['default'], connection=Redis()).work()\n",
    }

    assert commands(seen(tmp_path, files)) == ["python worker.py"]


RESTARTS = """\
import subprocess
from {package} import {restarts}

from shop import celery


def work():
    subprocess.call(["celery", "-A", "main.celery", "worker"])


if __name__ == "__main__":
    {restarts}("./shop", work)
"""


@pytest.mark.parametrize(
    ("package", "restarts", "command"),
    [
        ("watchgod", "run_process", "celery -A main.celery worker"),
        ("watchfiles", "run_process", "celery -A main.celery worker"),
        ("django.utils.autoreload", "run_with_reloader", "celery -A main.celery worker"),
        ("shop", "run_process", "python main.py"),
    ],
)
def test_what_restarts_a_worker_when_a_file_changes_is_that_worker(
    tmp_path: Path, package: str, restarts: str, command: str
) -> None:
    files = {
        "requirements.txt": "celery[redis]\n",
        "main.py": RESTARTS.format(package=package, restarts=restarts),
        "shop/__init__.py": "from celery import Celery\n\ncelery = Celery('shop')\n",
        "shop/tasks.py": "from shop import celery\n\n@celery.task\ndef pack(n): return n + 1\n",
        "compose.yaml": "services:\n  worker: {build: ., command: python main.py}\n",
    }

    assert commands(seen(tmp_path, files)) == [command]


@pytest.mark.parametrize(
    ("jobs", "units"),
    [
        ("from shop.celery_app import celery_app\n", ["celery -A jobs.celery_app worker"]),
        ("from shop.celery_app import celery_app as one\n\ncelery_app = one\n",
         ["celery -A jobs.celery_app worker"]),
        ("from celery import Celery\n\ncelery_app = Celery('jobs')\n",
         ["celery -A jobs.celery_app worker", "celery -A shop.celery_app.celery_app worker"]),
    ],
)  # fmt: skip
def test_texts_that_name_an_app_by_modules_that_pass_it_on_tell_of_one_worker(
    tmp_path: Path, jobs: str, units: list[str]
) -> None:
    task = "from shop.celery_app import celery_app\n\n@celery_app.task\ndef pack(n): return n + 1\n"
    files = {
        "requirements.txt": "celery[redis]\n",
        "README.md": "```\ncelery -A jobs.celery_app worker\n```\n",
        "docs/trial.md": "```\ncelery -A shop.celery_app.celery_app worker\n```\n",
        "jobs.py": jobs,
        "shop/__init__.py": "",
        "shop/celery_app.py": "from celery import Celery\n\ncelery_app = Celery('shop')\n",
        "shop/tasks.py": task,
    }

    assert commands(seen(tmp_path, files)) == units


ONE_HUEY = "from huey import SqliteHuey\n\nhuey = SqliteHuey()\n"
CONSUMER = (
    "from jobs import huey\n\n\n@huey.task()\ndef mail(): ...\n\n\n"
    "if __name__ == '__main__':\n    huey.create_consumer(workers=2).run()\n"
)
SAQ = (
    "import asyncio\n\nfrom saq import Queue, Worker\n\n\nasync def main():\n"
    "    await Worker(queue=Queue.from_url('redis://redis'), functions=[]).start()\n\n\n"
    "if __name__ == '__main__':\n    asyncio.run(main())\n"
)


@pytest.mark.parametrize(
    ("framework", "text"),
    [("huey", CONSUMER), ("saq", SAQ), ("arq", "from arq import Worker\n\nWorker([]).run()\n")],
)
def test_a_program_that_makes_the_worker_itself_is_run(
    tmp_path: Path, framework: str, text: str
) -> None:
    web = "from flask import Flask\n\nfrom jobs import huey\nfrom work import mail\n\n"
    files = (
        {"jobs.py": ONE_HUEY, "site.py": f"{web}app = Flask('shop')\n"} if text == CONSUMER else {}
    )

    found = seen(tmp_path, files | {"requirements.txt": f"flask\n{framework}\n", "work.py": text})

    assert commands(found) == ["python work.py"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("worker.py", "rq_worker.py", ["python rq_worker.py"]),
        ("run_worker.py", "worker_windows.py", ["python run_worker.py"]),
        ("mail_worker.py", "worker.py", ["python mail_worker.py", "python worker.py"]),
        ("worker.py", "old/rq_worker.py", ["python worker.py"]),
        ("worker.py", "films/rq_worker.py", ["python films/rq_worker.py", "python worker.py"]),
    ],
)
def test_programs_whose_names_tell_nothing_apart_are_one_worker(
    tmp_path: Path, one: str, other: str, expected: list[str]
) -> None:
    text = "from rq import Worker\n\nfrom settings import queues\n\nWorker(queues).work()\n"

    found = seen(tmp_path, {"requirements.txt": "rq\n", one: text, other: text})

    assert sorted(commands(found)) == expected


def test_programs_that_take_other_queues_are_workers_each(tmp_path: Path) -> None:
    text = "from rq import Worker\n\nWorker(['{}']).work()\n"
    files = {"worker.py": text.format("films"), "rq_worker.py": text.format("mail")}

    assert len(commands(seen(tmp_path, {"requirements.txt": "rq\n"} | files))) == 2


@pytest.mark.parametrize(("head", "expected"), [("", ["dramatiq leak"]), ("# /// script\n", [])])
def test_a_script_with_an_environment_of_its_own_is_no_worker(
    tmp_path: Path, head: str, expected: list[str]
) -> None:
    asks = f'{head}# dependencies = ["dramatiq"]\n# ///\n'
    text = f"{asks}import dramatiq\n\n\n@dramatiq.actor\ndef mail(n): ...\n"

    assert commands(seen(tmp_path, {"leak.py": text})) == expected


def test_the_consumer_of_huey_is_a_module_too(tmp_path: Path) -> None:
    procfile = "jobs: python -m huey.bin.huey_consumer jobs.huey -w 4\n"

    [unit] = seen(
        tmp_path, {"requirements.txt": "huey\n", "jobs.py": ONE_HUEY, "Procfile": procfile}
    ).units

    assert (unit.command[-1], unit.concurrency) == ("4", 4)


CLI = (
    "import dramatiq\nfrom dramatiq.cli import main\n\n\n@dramatiq.actor\ndef mail(): ...\n\n\n"
    'if __name__ == "__main__":\n    main()\n'
)


@pytest.mark.parametrize(
    "line",
    [
        "worker.py ──► RabbitMQ",
        "worker.py ---> RabbitMQ",
        "│ python worker.py --queue │",
        "├── worker.py --queue",
        "python worker.py --id 2",
    ],
)
def test_what_is_drawn_or_shown_once_more_is_no_other_worker(tmp_path: Path, line: str) -> None:
    readme = f"# Shop\n\n```\npython worker.py --id 1\n{line}\n```\n"
    files = {"requirements.txt": "dramatiq\n", "worker.py": CLI, "README.md": readme}

    assert commands(seen(tmp_path, files)) == ["python worker.py --id 1"]


def test_arrows_between_commands_draw_nothing(tmp_path: Path) -> None:
    readme = "`docker compose up` → `python worker.py --id 1`\n"
    files = {"requirements.txt": "dramatiq\n", "worker.py": CLI, "README.md": readme}

    assert commands(seen(tmp_path, files)) == ["python worker.py --id 1"]


def test_a_command_that_looks_at_a_worker_is_none(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["rq"]\n'
        '[project.scripts]\nshop = "shop.cli:main"\n',
        "shop/cli.py": "from rq import Worker\n\n\ndef main():\n    Worker(['mail']).work()\n",
        "README.md": "```\nshop worker\nshop doctor --role worker\nshop status worker\n```\n",
    }

    assert commands(seen(tmp_path, files)) == ["shop worker"]


def test_a_consumer_of_pyfaktory_is_a_worker(tmp_path: Path) -> None:
    work = (
        "from pyfaktory import Client, Consumer\n\nclient = Client(role='consumer')\n"
        "Consumer(client=client, queues=['mail']).run()\n"
    )
    found = seen(tmp_path, {"requirements.txt": "pyfaktory\n", "work.py": work})

    assert (commands(found), found.units[0].queues) == (["python work.py"], ("mail",))


def test_a_program_that_measures_workers_is_none(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "celery\n",
        "jobs.py": "from celery import Celery\n\ncelery = Celery(broker='redis://')\n",
        "benchmark_worker.py": "import subprocess\n\n"
        "subprocess.Popen(['celery', '-A', 'jobs', 'worker'])\nprint(measured())\n",
        "README.md": "```\npython benchmark_worker.py\n```\n",
    }

    assert commands(seen(tmp_path, files)) == ["celery -A jobs.celery worker --loglevel=info"]


MAKER = (
    "from huey import RedisHuey\n\n\ndef made(name) -> RedisHuey:\n    return RedisHuey(name)\n\n\n"
    "def fast_huey():\n    return made('fast')\n\n\ndef slow_huey():\n    return made('slow')\n"
)


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ("@one.task()\ndef a(): ...\n\n\n@two.periodic_task(daily)\ndef b(): ...\n",
         ["huey_consumer tasks.one", "huey_consumer tasks.two"]),
        ("@two.task()\ndef a(): ...\n", ["huey_consumer tasks.two"]),
    ],
)  # fmt: skip
def test_each_huey_that_has_tasks_has_its_consumer(
    tmp_path: Path, tasks: str, expected: list[str]
) -> None:
    files = {
        "requirements.txt": "huey\n",
        "common.py": MAKER,
        "app.py": "from common import made\n\nhuey = made('fast')\nhuey.revoke_by_id(1)\n",
        "tasks.py": f"from common import fast_huey, slow_huey\n\n"
        f"one = fast_huey()\ntwo = slow_huey()\n\n\n{tasks}",
    }

    assert sorted(commands(seen(tmp_path, files))) == expected
