"""Celery has a process for each CPU of the host, where nobody says how many there are to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.plan import Plan
from stoker.sidecar.planning import make_plan
from tests.sidecar.detect.test_programs import seen

SOURCE = "from celery import Celery\napp = Celery('shop', broker='redis://redis')\n"
FEW = "--concurrency=2"


def plan_of(tmp_path: Path, line: str, source: str = SOURCE) -> Plan:
    files = {"requirements.txt": "celery[redis]==5.4\n", "shop.py": source}
    return make_plan(seen(tmp_path, files | {"Procfile": f"worker: {line}\n"}), "shop")


@pytest.mark.parametrize("line", ["celery -A shop worker", "python -m celery -A shop worker -Q a"])
def test_a_worker_that_is_not_told_has_a_few(tmp_path: Path, line: str) -> None:
    plan = plan_of(tmp_path, line)

    [worker] = plan.services
    assert worker.command[-1] == FEW
    [decision] = [each for each in plan.decisions if FEW in each.what and "with" in each.what]
    assert "CPU of the host" in decision.why


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("celery -A shop worker -c 8", SOURCE),
        ("celery -A shop worker -c8", SOURCE),
        ("celery -A shop worker --concurrency=8", SOURCE),
        ("celery -A shop worker --autoscale=8,2", SOURCE),
        ("celery -A shop worker -P gevent", SOURCE),
        ("celery -A shop worker --pool=solo", SOURCE),
        ("celery -A shop worker $CELERY_OPTIONS", SOURCE),
        ("celery -A shop worker", f"{SOURCE}app.conf.worker_concurrency = 4\n"),
        ("celery -A shop worker", f"{SOURCE}app.conf.update(worker_pool='threads')\n"),
        ("celery -A shop worker", f"{SOURCE}CELERYD_CONCURRENCY = 4\n"),
        ("celery -A shop worker", f"{SOURCE}CELERY_WORKER_CONCURRENCY = 4\n"),
    ],
)
def test_one_that_is_told_has_what_it_is_told(tmp_path: Path, line: str, source: str) -> None:
    plan = plan_of(tmp_path, line, source)

    assert not any(FEW in word for each in plan.services for word in each.command)
