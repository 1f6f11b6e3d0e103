"""The ways in which a web app of Python has its worker started with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import commands, seen

TASKS = (
    "from celery import Celery\n\ncelery = Celery('shop', broker='redis://redis')\n\n\n"
    "@celery.task\ndef mail(n): ...\n"
)
FLASK = (
    "import os\nimport subprocess\nimport sys\nfrom multiprocessing import Process\n\n"
    "from flask import Flask\n\nfrom shop.tasks import celery\n\napp = Flask('shop')\n"
)
MAIN = "if __name__ == '__main__':\n    {}\n    app.run()\n"
WORDS = "['celery', '-A', 'shop.tasks', 'worker']"
SERVES = (
    "from shop.tasks import celery\n\n\ndef start(app):\n"
    "    celery.Worker().start()\n    app.run()\n"
)
SANIC = (
    "import subprocess\n\nfrom sanic import Sanic\n\napp = Sanic('shop')\n\n\n"
    f"@app.main_process_start\nasync def workers(app):\n    subprocess.Popen({WORDS})\n"
)
GUNICORN = f"import subprocess\n\n\ndef on_starting(server):\n    subprocess.Popen({WORDS})\n"
FALCON = (
    "from multiprocessing import Process\n\nimport falcon\n\nfrom shop.tasks import celery\n\n\n"
    "def build():\n    Process(target=celery.worker_main).start()\n    return falcon.App()\n"
)
ASYNC = (
    "import asyncio\n\nfrom fastapi import FastAPI\n\n\nasync def lifespan(app):\n"
    "    await asyncio.create_subprocess_exec('celery', '-A', 'shop.tasks', 'worker')\n"
    "    yield\n\n\napp = FastAPI(lifespan=lifespan)\n"
)
INSIDE = [
    SERVES,
    SANIC,
    GUNICORN,
    FALCON,
    ASYNC,
    FLASK + MAIN.format("Process(target=celery.worker_main).start()"),
    FLASK + MAIN.format("os.system('celery -A shop.tasks worker &')"),
    FLASK + f"words = {WORDS}\n" + MAIN.format("subprocess.Popen(words)"),
    FLASK + MAIN.format(f"subprocess.Popen([sys.executable, '-m', {WORDS[1:]})"),
    FLASK + MAIN.format("os.popen('nohup celery -A shop.tasks worker > log 2>&1 &')"),
    FLASK + MAIN.format("subprocess.Popen('celery -A shop.tasks worker'.split(' '))"),
    FLASK + MAIN.format(f"subprocess.Popen({WORDS} + ['--pool', pool()])"),
    FLASK + MAIN.format("subprocess.Popen(f'{run} celery -A {tasks} worker > {log} &', shell=True)")
    + "\nrun = 'poetry run' if tool else ''\n",
]  # fmt: skip
APART = [
    FLASK + f"\n\n@app.cli.command()\ndef work():\n    subprocess.run({WORDS})\n",
    FLASK + f"words = {WORDS}\nwords = ['ls']\n" + MAIN.format("subprocess.run(words)"),
    FLASK + MAIN.format("subprocess.run(['celery', '-A', 'shop.tasks', 'beat'])"),
    "from shop.tasks import celery\n\n\ndef work():\n    celery.Worker().start()\n",
]


@pytest.mark.parametrize("app", INSIDE)
def test_a_worker_is_started_with_the_app(tmp_path: Path, app: str) -> None:
    found = seen(tmp_path, project(app))

    assert commands(found) == []
    assert [each.framework for each in found.embedded] == ["celery"]


@pytest.mark.parametrize("app", APART)
def test_what_the_app_does_not_start_has_its_own_process(tmp_path: Path, app: str) -> None:
    found = seen(tmp_path, project(app))

    assert commands(found) == ["celery -A shop.tasks.celery worker --loglevel=info"]


@pytest.mark.parametrize(
    "line",
    [
        'os.execvp("celery", ["celery", "-A", "shop.tasks", "worker", "-Q", "mail"])',
        'os.execlp("celery", "celery", "-A", "shop.tasks", "worker", "-Q", "mail")',
        'os.execvpe("celery", WORDS, dict(os.environ))',
        'os.system("celery -A shop.tasks worker -Q mail")',
        'os.system("cd /app && celery -A shop.tasks worker -Q mail")',
        'subprocess.check_call(shlex.split(f"celery -A shop.tasks worker -c {n} -Q mail"))',
        'subprocess.run(["celery", "-A", "shop.tasks", "worker", "-c", n, "-Q", "mail"])',
    ],
)
def test_a_program_that_becomes_a_worker_is_one(tmp_path: Path, line: str) -> None:
    words = 'WORDS = ["celery", "-A", "shop.tasks", "worker", "-Q", "mail"]\n'
    files = {"run.py": f"import os, shlex, subprocess\n\n{words}{line}\n",
             "Procfile": "jobs: python run.py\n"}  # fmt: skip

    found = seen(tmp_path, project("") | files)

    assert (commands(found), found.units[0].queues) == (["python run.py"], ("mail",))


def test_a_consumer_that_another_file_runs_for_the_app_is_inside(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "flask\nhuey\n",
        "jobs.py": "from huey import SqliteHuey\n\nhuey = SqliteHuey()\n\n\n@huey.task()\n"
        "def mail(): ...\n",
        "work.py": "from jobs import huey\n\n\ndef run():\n    huey.create_consumer().run()\n",
        "app.py": "import work\nfrom flask import Flask\nfrom multiprocessing import Process\n\n"
        "app = Flask('shop')\n" + MAIN.format("Process(target=work.run).start()"),
    }

    found = seen(tmp_path, files)

    assert commands(found) == []
    assert [each.framework for each in found.embedded] == ["huey"]


def test_a_sub_command_that_serves_is_no_worker_beside_the_one_that_works(tmp_path: Path) -> None:
    main = (
        "import asyncio\nimport sys\n\nimport arq\nfrom shop.run import run_all, run_worker\n\n"
        "if sys.argv[1] == 'start':\n    asyncio.run(run_all())\n"
        "elif sys.argv[1] == 'worker':\n    asyncio.run(run_worker())\n"
    )
    run = (
        "import asyncio\n\nimport uvicorn\nfrom arq.worker import create_worker\n\n\n"
        "async def run_all():\n    worker = create_worker(Settings)\n"
        "    await asyncio.gather(uvicorn.Server(config).serve(), worker.main())\n\n\n"
        "async def run_worker():\n    await create_worker(Settings).main()\n"
    )
    files = {
        "requirements.txt": "arq\n",
        "shop/__init__.py": "",
        "shop/__main__.py": main,
        "shop/run.py": run,
        "Procfile": "web: python -m shop start\njobs: python -m shop worker\n",
    }

    assert commands(seen(tmp_path, files)) == ["python -m shop worker"]


def project(app: str) -> dict[str, str]:
    manifest = {"requirements.txt": "celery\nfalcon\nfastapi\nflask\nredis\nsanic\n"}
    return manifest | {"shop/__init__.py": "", "shop/tasks.py": TASKS, "shop/site.py": app}
