"""Compose files that others include: what they have is not put in again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.write.test_own_services import generated, services

SHOP = {
    "requirements.txt": "celery[redis]\npsycopg2-binary\n",
    "shop.py": "import os\nfrom celery import Celery\n"
    'app = Celery("s", broker=os.environ["REDIS_URL"])\ndb = os.environ["DATABASE_URL"]\n',
    "Procfile": "worker: celery -A shop worker\n",
    "Dockerfile": "FROM python:3.13\n",
}
WEB = "  web:\n    build: .\n    command: gunicorn shop:app\n"
DB = "  db:\n    image: postgres:16\n    %s\n"
STORES = f"services:\n  queue:\n    image: redis:7.2\n{DB}"
CHOSEN = 'environment: {POSTGRES_USER: zed, POSTGRES_PASSWORD: "${PW}"}'


def including(place: str) -> dict[str, str]:
    return {"compose.yaml": f"include:\n  - {place}\nservices:\n{WEB}"}


@pytest.mark.parametrize("place", ["db.yml", "infra/stores.yaml", "infra/compose.yml"])
def test_stores_of_an_included_file_are_no_second_ones(tmp_path: Path, place: str) -> None:
    generated(tmp_path, SHOP, including(place), {place: STORES % CHOSEN})

    made = services(tmp_path)
    assert made.keys() == {"web", "worker"}
    assert made["worker"]["depends_on"].keys() == {"db", "queue"}
    assert made["worker"]["environment"]["REDIS_URL"] == "redis://queue:6379/0"


def test_a_worker_has_the_account_of_an_included_database(tmp_path: Path) -> None:
    generated(
        tmp_path, SHOP, including("infra/compose.yml"), {"infra/compose.yml": STORES % CHOSEN}
    )

    told = services(tmp_path)["worker"]["environment"]
    assert told["DATABASE_URL"] == "postgresql://zed:${PW}@db:5432/zed"
    assert "PW=" in (tmp_path / ".env.example").read_text().split()


def test_one_that_only_a_file_of_variables_says_is_asked_for(tmp_path: Path) -> None:
    """``.env`` beside the included file is none that Compose reads for what includes it."""
    for name in ("db.env", ".env"):
        (root := tmp_path / name).mkdir()
        stores = STORES % f"env_file: {name}"
        generated(root, SHOP, including("infra/compose.yml"), {"infra/compose.yml": stores})

        told = services(root)["worker"]["environment"]
        assert told["DATABASE_URL"] == "${DATABASE_URL:?set it in .env}"
        assert "DATABASE_URL=" in (root / ".env.example").read_text().split()


@pytest.mark.parametrize("place", ["infra/jobs.yml", "infra/compose.yml"])
def test_a_worker_of_an_included_file_is_no_second_one(tmp_path: Path, place: str) -> None:
    worker = "  worker:\n    build: ..\n    command: celery -A shop worker\n"
    generated(tmp_path, SHOP, including(place), {place: STORES % CHOSEN + worker})

    assert services(tmp_path).keys() == {"web"}
    assert services(tmp_path, "compose.prod.yaml").keys() == {"db", "queue", "worker"}


@pytest.mark.parametrize("place", ["infra/app.yml", "infra/compose.yml"])
def test_a_worker_has_the_settings_of_an_app_in_an_included_file(
    tmp_path: Path, place: str
) -> None:
    app = "  web:\n    build: ..\n    command: gunicorn shop:app\n    env_file: shop.env\n"
    own = {"compose.yaml": f"include:\n  - {place}\nservices:\n  mail:\n    image: a/mail:1\n"}
    generated(tmp_path, SHOP, own, {place: STORES % CHOSEN + app})

    made = services(tmp_path)
    assert made.keys() == {"mail", "worker"}
    assert made["worker"]["env_file"] == ["infra/shop.env"]
