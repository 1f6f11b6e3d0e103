"""A broker's password is one: who asks for it and who shows it take it from the same variable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import render
from tests.sidecar.detect.test_programs import seen
from tests.sidecar.reading import compose_values

RQ = {
    "requirements.txt": "rq\nredis\n",
    "Procfile": "worker: rq worker default\n",
    "tasks.py": "import os, redis\nconn = redis.Redis(host=os.environ['QUEUE_HOST'],\n"
    "    password=os.environ['QUEUE_SECRET'])\n",
}
CELERY = {
    "requirements.txt": "celery[redis]\npsycopg\n",
    "Procfile": "worker: celery -A shop worker\n",
    "shop.py": "import os\nfrom celery import Celery\n"
    "app = Celery(broker=os.environ['REDIS_URL'])\nat = os.environ['DATABASE_URL']\n"
    "own = os.environ['SHOP_PASSWORD']\n",
}


def made(tmp_path: Path, files: dict[str, str]) -> dict[str, Any]:
    texts = {path: each.text for path, each in render(make_plan(seen(tmp_path, files))).items()}
    services = compose_values(texts["compose.prod.yaml"])["services"]
    return services | {"asked": texts[".env.example"].split()}


def of_redis(command: str) -> str:
    return f"services:\n  redis: {{image: 'redis:7', command: '{command}'}}\n"


def test_one_that_only_its_place_tells_is_a_password_in_production(tmp_path: Path) -> None:
    compose = of_redis("redis-server --requirepass ${REDIS_PASSWORD}")
    found = made(tmp_path, RQ | {"compose.yaml": compose})

    assert found["redis"]["command"][-2:] == [
        "--requirepass", "${REDIS_PASSWORD:?set it in .env}",
    ]  # fmt: skip
    assert found["worker"]["environment"]["QUEUE_SECRET"] == "${REDIS_PASSWORD:?set it in .env}"
    assert found["asked"] == ["REDIS_PASSWORD="]


def test_a_redis_asks_for_it_in_production_by_the_variable_of_its_own_service(
    tmp_path: Path,
) -> None:
    compose = of_redis("redis-server --requirepass ${QUEUE_SECRET:-local}")
    found = made(tmp_path, RQ | {"compose.yaml": compose})

    assert found["redis"]["command"][-1] == "${QUEUE_SECRET:?set it in .env}"
    assert found["worker"]["environment"]["QUEUE_SECRET"] == "${QUEUE_SECRET:?set it in .env}"
    assert found["asked"] == ["QUEUE_SECRET="]


def test_a_database_is_made_with_the_variable_that_the_app_has(tmp_path: Path) -> None:
    compose = (
        "services:\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_USER: shop\n"
        "      POSTGRES_PASSWORD: ${SHOP_PASSWORD:-local}\n"
    )
    found = made(tmp_path, CELERY | {"compose.yaml": compose})

    asked = "${SHOP_PASSWORD:?set it in .env}"
    assert found["db"]["environment"]["POSTGRES_PASSWORD"] == asked
    assert (
        found["worker"]["environment"]["DATABASE_URL"] == f"postgresql://shop:{asked}@db:5432/shop"
    )
    assert found["asked"] == ["SHOP_PASSWORD="]


def test_one_that_is_said_in_part_has_the_usual_name(tmp_path: Path) -> None:
    compose = (
        "services:\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_USER: shop\n"
        "      POSTGRES_PASSWORD: shop-${STAGE:-dev}\n"
    )
    found = made(tmp_path, CELERY | {"compose.yaml": compose})

    assert found["db"]["environment"]["POSTGRES_PASSWORD"] == "${POSTGRES_PASSWORD:?set it in .env}"


@pytest.mark.parametrize("there", [True, False])
def test_a_store_of_ours_asks_for_what_the_deployed_app_logs_in_with(
    tmp_path: Path, there: bool
) -> None:
    deployed = (
        "services:\n  web:\n    image: registry.example.org/shop:1\n    environment:\n"
        "      REDIS_URL: redis://:${REDIS_PASS}@redis:6379/0\n"
        "      DATABASE_URL: postgresql://shop:${DB_PASS:?say it}@db:5432/shop\n"
    )
    compose = (
        "services:\n  web:\n    build: .\n    command: gunicorn shop\n    ports: ['80:80']\n"
        "    environment:\n      REDIS_URL: redis://:${REDIS_PASSWORD:-dev}@redis:6379/0\n"
        "      DATABASE_URL: postgresql://shop:shop@db:5432/shop\n"
        "  redis:\n    image: redis:7\n"
        "    command: redis-server --requirepass ${REDIS_PASSWORD:-dev}\n"
        "  db:\n    image: postgres:17\n"
        "    environment: {POSTGRES_USER: shop, POSTGRES_PASSWORD: shop}\n"
    )
    if not there:  # where people develop the server asks for none
        compose = compose.replace(":${REDIS_PASSWORD:-dev}@", "").replace(
            "    command: redis-server --requirepass ${REDIS_PASSWORD:-dev}\n", ""
        )
    files = {"compose.yaml": compose, "compose.prod.yaml": deployed, "Dockerfile": "FROM python\n"}
    found = made(tmp_path, CELERY | files)

    assert found["redis"]["command"][-1] == "${REDIS_PASS:?set it in .env}"
    assert found["db"]["environment"]["POSTGRES_PASSWORD"] == "${DB_PASS:?set it in .env}"
    assert found["worker"]["environment"]["REDIS_URL"] == "redis://:${REDIS_PASS}@redis:6379/0"
