"""Which files are compose files, which of them people develop with, and what is in their images."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import render
from tests.cli.support import ok
from tests.sidecar.detect.test_programs import seen
from tests.sidecar.reading import compose_values
from tests.sidecar.write.test_chosen_programs import put

CELERY = {
    "requirements.txt": "celery[redis]\npsycopg\n",
    "Procfile": "worker: celery -A shop worker\n",
    "shop.py": "import os\nfrom celery import Celery\n"
    "app = Celery(broker=os.environ['REDIS_URL'])\nat = os.environ['DATABASE_URL']\n",
}
WEB = "services:\n  web: {build: ., command: gunicorn shop, ports: ['80:80']}\n"


@pytest.mark.parametrize(
    "name", ["conf/prod.yml", "production.yaml", "config/dev.yml", "stack.yml"]
)
@pytest.mark.parametrize(
    "text", ["log: {level: info}\n", "services:\n  mail: {host: localhost, port: 25}\n", "- a\n"]
)
def test_an_applications_own_settings_are_no_compose_file(
    tmp_path: Path, name: str, text: str
) -> None:
    put(tmp_path, CELERY, {name: text})

    ok("sidecar", "generate", str(tmp_path), "--target", "all")

    assert (tmp_path / name).read_text() == text
    assert (tmp_path / "compose.prod.yaml").exists()


def test_one_that_starts_services_is_whatever_it_is_called(tmp_path: Path) -> None:
    put(tmp_path, CELERY, {"production.yml": WEB, "Dockerfile": "FROM python\nCMD gunicorn shop\n"})

    ok("sidecar", "generate", str(tmp_path))

    assert "worker" in compose_values((tmp_path / "production.yml").read_text())["services"]
    assert not (tmp_path / "compose.prod.yaml").exists()


def test_people_develop_with_the_file_that_starts_the_app(tmp_path: Path) -> None:
    files = {
        "docker-compose.gateway.yml": "services:\n  gateway: {image: 'nginx:1'}\n",
        "docker-compose.server.yml": WEB,
        "Dockerfile": "FROM python\nCMD gunicorn shop\n",
    }
    made = render(make_plan(seen(tmp_path, CELERY | files)))

    assert "docker-compose.server.yml" in made
    assert "docker-compose.gateway.yml" not in made


def test_what_is_built_on_a_database_is_one(tmp_path: Path) -> None:
    files = {
        "compose.yaml": WEB + "  db: {build: ./db, environment: {POSTGRES_PASSWORD: pw}}\n",
        "db/Dockerfile": "FROM postgres:16\nRUN install-an-extension\n",
        "Dockerfile": "FROM python\nCMD gunicorn shop\n",
    }
    plan = make_plan(seen(tmp_path, CELERY | files))
    texts = {path: each.text for path, each in render(plan).items()}

    assert list(compose_values(texts["compose.yaml"])["services"]) == ["redis", "worker"]
    production = compose_values(texts["compose.prod.yaml"])["services"]
    assert production["db"]["image"] == "postgres:16"
    assert any(note.startswith("db/Dockerfile: db is built from it") for note in plan.notes)


def test_a_broker_of_logins_has_no_jobs(tmp_path: Path) -> None:
    reads = CELERY["shop.py"] + "sso = os.environ['AUTHBROKER_URL']\n"
    found = seen(tmp_path, CELERY | {"shop.py": reads})

    assert [name for use in found.uses for name in use.variables] == ["REDIS_URL"]


@pytest.mark.parametrize(
    ("copies", "kept"),
    [
        ("COPY certs/rds.pem /etc/ssl/", ["!certs/rds.pem"]),
        ("COPY certs /etc/ssl/", ["!certs/rds.pem"]),
        ("COPY bin/start.sh /start", ["!bin/start.sh"]),
        ("COPY . .", []),
    ],
)
def test_what_an_image_is_made_of_is_left_in_its_context(
    tmp_path: Path, copies: str, kept: list[str]
) -> None:
    put(tmp_path, CELERY, {
        "Dockerfile": f"FROM python\n{copies}\nCMD gunicorn shop\n", "compose.yaml": WEB,
        "certs/rds.pem": "public\n", "other/own.key": "secret\n", "bin/start.sh": "true\n",
    })  # fmt: skip

    ok("sidecar", "generate", str(tmp_path))

    lines = (tmp_path / ".dockerignore").read_text().splitlines()
    assert [line for line in lines if line.startswith("!") and ".env" not in line] == kept
