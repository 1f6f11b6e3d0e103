"""What is seen and planned for each of the example projects, to the letter."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.plan import checked
from stoker.sidecar.planning import make_plan
from tests.sidecar.projects_expected import NAMES, PROJECTS, answers, expected


@pytest.mark.parametrize("name", NAMES)
def test_what_is_seen_and_planned_is_what_was_accepted(name: str) -> None:
    assert answers(name) == expected(name)


def test_there_are_forty_projects() -> None:
    assert len(NAMES) >= 40


@pytest.mark.parametrize("name", NAMES)
def test_every_plan_can_be_written(name: str) -> None:
    plan = make_plan(detect(PROJECTS / name), name)

    assert checked(plan) == plan


@pytest.mark.parametrize("name", ["celery-compose", "bullmq-script", "asynq-cmd", "huey-django"])
def test_where_a_project_lies_makes_no_difference(name: str, tmp_path: Path) -> None:
    shutil.copytree(PROJECTS / name, tmp_path / "tests" / "examples")

    assert detect(tmp_path / "tests" / "examples") == detect(PROJECTS / name)


@pytest.mark.parametrize(
    ("name", "signal"),
    [("huey-plain", "SIGINT"), ("resque-pool", "SIGQUIT"), ("celery-compose", "SIGTERM")],
)
def test_a_worker_is_stopped_with_the_signal_that_lets_it_finish(name: str, signal: str) -> None:
    plan = make_plan(detect(PROJECTS / name))

    assert plan.services[0].stop_signal == signal


@pytest.mark.parametrize("service", ["postgres:17", "mysql:9", ""])
@pytest.mark.parametrize("name", ["DATABASE_URL", "POSTGRES_HOST", "PGHOST"])
def test_a_worker_without_a_framework_has_the_database_of_the_project(
    service: str, name: str, tmp_path: Path
) -> None:
    project = tmp_path / "shop"
    shutil.copytree(PROJECTS / "custom-database", project)
    source, compose = project / "bg_worker" / "worker.py", project / "compose.yaml"
    source.write_text(source.read_text().replace("DATABASE_URL", name))
    compose.write_text(compose.read_text().replace("postgres:17", service or "shop:1"))

    plan = make_plan(detect(project), "shop")

    has = {"db": {name}} if service == "postgres:17" else {}
    assert {each.name: set(each.variables) for each in plan.stores} == has
    assert set(plan.services[0].needs) == has.keys()


def test_a_scheduler_runs_once_and_a_dashboard_when_asked_for() -> None:
    plan = make_plan(detect(PROJECTS / "celery-compose"))

    worker, beat, flower = plan.services
    assert (worker.singleton, beat.singleton, flower.profile) == (False, True, "dashboard")


def test_a_worker_that_is_its_own_scheduler_runs_once() -> None:
    plan = make_plan(detect(PROJECTS / "celery-django"))

    assert [service.singleton for service in plan.services] == [True]


def test_a_worker_inside_of_the_app_gets_no_container_and_a_reason() -> None:
    plan = make_plan(detect(PROJECTS / "nest-embedded"))

    assert plan.services == ()
    assert any("no container for BullMQ" in decision.what for decision in plan.decisions)
