"""A worker in a person's compose file gets what their app has there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from stoker.sidecar.detect import detect
from stoker.sidecar.plan import Plan, project_of
from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import render
from stoker.sidecar.values import Given
from stoker.sidecar.write import decide
from tests.cli.support import ok
from tests.sidecar.hostile import ATTACKS
from tests.sidecar.plans import CELERY
from tests.sidecar.projects_expected import PROJECTS
from tests.sidecar.reading import compose_values


@pytest.fixture
def generated(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    project = tmp_path / "shop"
    shutil.copytree(PROJECTS / request.param, project)
    ok("sidecar", "generate", str(project))
    return project


def services(project: Path, file: str) -> dict[str, dict[str, Any]]:
    return compose_values((project / file).read_text())["services"]


@pytest.mark.parametrize("generated", ["celery-app-settings"], indirect=True)
@pytest.mark.parametrize("name", ["worker", "scheduler"])
def test_a_new_worker_has_what_the_app_has(generated: Path, name: str) -> None:
    found = services(generated, "compose.yaml")

    app, worker = found["web"], found[name]
    assert worker["env_file"] == [app["env_file"]]
    for key in ("environment", "networks", "volumes"):
        assert worker[key] == app[key]
    awaited = {need: how["condition"] for need, how in worker["depends_on"].items()}
    assert awaited == {"redis": "service_started", "db": "service_healthy"}
    assert "ports" not in worker


@pytest.mark.parametrize("generated", ["celery-app-settings"], indirect=True)
def test_in_production_the_broker_asks_for_the_password_that_the_worker_has(
    generated: Path,
) -> None:
    found = services(generated, "compose.prod.yaml")

    password = "${REDIS_PASSWORD:?set it in .env}"
    address = f"redis://:{password}@redis:6379/3"
    assert found["worker"]["environment"]["CELERY_BROKER_URL"] == address
    assert found["redis"]["command"][-2:] == ["--requirepass", password]
    assert found["redis"]["environment"] == {"REDISCLI_AUTH": password}
    assert found["redis"]["image"] == "redis:6.2"
    assert "s3cret" not in (generated / "compose.prod.yaml").read_text()
    assert "REDIS_PASSWORD=" in (generated / ".env.example").read_text()


@pytest.mark.parametrize("generated", ["celery-own-settings"], indirect=True)
def test_in_production_a_worker_keeps_its_own_settings_and_secrets_are_the_operators(
    generated: Path,
) -> None:
    found = services(generated, "compose.prod.yaml")

    worker = found["worker"]
    assert worker["env_file"] == [".env", {"path": "worker.env", "required": False}]
    assert worker["environment"] == {
        "CELERY_BROKER_URL": "redis://redis:6379/3",
        "DATABASE_URL": "${DATABASE_URL:?set it in .env}",
        "MAIL_FROM": "${MAIL_FROM:-shop@example.org}",
        "RENDER_QUALITY": "90",
    }
    assert set(worker["depends_on"]) == {"redis"}, "the others are not in this file"
    assert found["redis"]["image"] == "redis:7"
    assert "DATABASE_URL=" in (generated / ".env.example").read_text()


@pytest.mark.parametrize("attack", ATTACKS)
def test_whatever_it_holds_it_stays_a_value(attack: str) -> None:
    given = Given(
        path="compose.yaml",
        service=attack,
        env_file={attack: False},
        environment={"A": attack},
        networks=(attack,),
    )
    [worker, *others] = CELERY.services
    plan = msgspec.structs.replace(
        CELERY,
        compose_files=("compose.yaml",),
        services=(msgspec.structs.replace(worker, given=(given,)), *others),
    )
    text = "services:\n  web:\n    image: a:1\n"

    [change] = decide(
        {"compose.yaml": render(plan, modes=["dev"])["compose.yaml"]},
        {"compose.yaml": text},
        force=False,
    )

    made = yaml.safe_load(change.after or "")["services"]["worker"]
    assert made["environment"]["A"] == attack
    assert made["env_file"] == [{"path": attack, "required": False}]
    assert attack in made["networks"]


DIGEST = 4 * "0123456789abcdef"


def _planned(tmp_path: Path, redis: str, url: str) -> Plan:
    (tmp_path / "requirements.txt").write_text("celery[redis]\n")
    (tmp_path / "tasks.py").write_text(
        'import os\nfrom celery import Celery\napp = Celery("t", broker=os.environ["BROKER_URL"])\n'
    )
    (tmp_path / "compose.yaml").write_text(
        f"services:\n  redis:\n    image: {redis}\n  worker:\n    build: .\n"
        f"    command: celery -A tasks worker\n    environment:\n      - BROKER_URL={url}\n"
    )
    return make_plan(detect(tmp_path))


@pytest.mark.parametrize(
    ("image", "kept"),
    [
        ("redis:7", "redis:7"),
        ("redis:${TAG:-6.2}", "redis:6.2"),
        ("redis", "redis:7-alpine"),
        ("valkey/valkey:8", "valkey/valkey:8"),
        (f"valkey/valkey:8@sha256:{DIGEST}", f"valkey/valkey:8@sha256:{DIGEST}"),
        (f"redis:8@sha256:{DIGEST[1:]}", "redis:7-alpine"),
        (f"redis:8@sha256:{DIGEST}@x", "redis:7-alpine"),
        ("example/redis-with-more:1", "redis:7-alpine"),
    ],
)
def test_the_projects_own_image_is_kept_where_it_is_used_alike(
    tmp_path: Path, image: str, kept: str
) -> None:
    [store] = _planned(tmp_path, image, "redis://redis/1").stores

    assert store.image == kept


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("redis://redis:6379/3", "redis://redis:6379/3"),
        ("redis://:${REDIS_PASSWORD}@redis:6379/3", "redis://:app@redis:6379/3"),
        ("redis://${HOST}:6379/3", "redis://redis:6379/0"),
        ("redis://[::1", "redis://redis:6379/0"),
    ],
)
def test_an_address_is_known_as_far_as_it_is_written(tmp_path: Path, url: str, known: str) -> None:
    plan = _planned(tmp_path, "redis:7", url)

    [store] = plan.stores
    assert store.variables == {"BROKER_URL": known}
    [worker] = plan.services
    assert worker.given[0].environment == {"BROKER_URL": url}


STORED = """\
services:
  web:
    build: .
    command: gunicorn shop:app
    volumes: [.:/srv/app, media:/srv/media:rw, modules:/srv/app/node_modules, "${PLACE}:/srv/b"]
volumes:
  media:
  modules:
"""
SHOP = {
    "requirements.txt": "celery[redis]\n",
    "shop.py": "import os\nfrom celery import Celery\n"
    'app = Celery("s", broker=os.environ["B_URL"])\n',
    "Procfile": "worker: celery -A shop worker\n",
    "Dockerfile": "FROM python:3.13\n",
}


def written(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).write_text(text)
    ok("sidecar", "generate", str(root))


def test_what_people_put_on_a_volume_is_there_in_production(tmp_path: Path) -> None:
    written(tmp_path, SHOP | {"compose.yaml": STORED})

    made = compose_values((tmp_path / "compose.prod.yaml").read_text())
    assert made["services"]["worker"]["volumes"] == ["media:/srv/media:rw"]
    assert made["volumes"].keys() == {"media", "redis-data"}


def test_a_file_for_production_says_which_volumes_its_worker_has(tmp_path: Path) -> None:
    own = STORED.replace(".:/srv/app", "/mnt/shop:/srv/shop")
    written(tmp_path, SHOP | {"compose.yaml": STORED, "compose.prod.yaml": own})

    made = compose_values((tmp_path / "compose.prod.yaml").read_text())
    app = made["services"]["web"]["volumes"]
    assert made["services"]["worker"]["volumes"] == app
    assert made["volumes"].keys() == {"media", "modules", "redis-data"}


def test_a_file_for_production_without_the_app_gets_the_volume(tmp_path: Path) -> None:
    proxy = "services:\n  proxy:\n    image: nginx:1\n"
    written(tmp_path, SHOP | {"compose.yaml": STORED, "compose.prod.yaml": proxy})

    made = compose_values((tmp_path / "compose.prod.yaml").read_text())
    assert made["services"]["worker"]["volumes"] == ["media:/srv/media:rw"]
    assert made["volumes"].keys() == {"media", "redis-data"}


def test_the_app_is_told_how_it_gets_to_the_broker_in_production(tmp_path: Path) -> None:
    for path, text in SHOP.items():
        (tmp_path / path).write_text(text)

    told = ok("sidecar", "generate", str(tmp_path))

    name = project_of(make_plan(detect(tmp_path), tmp_path.name))
    lines = [
        f"it joins the network {name}_default, and is told",
        "  CELERY_BROKER_URL=redis://redis:6379/0",
    ]
    file = (tmp_path / "compose.prod.yaml").read_text()
    assert all(line in file and line in told for line in lines)
    assert compose_values(file)["name"] == name


def test_the_app_is_not_told_what_stands_beside_it(tmp_path: Path) -> None:
    written(tmp_path, SHOP | {"compose.yaml": STORED, "compose.prod.yaml": STORED})

    assert "is told" not in (tmp_path / "compose.prod.yaml").read_text()
