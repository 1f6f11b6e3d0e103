"""Command lines: split as a shell would, unwrapped, and read by each framework's grammar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.sidecar.detect.grammar import Launch, recognise
from stoker.sidecar.detect.shell import Step, steps
from stoker.sidecar.detect.unwrapping import unwrap


def run(line: str) -> list[Step]:
    return [inner for step in steps(line) for inner in unwrap(step)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("exec celery -A x worker", "celery -A x worker"),
        ("FOO=1 env BAR=2 poetry run celery -A x worker", "celery -A x worker"),
        ("uv run --extra jobs arq app.S", "arq app.S"),
        ("sh -c 'alembic upgrade head && exec saq jobs.settings'", "saq jobs.settings"),
        ("dotenv run -- celery -A x worker", "celery -A x worker"),
        ("python -m dotenv -f .env.jobs run rq worker", "rq worker"),
        ("dotenvx run -f .env.jobs -- node worker.js", "node worker.js"),
        ("dotenv -e .env -- node worker.js", "node worker.js"),
        ("dumb-init -- bundle exec sidekiq", "sidekiq"),
        ("/opt/rbenv/shims/bundle exec sidekiq -e production", "sidekiq -e production"),
        ("python -m celery -A x worker", "celery -A x worker"),
        ("python -m app.worker", "python -m app.worker"),
        ("wait-for-it.sh redis:6379 -- rq worker", "rq worker"),
        ("watchmedo auto-restart -d . -p '*.py' -- celery -A x worker", "celery -A x worker"),
        ("watchfiles --filter python 'celery -A x worker'", "celery -A x worker"),
        ("python -m debugpy --listen 0.0.0.0:5678 -m celery -A x worker", "celery -A x worker"),
        ("python -Xa=b -m debugpy --wait-for-client jobs/run.py -v", "python jobs/run.py -v"),
        ("python3 dev/reloader.py src py 'python3 -m debugpy jobs/run.py'", "python3 jobs/run.py"),
        ("python3 loads.py src 'two words'", "python3 loads.py src two words"),
        ("nodemon --exec ts-node src/worker.ts", "ts-node src/worker.ts"),
        ("pm2 start dist/mail.js --name mail -i 2", "node dist/mail.js"),
        ("pm2 start mail.ts --interpreter tsx -- --queue=a", "tsx mail.ts --queue=a"),
        ("pm2 start --name mail npm -- run worker", "npm run worker"),
        ("pm2 start 'celery -A x worker'", "celery -A x worker"),
        ("docker compose exec -T app celery -A x worker", "celery -A x worker"),
        ("docker run -d --name x -e A=b image celery -A x worker", "celery -A x worker"),
        ("bin/good_job start 2>&1 | tee log/jobs.log", "bin/good_job start"),
        ("celery -A x worker -c ${CONCURRENCY:-4}", "celery -A x worker -c 4"),
        ("su app -c 'huey_consumer a.huey'", "huey_consumer a.huey"),
        ("python3.8 $(which huey_consumer.py) a.huey -w2", "huey_consumer.py a.huey -w2"),
        ("exec `which celery` -A x worker", "celery -A x worker"),
    ],
)
def test_what_a_line_starts_in_the_end(line: str, words: str) -> None:
    assert words in [" ".join(step.words) for step in run(line)]


def test_variables_and_directories_of_a_line() -> None:
    (step,) = [s for s in run("cd backend && QUEUE=mail rake resque:work") if s.words[0] == "rake"]

    assert (step.dir, step.environment) == ("backend", {"QUEUE": "mail"})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("celery -A a.b worker -Q x,y -c 3", ("celery", "worker", "a.b", ("x", "y"), 3)),
        ("celery worker --app=a -Qx", ("celery", "worker", "a", ("x",), None)),
        ("huey_consumer a.huey -w 2", ("huey", "worker", "a.huey", (), 2)),
        ("huey_consumer a.huey -w 0", ("huey", "scheduler", "a.huey", (), 0)),
        ("celery --app a beat", ("celery", "scheduler", "a", (), None)),
        ("celery --app worker beat -c 2", ("celery", "scheduler", "worker", (), 2)),
        ("celery -A a flower", ("celery", "dashboard", "a", (), None)),
        ("dramatiq a b -Q x y -p 2", ("dramatiq", "worker", "a", ("x", "y"), 2)),
        ("rq worker -u redis://h high low", ("rq", "worker", "", ("high", "low"), None)),
        ("rqscheduler -H redis", ("rq", "scheduler", "", (), None)),
        ("python manage.py rqworker mail", ("rq", "worker", "", ("mail",), None)),
        ("huey_consumer.py a.huey -w 4", ("huey", "worker", "a.huey", (), 4)),
        ("python3.8 huey_consumer.py a.huey", ("huey", "worker", "a.huey", (), None)),
        ("manage.py run_huey", ("huey", "worker", "", (), None)),
        ("arq a.WorkerSettings", ("arq", "worker", "a.WorkerSettings", (), None)),
        ("saq a.settings --workers 2", ("saq", "worker", "a.settings", (), 2)),
        ("taskiq worker -w 3 a:broker a.tasks", ("taskiq", "worker", "a:broker", (), 3)),
        ("taskiq scheduler a:s", ("taskiq", "scheduler", "a:s", (), None)),
        ("procrastinate -a x.app worker -q a", ("procrastinate", "worker", "x.app", ("a",), None)),
        ("sidekiq -q a,2 -q b -c 7", ("sidekiq", "worker", "", ("a", "b"), 7)),
        ("good_job start --queues='a:2;b'", ("good_job", "worker", "", ("a", "b"), None)),
        ("bin/jobs", ("solid_queue", "worker", "", (), None)),
        ("rake resque:work QUEUE=a,b", ("resque", "worker", "", ("a", "b"), None)),
        ("QUEUE=a bundle exec resque work", ("resque", "worker", "", ("a",), None)),
        ("env QUEUE=* resque work", ("resque", "worker", "", ("*",), None)),
        ("resque work --queue=a,b", ("resque", "worker", "", ("a", "b"), None)),
        ("resque-pool --daemon", ("resque", "worker", "", (), None)),
        ("rails jobs:work", ("delayed_job", "worker", "", (), None)),
        ("stoker worker shop:app -q mail", ("stoker", "worker", "shop:app", ("mail",), None)),
        ("faktory-worker -q a", ("faktory", "worker", "", ("a",), None)),
    ],
)
def test_each_framework_s_own_command(line: str, expected: tuple[object, ...]) -> None:
    (step,) = run(line)

    launch = recognise(step.words, step.environment)

    assert isinstance(launch, Launch)
    assert (
        launch.framework,
        launch.role,
        launch.app,
        launch.queues,
        launch.concurrency,
    ) == expected


@pytest.mark.parametrize(
    "line",
    [
        "celery -A a inspect ping",
        "celery -A a purge",
        "arq --check a.S",
        "rq info",
        "jobs",
        "bin/jobs check",
        "rake db:migrate",
        "python manage.py migrate",
        "taskiq worker",
        "good_job cleanup_preserved_jobs",
        "gunicorn app:worker",
    ],
)
def test_what_starts_no_worker(line: str) -> None:
    assert [recognise(s.words, s.environment) for s in run(line)] == [None]


@given(st.text(max_size=200))
def test_no_line_is_too_strange(line: str) -> None:
    for step in run(line):
        recognise(step.words, step.environment)
