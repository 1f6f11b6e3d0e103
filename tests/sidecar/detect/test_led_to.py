"""A variable leads to a broker by its value, too: the name of the service that is the broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.plan import Plan
from stoker.sidecar.planning import make_plan
from tests.sidecar.detect.test_programs import seen
from tests.sidecar.detect.test_redis_clients import NODE, WORKER

COMPOSE = """\
services:
  api:
    build: .
    command: node server.js
    environment:
      {}
  looks:
    image: example/board:1
    environment: {{BOARD_HOST: queue}}
  queue:
    image: redis:7
"""
LISTENS = "require('express')().listen(3000);\n"


def plan_of(tmp_path: Path, environment: str, worker: str = "new Worker('mail', run);\n") -> Plan:
    files = {"worker.js": WORKER + worker, "server.js": LISTENS, "Dockerfile": "FROM node:22\n"}
    found = seen(tmp_path, NODE | files | {"compose.yaml": COMPOSE.format(environment)})
    return make_plan(found, "shop")


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ("JOBS_HOST: queue", {"JOBS_HOST": "queue"}),
        ("JOBS_HOST: ${JOBS_HOST:-queue}\n      JOBS_PORT: '6379'\n      OTHER_PORT: '80'",
         {"JOBS_HOST": "queue", "JOBS_PORT": "6379"}),
        ("JOBS_AT: redis://queue:6379/3", {"JOBS_AT": "redis://queue:6379/3"}),
        ("JOBS_ADDR: queue:6379", {"JOBS_ADDR": "queue:6379"}),
    ],
)  # fmt: skip
def test_it_is_found_by_what_it_is_given(
    tmp_path: Path, environment: str, told: dict[str, str]
) -> None:
    plan = plan_of(tmp_path, environment)

    [store] = plan.stores
    assert store.variables == told
    assert not any("reads no variable" in note for note in plan.notes)


@pytest.mark.parametrize("environment", ["QUEUE: queue", "JOBS_USER: queue", "JOBS_HOST: other"])
def test_what_is_only_called_alike_does_not(tmp_path: Path, environment: str) -> None:
    [store] = plan_of(tmp_path, environment).stores

    assert set(store.variables) == {"REDIS_URL"}


def test_a_note_says_where_nothing_leads_to_a_service_of_its_own(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "PORT: '3000'")

    assert any("reads no variable for the address of redis" in note for note in plan.notes)


def test_source_that_has_the_name_of_the_service_needs_no_variable(tmp_path: Path) -> None:
    worker = "new Worker('mail', run, { connection: { host: 'queue' } });\n"
    plan = plan_of(tmp_path, "PORT: '3000'", worker)

    assert not any("reads no variable" in note for note in plan.notes)


SEVERAL = """\
services:
  web:
    build: .
    command: gunicorn shop
    environment: {}
  cache: {{image: 'redis:7'}}
  store: {{image: 'redis:7'}}
  {}: {{image: 'redis:7'}}
"""


@pytest.mark.parametrize(
    ("environment", "third", "own"),
    [
        ("{CACHE_REDIS_URL: 'redis://cache', JOBS_REDIS_URL: 'redis://store'}", "third", "store"),
        ("{CELERY_BROKER_URL: 'redis://store'}", "jobs-redis", "store"),
        ("{REDIS_URL: 'redis://cache'}", "jobs-redis", "jobs-redis"),
        ("{REDIS_URL: 'redis://store'}", "third", "cache"),
    ],
)
def test_of_several_servers_it_is_the_one_of_the_jobs(
    tmp_path: Path, environment: str, third: str, own: str
) -> None:
    files = {
        "requirements.txt": "celery[redis]\n",
        "Procfile": "worker: celery -A shop worker\n",
        "shop.py": "import os\nfrom celery import Celery\napp = Celery('shop')\n"
        "urls = os.environ['CACHE_REDIS_URL'], os.environ['JOBS_REDIS_URL']\n",
        "compose.yaml": SEVERAL.format(environment, third),
    }

    [use] = seen(tmp_path, files).uses

    assert use.service == own
