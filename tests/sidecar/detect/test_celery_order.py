"""Celery 5 refuses ``celery worker -A x``: the plan has what the pinned version takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.plan import Plan
from stoker.sidecar.planning import make_plan

SOURCE = "from celery import Celery\n\napp = Celery('x', broker='redis://')\n"


def _plan(root: Path, version: str, line: str) -> Plan:
    (root / "requirements.txt").write_text(f"celery{version}\n")
    (root / "x.py").write_text(SOURCE)
    (root / "Procfile").write_text(f"worker: {line}\n")
    return make_plan(detect(root), "x")


@pytest.mark.parametrize(
    "version", ["==5.4.0", ">=5", "~=5.2", ">=5.2,<6", "< 6, >= 5", "[redis]==5.3"]
)
@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("celery worker -A x -Q a -c 2", "celery -A x worker -Q a -c 2"),
        ("celery worker --app=x -c 3 -l info", "celery --app=x worker -c 3 -l info"),
        ("celery worker -c3 -Ax -b redis://r -E", "celery -Ax -b redis://r worker -c3 -E"),
    ],
)
def test_five_gets_its_own_order_and_says_so(
    tmp_path: Path, version: str, line: str, command: str
) -> None:
    plan = _plan(tmp_path, version, line)

    assert " ".join(plan.services[0].command) == command
    [decision] = [each for each in plan.decisions if "another order" in each.what]
    assert decision.what.endswith(line)
    assert "Celery" in decision.why


@pytest.mark.parametrize(
    "version", ["==4.4.7", "<5", ">=4.3,<5", "~=4.4", "", "!=5.0", "< 6", "<6,>=4"]
)
def test_four_and_what_is_not_pinned_stay_as_they_were_written(
    tmp_path: Path, version: str
) -> None:
    plan = _plan(tmp_path, version, "celery worker -A x -c 3")

    assert plan.services[0].command == ("celery", "worker", "-A", "x", "-c", "3")
    assert not any("another order" in each.what for each in plan.decisions)


def test_a_command_in_the_order_of_five_needs_no_decision(tmp_path: Path) -> None:
    plan = _plan(tmp_path, "==5.4", "celery -A x worker -c 3")

    assert plan.services[0].command == ("celery", "-A", "x", "worker", "-c", "3")
    assert not any("another order" in each.what for each in plan.decisions)


def test_what_a_shell_fills_in_is_kept(tmp_path: Path) -> None:
    plan = _plan(tmp_path, "==5.4", "celery worker -A x -c $COUNT -n 'a b'")

    line = 'exec celery -A x worker -c $COUNT -n "a b"'
    assert plan.services[0].command == ("sh", "-c", line)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("celery -A x beat", "celery -A x beat --schedule /tmp/celerybeat-schedule"),
        (
            "celery -A x worker -B -c 3",
            "celery -A x worker -B -c 3 --schedule /tmp/celerybeat-schedule",
        ),
        ("celery -A x beat -s /data/runs", "celery -A x beat -s /data/runs"),
        ("celery -A x beat -S django", "celery -A x beat -S django"),
        (
            "celery -A x beat --scheduler=a.schedulers:DatabaseScheduler",
            "celery -A x beat --scheduler=a.schedulers:DatabaseScheduler",
        ),
        (
            "celery -A x beat -S celery.beat.PersistentScheduler",
            "celery -A x beat -S celery.beat.PersistentScheduler "
            "--schedule /tmp/celerybeat-schedule",
        ),
        ("celery -A x beat --schedule=/data/runs", "celery -A x beat --schedule=/data/runs"),
        ("celery -A x worker -c 3", "celery -A x worker -c 3"),
    ],
)
def test_the_times_of_the_last_runs_are_where_a_container_may_write(
    tmp_path: Path, line: str, command: str
) -> None:
    plan = _plan(tmp_path, "==5.4.0", line)

    assert command in [" ".join(each.command) for each in plan.services]
    changed = [each for each in plan.decisions if "celerybeat-schedule" in each.why + each.what]
    assert bool(changed) == (command != line)
