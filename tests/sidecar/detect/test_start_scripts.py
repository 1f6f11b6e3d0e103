"""A program of Python that starts the worker of another module, beside an app that may as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import commands, seen

JOBS = """\
from rq import Connection, Worker


def work():
    with Connection():
        Worker(["default"]).work()
"""
STARTS = """\
from multiprocessing import Process
from threading import Thread

from shop.jobs import work


def start_jobs():
    {how}(target=work).start()
"""
APP = """\
from flask import Flask

from shop import worker

app = Flask(__name__)

if __name__ == "__main__":
    worker.start_jobs()
    app.run()
"""
SCRIPT = 'from shop import worker\n\nif __name__ == "__main__":\n    worker.start_jobs()\n'
PROGRAM = """\
[program:jobs]
command=/srv/shop/env/bin/python /srv/shop/{name}.py
directory=/srv/shop
"""
UNIT = "[Service]\nExecStart=/srv/shop/venv/bin/python3 /srv/shop/{name}.py\n"


def project(root: Path, how: str = "Process", **more: str) -> list[str]:
    files = {"requirements.txt": "flask\nrq\n", "shop/__init__.py": "", "shop/app.py": APP}
    files |= {"shop/jobs.py": JOBS, "shop/worker.py": STARTS.format(how=how)}
    return commands(seen(root, files | more))


def test_what_the_app_starts_alone_is_not_doubled(tmp_path: Path) -> None:
    assert project(tmp_path) == []


@pytest.mark.parametrize("how", ["Process", "Thread"])
def test_one_that_is_called_a_worker_s_is_one(tmp_path: Path, how: str) -> None:
    assert project(tmp_path, how, **{"run-worker.py": SCRIPT}) == ["python run-worker.py"]


def test_one_that_is_called_anything_may_be_a_trial(tmp_path: Path) -> None:
    assert project(tmp_path, **{"begin.py": SCRIPT}) == []


@pytest.mark.parametrize("dir", ["samples/", "examples/", ""])
@pytest.mark.parametrize(
    ("file", "text", "python"),
    [("jobs_supervisor.ini", PROGRAM, "python"), ("systemd/jobs.service", UNIT, "python3")],
)
def test_one_that_something_is_set_up_to_start_is_one(
    tmp_path: Path, dir: str, file: str, text: str, python: str
) -> None:
    told = {"start_jobs.py": SCRIPT, f"{dir}{file}": text.format(name="start_jobs")}

    [command] = project(tmp_path, **told)

    installed = "" if dir else "/srv/shop/"
    assert command == f"{python} {installed}start_jobs.py"


def test_a_sample_that_starts_itself_is_none_of_the_project_s(tmp_path: Path) -> None:
    told = {"samples/work.py": SCRIPT, "samples/supervisor.ini": PROGRAM.format(name="work")}

    assert project(tmp_path, **told) == []


def test_what_only_defines_is_started_by_what_is_called_so(tmp_path: Path) -> None:
    made = "from faktory import Worker\n\n\ndef run():\n    Worker(queues=['mail']).run()\n"
    script = 'from shop.jobs import run\n\nif __name__ == "__main__":\n    run()\n'
    files = {"requirements.txt": "faktory\n", "shop/__init__.py": "", "shop/jobs.py": made}

    assert commands(seen(tmp_path, files)) == []
    assert commands(seen(tmp_path, {"mail_worker.py": script})) == ["python mail_worker.py"]
