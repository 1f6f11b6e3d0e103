"""What a worker has from files of variables: nothing written beside them hides it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.planning import make_plan
from tests.sidecar.reading import yaml_documents
from tests.sidecar.write.test_own_services import generated, services

SHOP = {
    "requirements.txt": "celery[redis]\npsycopg2\n",
    "shop.py": "import os\nfrom celery import Celery\n"
    'app = Celery("s", broker=os.environ["REDIS_URL"])\n'
    'db, key = os.environ["DATABASE_URL"], os.environ["SECRET_KEY"]\n',
    "Procfile": "worker: celery -A shop worker\n",
    "Dockerfile": "FROM python:3.13\n",
    ".gitignore": "mine.env\n",
}
STORES = """\
  redis: {image: redis:7}
  db: {image: postgres:16, environment: {POSTGRES_PASSWORD: "${DB_PASSWORD}"}}
"""
WEB = "services:\n  web: {build: ., command: gunicorn shop, env_file: %s}\n"


def test_a_file_on_top_unsets_nothing_that_the_file_beneath_has_files_for(tmp_path: Path) -> None:
    top = {"compose.prod.yaml": "services:\n  web: {restart: always}\n"}

    generated(tmp_path, SHOP, {"compose.yaml": WEB % "mine.env" + STORES}, top)

    for file in ("compose.yaml", "compose.prod.yaml"):
        assert "SECRET_KEY" not in services(tmp_path, file)["worker"].get("environment", {})
    asked = (tmp_path / ".env.example").read_text()
    assert "SECRET_KEY" not in asked
    assert "DB_PASSWORD=" in asked
    assert "SECRET_KEY" not in (tmp_path / "kubernetes/.env.example").read_text()
    every = yaml_documents((tmp_path / "kubernetes/worker.yaml").read_text())
    [worker] = [each for each in every if each["kind"] == "Deployment"]
    [container] = worker["spec"]["template"]["spec"]["containers"]
    assert "SECRET_KEY" not in [each["name"] for each in container["env"]]
    assert container["envFrom"][0]["secretRef"]["name"].endswith("-file-mine-env")


def test_what_is_taken_from_dotenv_is_in_its_example(tmp_path: Path) -> None:
    generated(tmp_path, SHOP, {"compose.yaml": WEB % ".env" + STORES})

    assert "SECRET_KEY=" in (tmp_path / ".env.example").read_text()


OTHER = "REDIS_URL=redis://redis:6379/5\nDATABASE_URL=postgres://ro:x@db/other\n"
OUTSIDE = (
    "REDIS_URL=rediss://:pw@queue.example.net\nDATABASE_URL=postgres://a:pw@db.example.net/a\n"
)


def told(root: Path, file: str = "compose.yaml") -> dict[str, str]:
    return services(root, file)["worker"].get("environment", {})


def test_what_a_file_in_git_says_of_a_broker_is_not_said_again(tmp_path: Path) -> None:
    generated(tmp_path, SHOP, {"compose.yaml": WEB % "app.env" + STORES, "app.env": OTHER})

    assert {"REDIS_URL", "DATABASE_URL"}.isdisjoint(told(tmp_path))
    assert services(tmp_path)["worker"]["depends_on"].keys() == {"redis", "db"}
    production = told(tmp_path, "compose.prod.yaml")
    assert production["REDIS_URL"] == "redis://redis:6379/5"
    assert production["DATABASE_URL"].startswith("postgres")
    assert "ro:x" not in (tmp_path / "compose.prod.yaml").read_text()
    assert not [note for note in make_plan(detect(tmp_path)).notes if "git has not" in note]


@pytest.mark.parametrize("here", ["localhost:6379", "127.0.0.1", "[::1]:6379/3", ""])
def test_what_leads_to_the_container_itself_is_no_address(here: str, tmp_path: Path) -> None:
    text = f"REDIS_URL={here and 'redis://'}{here}\n"

    generated(tmp_path, SHOP, {"compose.yaml": WEB % "app.env" + STORES, "app.env": text})

    assert told(tmp_path)["REDIS_URL"].startswith("redis://redis:6379/")


def test_a_file_for_production_has_no_second_broker(tmp_path: Path) -> None:
    files = {"compose.yaml": WEB % "app.env" + STORES, "compose.prod.yaml": WEB % "live.env"}

    generated(tmp_path, SHOP, files, {"app.env": OTHER, "live.env": OUTSIDE})

    found = services(tmp_path, "compose.prod.yaml")
    assert found.keys() == {"web", "worker"}
    assert {"REDIS_URL", "DATABASE_URL"}.isdisjoint(told(tmp_path, "compose.prod.yaml"))
    assert "depends_on" not in found["worker"]


def test_a_file_for_production_that_lacks_what_its_file_leads_to_gets_it(tmp_path: Path) -> None:
    files = {"compose.yaml": WEB % "app.env" + STORES, "compose.prod.yaml": WEB % "live.env"}

    generated(tmp_path, SHOP, files, {"app.env": OTHER, "live.env": OTHER})

    assert services(tmp_path, "compose.prod.yaml").keys() == {"web", "worker", "redis", "db"}
    own = told(tmp_path, "compose.prod.yaml")
    assert "REDIS_URL" not in own
    assert own["DATABASE_URL"].startswith("postgres://app:"), "ours lets nobody else in"


def test_a_file_that_git_has_not_may_be_hidden_and_a_note_says_so(tmp_path: Path) -> None:
    generated(tmp_path, SHOP, {"compose.yaml": WEB % "mine.env" + STORES})
    before = [(tmp_path / name).read_text() for name in ("compose.yaml", "compose.prod.yaml")]

    (tmp_path / "mine.env").write_text(OTHER)
    plan = make_plan(detect(tmp_path))
    generated(tmp_path)

    files = [(tmp_path / name).read_text() for name in ("compose.yaml", "compose.prod.yaml")]
    assert files == before
    assert told(tmp_path)["REDIS_URL"] == "redis://redis:6379/0"
    assert (
        "compose.yaml: web has variables from mine.env, which git has not; if REDIS_URL or "
        "DATABASE_URL is said there, take it out of the workers' environment, which comes first"
    ) in plan.notes
