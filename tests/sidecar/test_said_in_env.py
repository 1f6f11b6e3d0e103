"""What a project's own example of ``.env`` names reaches its workers, and no ``.env`` is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import render
from tests.sidecar.detect.test_programs import seen
from tests.sidecar.reading import compose_values, yaml_documents

WORKER = """import { Worker } from "bullmq";
const from = process.env.MAIL_FROM, key = process.env.STRIPE_KEY, port = process.env.PORT;
const own = process.env.NOWHERE_ELSE, search = process.env.SEARCH_URL, mode = process.env.NODE_ENV;
new Worker("mail", send, { connection: { url: process.env.REDIS_URL } });
"""
NODE = {
    "package.json": '{"dependencies":{"bullmq":"^5"},"scripts":{"worker":"node w.js"}}',
    "w.js": WORKER,
}
EXAMPLE = """REDIS_URL=redis://localhost:6379
MAIL_FROM=shop@example.org
SEARCH_URL=http://localhost:9200
STRIPE_KEY=
PORT=3000
NODE_ENV=development
READ_BY_NOBODY=1
"""


def made(tmp_path: Path, files: dict[str, str]) -> dict[str, str]:
    plan = make_plan(seen(tmp_path, files))
    targets = ("compose", "kubernetes")
    return {path: each.text for path, each in render(plan, targets=targets).items()}


def worker(texts: dict[str, str], path: str) -> dict[str, Any]:
    return compose_values(texts[path])["services"]["worker"]


@pytest.mark.parametrize("place", [".env.example", "config/example.env", ".env.sample"])
def test_what_an_example_names_and_the_source_reads_is_taken_from_env(
    tmp_path: Path, place: str
) -> None:
    texts = made(tmp_path, NODE | {place: EXAMPLE})

    for path in ("compose.yaml", "compose.prod.yaml"):
        environment = worker(texts, path)["environment"]
        assert list(environment) == ["MAIL_FROM", "REDIS_URL", "STRIPE_KEY"]
        assert environment["MAIL_FROM"] is None  # as .env says it; else the source has a default


def test_so_it_is_in_kubernetes_where_it_may_be_left_out(tmp_path: Path) -> None:
    texts = made(tmp_path, NODE | {".env.example": EXAMPLE})
    [deployment] = yaml_documents(texts["kubernetes/worker.yaml"])
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    asked = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in container["env"]}

    assert asked["MAIL_FROM"].get("optional") is True
    assert "optional" not in asked["STRIPE_KEY"]
    lines = texts["kubernetes/.env.example"].splitlines()
    assert "STRIPE_KEY=" in lines
    # An empty one would come before the source's own default.
    assert "# MAIL_FROM=" in lines
    assert "MAIL_FROM=" not in lines


def test_what_a_compose_file_gives_is_not_asked_for(tmp_path: Path) -> None:
    compose = "services:\n  worker:\n    build: .\n    command: node w.js\n    env_file: shop.env\n"
    files = NODE | {".env.example": EXAMPLE, "compose.yaml": compose, "Dockerfile": "FROM node\n"}
    texts = made(tmp_path, files)

    # Named without a value, what the file says would be unset.
    assert "MAIL_FROM" not in worker(texts, "compose.prod.yaml").get("environment", {})


@pytest.mark.parametrize(
    ("script", "command"),
    [
        ("node --env-file=.env w.js", ["node", "w.js"]),
        ("node --env-file .env.local --enable-source-maps w.js",
         ["node", "--enable-source-maps", "w.js"]),
        ("node --env-file-if-exists=.env w.js", ["node", "w.js"]),
    ],
)  # fmt: skip
def test_no_command_reads_a_file_that_its_image_has_not(
    tmp_path: Path, script: str, command: list[str]
) -> None:
    files = {"package.json": NODE["package.json"].replace("node w.js", script)}
    texts = made(tmp_path, NODE | files)

    assert worker(texts, "compose.yaml")["command"] == command
    assert worker(texts, "compose.prod.yaml")["command"] == command
    assert "--env-file" not in texts["Dockerfile"] + texts["kubernetes/worker.yaml"]


def test_nor_does_one_that_had_it_from_the_host(tmp_path: Path) -> None:
    start = "node --env-file=.env w.js"
    compose = f"services:\n  jobs:\n    build: .\n    command: {start}\n    volumes: ['.:/app']\n"
    texts = made(tmp_path, NODE | {"compose.yaml": compose, "Dockerfile": "FROM node\n"})

    service = compose_values(texts["compose.prod.yaml"])["services"]["jobs"]
    assert service["command"] == ["node", "w.js"]


def test_what_an_image_starts_by_itself_is_left_to_it(tmp_path: Path) -> None:
    start = "node --env-file=.env w.js"
    package = {"package.json": '{"dependencies":{"bullmq":"^5"}}'}
    texts = made(tmp_path, NODE | package | {"Dockerfile": f"FROM node\nCOPY . .\nCMD {start}\n"})

    assert worker(texts, "compose.prod.yaml")["command"] == start.split()
