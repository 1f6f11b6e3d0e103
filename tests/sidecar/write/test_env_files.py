"""What a worker has from files of variables: nothing written beside them hides it."""

from __future__ import annotations

from pathlib import Path

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
