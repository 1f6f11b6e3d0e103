"""A database that no container is written for: in production the operator says where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import TARGETS, render
from tests.sidecar.detect.test_programs import seen
from tests.sidecar.detect.test_redis_clients import NODE, WORKER
from tests.sidecar.reading import compose_values

COMPOSE = """\
services:
  api:
    build: .
    command: node server.js
    environment: {{REDIS_URL: 'redis://redis', MYSQL_PORT: '3306', {}}}
  redis: {{image: 'redis:7'}}
  store: {{image: 'example/store:1'}}
"""
APP = {
    "Dockerfile": "FROM node:22\n",
    "server.js": "require('express')().listen(3000);\n",
    "worker.js": f"{WORKER}new Worker('mail', run, {{ connection: process.env.REDIS_URL }});\n"
    "open(process.env.MONGO_URL, process.env.MYSQL_HOST, process.env.MYSQL_PORT);\n",
}
ASKED = "${{{}:?set it in .env}}"


def made(tmp_path: Path, told: str, more: dict[str, str] | None = None) -> dict[str, Any]:
    files = NODE | APP | {"compose.yaml": COMPOSE.format(told)} | (more or {})
    plan = make_plan(seen(tmp_path, files), "shop")
    texts = {path: each.text for path, each in render(plan, TARGETS).items()}
    found = {
        path: compose_values(texts[path])["services"]["worker"]["environment"]
        for path in ("compose.yaml", "compose.prod.yaml")
        if path in texts
    }
    return found | {
        "texts": texts,
        "notes": [note for note in plan.notes if "localhost" not in note],
        "keys": texts["kubernetes/.env.example"].split(),
        "config": texts["kubernetes/worker.yaml"],
    }


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("MONGO_URL", "mongodb://store:27017/shop"),
        ("MYSQL_HOST", "store"),
        ("MONGO_URL", "mongodb://u:p@store/shop?authSource=admin"),
    ],
)
def test_what_leads_to_a_service_of_development_is_asked_for_in_production(
    tmp_path: Path, name: str, address: str
) -> None:
    found = made(tmp_path, f"{name}: '{address}'")

    assert found["compose.yaml"][name] == address
    assert found["compose.prod.yaml"][name] == ASKED.format(name)
    assert found["compose.prod.yaml"]["MYSQL_PORT"] == "3306"
    assert f"{name}=" in found["keys"]
    assert address not in found["config"]
    assert any(note.startswith("compose.yaml: store") and name in note for note in found["notes"])


def test_what_leads_elsewhere_already_stays(tmp_path: Path) -> None:
    address = "mongodb+srv://cluster.example.net/shop"
    found = made(tmp_path, f"MONGO_URL: {address}")

    assert found["compose.prod.yaml"]["MONGO_URL"] == address
    assert not any("MONGO_URL" in note for note in found["notes"])


def test_a_note_says_what_nobody_tells(tmp_path: Path) -> None:
    found = made(tmp_path, "PORT: '3000'")

    [mongo, mysql] = found["notes"]
    assert mongo.startswith("worker.js:")
    assert "MONGO_URL" in mongo
    assert "MYSQL_HOST" in mysql


OF_POSTGRES = {
    "package.json": '{"dependencies": {"bullmq": "^5", "pg": "^8"}}',
    "worker.js": f"{APP['worker.js']}require('pg').connect(process.env.DATABASE_URL);\n",
}
MAY_BE_OURS = {".env.example": "DATABASE_URL=postgresql://shop:shop@postgres:5432/shop\n"}


@pytest.mark.parametrize(
    "text", ["", "'${DATABASE_URL}'", "$DATABASE_URL", "'${DATABASE_URL:?say}'"]
)
def test_where_the_app_has_its_database_from_env_its_workers_have_it_too(
    tmp_path: Path, text: str
) -> None:
    files = OF_POSTGRES | {
        ".gitignore": ".env\n",
        ".env": "DATABASE_URL=postgres://x.example.com\n",
    }
    found = made(tmp_path, f"DATABASE_URL: {text}", files)

    assert found["compose.yaml"]["DATABASE_URL"] == (text.strip("'") or None)
    assert found["compose.prod.yaml"]["DATABASE_URL"] == ASKED.format("DATABASE_URL")
    assert "DATABASE_URL=" in found["keys"]
    for path in ("compose.yaml", "compose.prod.yaml"):
        assert "image: postgres" not in found["texts"][path]


@pytest.mark.parametrize(
    ("told", "more"),
    [
        ("PORT: '3000'", {}),
        ("DATABASE_URL: '${DATABASE_URL}'", MAY_BE_OURS),
        ("DATABASE_URL: '${DATABASE_URL:-postgresql://shop@postgres/shop}'", {}),
    ],
)
def test_one_of_ours_is_added_where_it_may_be_the_one_that_is_meant(
    tmp_path: Path, told: str, more: dict[str, str]
) -> None:
    found = made(tmp_path, told, OF_POSTGRES | more)

    assert "image: postgres" in found["texts"]["compose.yaml"]
    assert "@postgres" in found["compose.prod.yaml"]["DATABASE_URL"]
