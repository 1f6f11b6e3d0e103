"""A worker inside of the app gets no process of its own; one that is deployed apart gets one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.detection import Detection
from tests.sidecar.projects_expected import PROJECTS

INSIDE = {
    "good-job-told": "good_job",
    "solid-queue-condition": "solid_queue",
    "saq-lifespan": "saq",
    "stoker-lifespan": "stoker",
    "saq-litestar-inside": "saq",
    "dramatiq-inside": "dramatiq",
    "apalis-workspace": "apalis",
    "asynq-told": "asynq",
    "bullmq-app-script": "bullmq",
    "bull-queue-given": "bull",
    "arq-switch": "arq",
    "good-job-binstub": "good_job",
    "procrastinate-factory": "procrastinate",
    "river-review-queue": "river",
    "solid-queue-unless": "solid_queue",
    "solid-queue-variant": "solid_queue",
    "asynq-tool": "asynq",
}
APART = {
    "custom-start-worker": "node dist/worker/main",
    "bullmq-oclif": "./run worker",
    "arq-namesake": "arq app.core.arq.WorkerSettings",
    "arq-own-runner": "python3.12 shop/start_orders.py",
    "river-probes": "/bin/shipping serve",
    "stoker-own-script": "python work.py",
    "stoker-main": "stoker worker shop.entry:app",
    "bullmq-pm2": "node dist/mail.js --queue=letters",
    "bullmq-respawn": "node dist/workers/mail.js",
    "bullmq-tagged": "node build/main.js",
    "delayed-job-runner": "bundle exec rails runner bin/agents.rb",
    "huey-factory": "huey_consumer shop.tasks.huey",
    "resque-wrapped": "bundle exec rake environment supervised:work QUEUE=mail --trace",
}


def changed(name: str, folder: Path, **files: tuple[str, str]) -> Detection:
    """Return what is seen in a copy of a project in which something was replaced."""
    shutil.copytree(PROJECTS / name, folder / name)
    for path, (old, new) in files.items():
        file = folder / name / path
        text = file.read_text() if file.exists() else ""
        assert old in text
        file.write_text(text.replace(old, new) if old else new)
    return detect(folder / name)


@pytest.mark.parametrize(("name", "framework"), INSIDE.items())
def test_what_the_app_does_itself_is_not_doubled(name: str, framework: str) -> None:
    found = detect(PROJECTS / name)

    assert found.units == ()
    assert [each.framework for each in found.embedded] == [framework]


@pytest.mark.parametrize(("name", "command"), APART.items())
def test_what_only_looks_like_an_app_has_its_own_process(name: str, command: str) -> None:
    found = detect(PROJECTS / name)

    assert [" ".join(unit.command) for unit in found.units] == [command]
    assert found.embedded == ()


def test_a_worker_that_answers_more_than_probes_is_an_app(tmp_path: Path) -> None:
    route = ('router.Get("/metrics"', 'router.Get("/labels"')

    found = changed("river-probes", tmp_path, **{"internal/jobs/jobs.go": route})

    assert found.units == ()
    assert [each.framework for each in found.embedded] == ["river"]


def test_what_a_setting_has_to_switch_on_is_said_to_be_so(tmp_path: Path) -> None:
    on = {"shop/settings.py": ("REFRESH_PRICES: bool = False", "REFRESH_PRICES: bool = True")}

    assert [each.asked for each in detect(PROJECTS / "arq-switch").embedded] == [True]
    assert [each.asked for each in changed("arq-switch", tmp_path, **on).embedded] == [False]


@pytest.mark.parametrize("name", ["good-job-told", "solid-queue-condition", "saq-lifespan"])
def test_what_a_compose_file_starts_is_deployed_apart(name: str, tmp_path: Path) -> None:
    commands = {
        "good-job-told": "bundle exec good_job start",
        "solid-queue-condition": "bin/jobs",
        "saq-lifespan": "saq app.work.plan",
    }
    compose = f"services:\n  worker:\n    build: .\n    command: {commands[name]}\n"

    found = changed(name, tmp_path, **{"compose.yaml": ("", compose)})

    assert [" ".join(unit.command) for unit in found.units] == [commands[name]]
    assert found.embedded == ()


def test_a_switch_that_is_off_by_default_starts_nothing_inside(tmp_path: Path) -> None:
    off = {"app/settings.py": ("WORK_INSIDE: bool = True", "WORK_INSIDE: bool = False")}

    found = changed("saq-lifespan", tmp_path, **off)

    assert [unit.command for unit in found.units] == [("saq", "app.work.plan")]


def test_a_switch_that_the_deployment_turns_off_leaves_the_jobs_to_their_own_process(
    tmp_path: Path,
) -> None:
    off = {"config/deploy.yml": ("JOBS_IN_PUMA: true", "JOBS_IN_PUMA: false")}

    found = changed("solid-queue-unless", tmp_path, **off)

    assert [unit.command for unit in found.units] == [("bin/jobs",)]


def test_what_only_sends_on_schedule_has_no_worker() -> None:
    found = detect(PROJECTS / "taskiq-faststream")

    assert (found.units, found.embedded) == ((), ())


def test_a_library_starts_no_worker_anywhere() -> None:
    found = detect(PROJECTS / "bullmq-library")

    assert (found.units, found.embedded) == ((), ())


def test_a_variable_that_no_deployment_sets_starts_nothing_inside(tmp_path: Path) -> None:
    unset = {"config/deploy.yml": ("    JOBS_IN_PUMA: true\n", "    RAILS_LOG_LEVEL: info\n")}

    found = changed("solid-queue-condition", tmp_path, **unset)

    assert [unit.command for unit in found.units] == [("bin/jobs",)]


def test_a_script_that_serves_beside_its_workers_only_with_an_argument(tmp_path: Path) -> None:
    asked = {"main.py": ("    start_workers()\n", "    if 'work' in sys.argv: start_workers()\n")}

    found = changed("dramatiq-inside", tmp_path, **asked)

    assert found.embedded == ()
    assert [unit.framework for unit in found.units] == ["dramatiq"]


def test_the_way_from_the_app_to_its_worker_may_be_longer(tmp_path: Path) -> None:
    between = "from app.work import make_worker\n\n\ndef begin():\n    return make_worker()\n"
    shutil.copytree(PROJECTS / "saq-lifespan", tmp_path / "shop")
    (tmp_path / "shop/app/between.py").write_text(between)
    main = tmp_path / "shop/app/main.py"
    text = main.read_text().replace("app.work", "app.between").replace("make_worker", "begin")
    main.write_text(text)

    found = detect(tmp_path / "shop")

    assert [each.framework for each in found.embedded] == ["saq"]
