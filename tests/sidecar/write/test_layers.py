"""Compose files that are read one on another: a worker is in each as the app is, and once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import render, start
from tests.cli.support import ok, stoker
from tests.sidecar.merging import merged
from tests.sidecar.reading import compose_values, yaml_documents
from tests.sidecar.write.test_own_services import CELERY, generated, services

WORKER = {"Procfile": "worker: celery -A shop worker\n", "Dockerfile": "FROM python:3.13\n"}
WHOLE = """\
services:
  web:
    build: .
    command: gunicorn shop:app
    environment: {B_URL: "redis://queue:6379/3", SECRET_KEY: for-a-desk}
    env_file: shop.env
    volumes: [media:/srv/media]
    networks: [inner]
  queue:
    image: redis:7.2
    networks: [inner]
networks:
  inner:
volumes:
  media:
"""
PARTS = """\
services:
  web:
    command: gunicorn shop:app --preload
    environment: {MODE: %s}
    restart: always
"""
ON_DESKS = {
    "compose.yaml": "services:\n  web:\n    image: python:3.13\n    command: gunicorn shop:app\n",
    "compose.prod.yaml": "services:\n  web:\n    restart: always\n",
}


def commands(root: Path) -> list[str]:
    plan = make_plan(detect(root))
    return [start(plan, "dev"), start(plan, "prod").partition(" --scale")[0]]


@pytest.mark.parametrize("taken", ["ports: !reset null", "volumes: !override ['media:/srv/media']"])
def test_what_takes_something_back_is_put_on_the_file_that_has_it(
    tmp_path: Path, taken: str
) -> None:
    top = f"services:\n  web:\n    image: 'registry.example.com/shop:1'\n    {taken}\n"
    generated(tmp_path, CELERY, WORKER, {"compose.yaml": WHOLE, "compose.prod.yaml": top})

    assert commands(tmp_path)[1].startswith("docker compose -f compose.yaml -f compose.prod.yaml")
    assert services(tmp_path, "compose.prod.yaml").keys() == {"web", "worker"}  # and no broker


def test_what_is_put_on_the_file_for_development_keeps_what_that_says(tmp_path: Path) -> None:
    files = {"compose.yaml": WHOLE, "compose.prod.yaml": PARTS % "live"}
    generated(tmp_path, CELERY, WORKER, files)

    assert commands(tmp_path) == [
        "docker compose up --build --watch",
        "docker compose -f compose.yaml -f compose.prod.yaml up --build --detach",
    ]
    below, above = services(tmp_path)["worker"], services(tmp_path, "compose.prod.yaml")["worker"]
    assert below["environment"]["B_URL"] == "redis://queue:6379/3"
    assert above["environment"]["MODE"] == "live"
    assert not {"B_URL", "SECRET_KEY"} & above["environment"].keys(), "they would be replaced"
    assert not {"env_file", "volumes", "networks"} & above.keys(), "they would be there twice"
    assert above["restart"] == "always", "as the app is there"
    assert "depends_on" not in above, "its conditions would be weakened"
    assert services(tmp_path, "compose.prod.yaml").keys() == {"web", "worker"}


def test_it_is_explained_which_file_is_on_top(tmp_path: Path) -> None:
    files = {"compose.yaml": WHOLE, "compose.prod.yaml": PARTS % "live"}
    for path, text in {**CELERY, **WORKER, **files}.items():
        (tmp_path / path).write_text(text)

    assert "compose.prod.yaml, on top of compose.yaml" in ok("sidecar", "explain", str(tmp_path))


def test_what_is_put_on_a_base_has_what_that_gives_the_app(tmp_path: Path) -> None:
    files = {
        "docker-compose.base.yml": WHOLE,
        "docker-compose.dev.yml": PARTS % "desk",
        "docker-compose.prod.yml": PARTS % "live",
    }
    generated(tmp_path, CELERY, WORKER, files)

    base = "docker compose -f docker-compose.base.yml"
    assert commands(tmp_path) == [
        f"{base} -f docker-compose.dev.yml up --build --watch",
        f"{base} -f docker-compose.prod.yml up --build --detach",
    ]
    assert services(tmp_path, "docker-compose.base.yml").keys() == {"web", "queue"}
    for mode, told in (("dev", "desk"), ("prod", "live")):
        found = services(tmp_path, f"docker-compose.{mode}.yml")
        assert found.keys() == {"web", "worker"}
        worker = found["worker"]
        assert worker["environment"]["MODE"] == told
        assert worker["environment"]["B_URL"] == "redis://queue:6379/3"
        assert worker["env_file"] == ["shop.env"]
        assert worker["networks"] == ["inner"]
    settings = json.loads(
        (tmp_path / ".devcontainer/devcontainer.json").read_text().partition("\n")[2]
    )
    assert settings["dockerComposeFile"][:2] == [
        "../docker-compose.base.yml",
        "../docker-compose.dev.yml",
    ]


def test_kubernetes_has_what_all_layers_say(tmp_path: Path) -> None:
    files = {"compose.yaml": WHOLE, "compose.prod.yaml": PARTS % "live"}
    generated(tmp_path, CELERY, WORKER, files)

    [told] = [
        each["data"]
        for each in yaml_documents((tmp_path / "kubernetes/worker.yaml").read_text())
        if each["kind"] == "ConfigMap"
    ]
    assert told["MODE"] == "live"
    assert "for-a-desk" not in (tmp_path / "kubernetes/worker.yaml").read_text()


@pytest.mark.parametrize("name", ["celery_worker", "Celery.Worker", "celery-worker"])
def test_a_worker_that_is_there_is_not_doubled_whatever_it_is_called(
    name: str, tmp_path: Path
) -> None:
    own = f"  {name}:\n    build: .\n    command: celery -A shop worker\nnetworks:\n"
    text = WHOLE.replace("networks:\n  inner:", f"{own}  inner:")
    generated(tmp_path, CELERY, WORKER, {"compose.yaml": text})

    assert (tmp_path / "compose.yaml").read_text() == text
    opened = json.loads(
        (tmp_path / ".devcontainer/devcontainer.json").read_text().partition("\n")[2]
    )
    assert name in opened["runServices"]


@pytest.mark.parametrize("name", ["worker", "mail_worker"])
def test_a_worker_of_the_base_is_not_put_on_it_once_more(name: str, tmp_path: Path) -> None:
    own = f"  {name}:\n    build: .\n    command: celery -A shop worker\n  queue:\n"
    files = {
        "compose.yaml": WHOLE.replace("  queue:\n", own),
        "compose.prod.yaml": PARTS % "live",
    }
    generated(tmp_path, CELERY, WORKER, files)

    assert (tmp_path / "compose.prod.yaml").read_text() == files["compose.prod.yaml"]
    assert start(make_plan(detect(tmp_path)), "prod").endswith(f" --scale {name}=3")


def test_the_account_of_a_database_is_what_all_files_say_of_it(tmp_path: Path) -> None:
    source = CELERY["shop.py"] + 'db = os.environ["DATABASE_URL"]\n'
    own = {**CELERY, "requirements.txt": "celery[redis]\npsycopg2\n", "shop.py": source}
    account = "{POSTGRES_USER: shop, POSTGRES_PASSWORD: at-a-desk, POSTGRES_DB: orders}"
    database = f"  db:\n    image: postgres:16\n    environment: {account}\n"
    live = PARTS % "live" + '  db:\n    environment: {POSTGRES_PASSWORD: "${LIVE:?}"}\n'
    whole = WHOLE.replace("networks:\n  inner:\n", f"{database}networks:\n  inner:\n")
    generated(tmp_path, own, WORKER, {"compose.yaml": whole, "compose.prod.yaml": live})

    told = [services(tmp_path, path)["worker"]["environment"]["DATABASE_URL"] for path in
            ("compose.yaml", "compose.prod.yaml")]  # fmt: skip
    assert told == [
        "postgresql://shop:at-a-desk@db:5432/orders",
        "postgresql://shop:${LIVE:?}@db:5432/orders",
    ]


def test_a_broker_of_an_included_file_is_no_second_one(tmp_path: Path) -> None:
    """Compose refuses a service that an included file has, too."""
    queue = "services:\n  queue:\n    image: redis:7.2\n"
    files = {
        "compose.yaml": "include:\n  - stores/all.compose.yaml\n" + WHOLE.partition("  queue:")[0],
        "stores/all.compose.yaml": "include:\n  - path: [compose.yaml]\n",
        "stores/compose.yaml": queue,
    }
    generated(tmp_path, CELERY, WORKER, files)

    assert services(tmp_path).keys() == {"web", "worker"}
    assert services(tmp_path)["worker"]["depends_on"].keys() == {"queue"}


def test_a_service_that_extends_another_has_what_that_is_given(tmp_path: Path) -> None:
    common = (
        "services:\n  base:\n    build: ..\n    env_file: shop.env\n    networks: [inner]\n"
        "    environment: {ONE: '1', TWO: '1'}\n    volumes: ['./media:/srv/media', 'a:/srv/a']\n"
        "  app:\n    extends: base\n    environment: [TWO=2]\n"
    )
    web = (
        "services:\n  web:\n    extends: {file: deploy/common.yml, service: app}\n"
        "    command: gunicorn shop:app\n    environment: {THREE: '3'}\n"
        "    volumes: ['b:/srv/a']\n"
    )
    generated(tmp_path, CELERY, WORKER, {"compose.yaml": web, "deploy/common.yml": common})

    worker: dict[str, Any] = services(tmp_path)["worker"]
    told = {name: worker["environment"][name] for name in ("ONE", "TWO", "THREE")}
    assert told == {"ONE": "1", "TWO": "2", "THREE": "3"}
    assert worker["env_file"] == ["deploy/shop.env"]
    assert worker["volumes"] == ["./deploy/media:/srv/media", "b:/srv/a"]
    assert worker["networks"] == ["inner"]
    assert services(tmp_path)["redis"]["networks"] == ["inner"], "where the app is, too"


def test_files_that_extend_each_other_end(tmp_path: Path) -> None:
    text = "services:\n  web:\n    extends: {file: %s, service: web}\n    image: a:1\n"
    files = {"compose.yaml": text % "b.compose.yaml", "b.compose.yaml": text % "compose.yaml"}
    for path, each in {**CELERY, **WORKER, **files}.items():
        (tmp_path / path).write_text(each)

    assert (
        "worker"
        in compose_values(render(make_plan(detect(tmp_path)))["compose.yaml"].text)["services"]
    )


def test_a_base_is_beneath_though_it_says_less(tmp_path: Path) -> None:
    whole = "services:\n  web:\n    image: shop\n    build: .\n    command: gunicorn shop:app\n"
    files = {
        "docker-compose.base.yml": "services:\n  web:\n    environment: {ONE: '1'}\n",
        "docker-compose.dev.yml": whole,
        "docker-compose.prod.yml": whole,
    }
    generated(tmp_path, CELERY, WORKER, files)

    base = "docker compose -f docker-compose.base.yml"
    assert commands(tmp_path) == [
        f"{base} -f docker-compose.dev.yml up --build --watch",
        f"{base} -f docker-compose.prod.yml up --build --detach",
    ]
    for mode in ("dev", "prod"):
        told = services(tmp_path, f"docker-compose.{mode}.yml")["worker"]["environment"]
        assert told["ONE"] == "1"


def test_nothing_is_put_beside_a_worker_that_production_has(tmp_path: Path) -> None:
    """Its broker is where its own settings say."""
    own = "services:\n  worker:\n    build: .\n    command: celery -A shop worker\n"
    generated(tmp_path, CELERY, WORKER, {"compose.yaml": WHOLE, "compose.prod.yaml": own})

    assert (tmp_path / "compose.prod.yaml").read_text() == own
    assert services(tmp_path).keys() == {"web", "queue", "worker"}


def edited(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_a_worker_of_ours_that_was_changed_in_the_base_is_still_put_on_it(tmp_path: Path) -> None:
    generated(tmp_path, CELERY, {"Procfile": WORKER["Procfile"]}, ON_DESKS)
    top, kubernetes = "compose.prod.yaml", "kubernetes/worker.yaml"
    before = {path: (tmp_path / path).read_text() for path in (top, kubernetes)}

    edited(tmp_path / "compose.yaml", "start_period: 60s", "start_period: 90s")
    ok("sidecar", "generate", str(tmp_path), "--target", "all")

    assert {path: (tmp_path / path).read_text() for path in before} == before
    assert "start_period: 90s" in (tmp_path / "compose.yaml").read_text()
    edited(tmp_path / "compose.yaml", "--concurrency=2]", "--concurrency=2, -Q, slow]")
    ok("sidecar", "generate", str(tmp_path), "--target", "all")
    started = merged((tmp_path / "compose.yaml").read_text(), (tmp_path / top).read_text())
    worker = started["services"]["worker"]
    assert worker["command"][-1] == "slow", "an edit is heard, too"
    assert "user" not in worker
    assert "C_FORCE_ROOT" not in worker["environment"]
    assert "C_FORCE_ROOT" not in (tmp_path / kubernetes).read_text()


def test_a_broker_of_ours_that_was_changed_in_the_base_is_still_put_on_it(tmp_path: Path) -> None:
    generated(tmp_path, CELERY, {"Procfile": WORKER["Procfile"]}, ON_DESKS)
    before = (tmp_path / "compose.prod.yaml").read_text()

    edited(tmp_path / "compose.yaml", "everysec", "always")
    ok("sidecar", "generate", str(tmp_path))

    assert (tmp_path / "compose.prod.yaml").read_text() == before


def test_nothing_is_taken_out_without_a_word(tmp_path: Path) -> None:
    generated(tmp_path, CELERY, WORKER, {"compose.yaml": WHOLE})
    own = "\n  mail:\n    build: .\n    command: celery -A shop worker\n  queue:\n"
    edited(tmp_path / "compose.yaml", "\n  queue:\n", own)

    told = stoker("sidecar", "generate", str(tmp_path)).stderr

    assert services(tmp_path).keys() == {"web", "queue", "mail"}
    assert "line 15: service 'worker': nothing needs it here: taken out" in told


def test_a_secret_of_another_file_is_not_copied(tmp_path: Path) -> None:
    """Whether that is beneath, or a service there is extended: it is asked for."""
    common = "services:\n  app:\n    build: .\n    environment: {SIGN_KEY: devkeyABC123xyz}\n"
    base = WHOLE.replace("    build: .\n", "    extends: {file: common.yml, service: app}\n")
    files = {
        "common.yml": common,
        "docker-compose.base.yml": base.replace("for-a-desk", "devkeyDEF456uvw"),
        "docker-compose.dev.yml": PARTS % "desk",
        "docker-compose.prod.yml": PARTS % "live",
    }
    generated(tmp_path, CELERY, WORKER, files)

    for mode in ("dev", "prod"):
        told = services(tmp_path, f"docker-compose.{mode}.yml")["worker"]["environment"]
        assert told["SECRET_KEY"] == "${SECRET_KEY:?set it in .env}"
        assert told["SIGN_KEY"] == "${SIGN_KEY:?set it in .env}"


@pytest.mark.parametrize(
    "called", [{}, {"compose.yaml": "name: store\nservices:\n  web:\n    image: shop:1\n"}]
)
def test_a_clone_in_another_directory_is_the_same_project(
    tmp_path: Path, called: dict[str, str]
) -> None:
    generated(tmp_path / "shop", CELERY, WORKER, called)
    ok("sidecar", "generate", str(tmp_path / "shop"), "--target", "all")
    shutil.copytree(tmp_path / "shop", tmp_path / "shop-review-2")

    ok("sidecar", "generate", str(tmp_path / "shop-review-2"), "--target", "all", "--check")


def test_what_is_put_on_a_changed_service_stays_with_it(tmp_path: Path) -> None:
    generated(tmp_path, CELERY, {"Procfile": WORKER["Procfile"]}, ON_DESKS)
    top = tmp_path / "compose.prod.yaml"
    before = services(tmp_path, top.name)["worker"]
    edited(tmp_path / "compose.yaml", "start_period: 60s", "start_period: 90s")

    result = stoker("sidecar", "remove", str(tmp_path))

    assert services(tmp_path, top.name)["worker"] == before
    assert "service 'worker' is put on one that was changed elsewhere" in result.stderr
    ok("sidecar", "remove", str(tmp_path), "--force")
    assert "worker" not in services(tmp_path, top.name)
