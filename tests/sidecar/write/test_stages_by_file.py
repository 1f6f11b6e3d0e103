"""A worker is built in each compose file as the app is there: its stage, its arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import render
from tests.sidecar.detect.test_programs import seen
from tests.sidecar.reading import compose_values

WORKS = 'import { Worker } from "bullmq";\nnew Worker("mail", send, { connection });\n'
SERVES = 'import express from "express";\nexpress().listen(3000);\n'
SHOP = {
    "package.json": '{"scripts":{"start":"node dist/main.js","worker":"node dist/worker.js",'
    '"dev:worker":"tsx watch src/worker.ts"},"dependencies":{"bullmq":"^5","express":"^5"}}',
    "src/main.ts": SERVES,
    "src/worker.ts": WORKS,
}
STAGES = """FROM node:22 AS base
WORKDIR /srv
FROM base AS {dev}
COPY . .
FROM {dev} AS build
RUN npm run build
FROM base AS {last}
COPY --from=build /srv /srv
CMD node dist/main.js
"""
DEV = "services:\n  api:\n    build: {context: ., target: %s}\n    command: npm start\n"
MONO: dict[str, str] = {
    "package.json": '{"workspaces":["apps/*"]}',
    "package-lock.json": "{}",
    "apps/api/package.json": '{"name":"@shop/api","scripts":{"start":"node dist/main.js"},'
    '"dependencies":{"express":"^5"}}',
    "apps/api/src/main.ts": SERVES,
    "apps/jobs/package.json": '{"name":"@shop/jobs","scripts":{"start":"node dist/main.js",'
    '"dev":"tsx watch src/main.ts"},"dependencies":{"bullmq":"^5"}}',
    "apps/jobs/src/main.ts": WORKS,
    "Dockerfile": "FROM node:22 AS dev\nWORKDIR /repo\nCOPY . .\nFROM node:22 AS runner\nARG APP\n"
    "COPY --from=dev /repo/apps/${APP} /repo/apps/${APP}\nWORKDIR /repo/apps/${APP}\n"
    "CMD node dist/main.js\n",
    "compose.yaml": "services:\n  api:\n    build: {context: ., target: dev}\n"
    "    command: npm start -w @shop/api\n    volumes:\n      - .:/repo\n"
    "      - /repo/node_modules\n      - /repo/apps/api/node_modules\n",
}
ON_TOP = "services:\n  api:\n    build: {target: runner, args: {APP: %s}}\n    volumes: !reset []\n"


def texts(tmp_path: Path, files: dict[str, str]) -> dict[str, str]:
    plan = make_plan(seen(tmp_path, files))
    targets = ("compose", "kubernetes")
    return {path: each.text for path, each in render(plan, targets).items()}


def worker(made: dict[str, str], path: str) -> dict[str, Any]:
    return compose_values(made[path])["services"]["worker"]


def targets(tmp_path: Path, files: dict[str, str]) -> list[str]:
    made = texts(tmp_path, SHOP | files)
    paths = ("compose.prod.yaml", "compose.yaml")
    return [worker(made, path)["build"].get("target", "") for path in paths]


@pytest.mark.parametrize("dev", ["dev", "development", "local", "node-dev"])
def test_what_is_only_for_development_is_not_deployed(tmp_path: Path, dev: str) -> None:
    files = {"Dockerfile": STAGES.format(dev=dev, last="runner"), "compose.yaml": DEV % dev}

    assert targets(tmp_path, files) == ["", dev]  # production, development


def test_another_stage_is_deployed_as_it_is(tmp_path: Path) -> None:
    files = {"Dockerfile": STAGES.format(dev="full", last="slim"), "compose.yaml": DEV % "full"}
    assert targets(tmp_path / "a", files) == ["full", "full"]

    files = {"Dockerfile": "FROM node:22 AS dev\nCOPY . .\n", "compose.yaml": DEV % "dev"}
    assert targets(tmp_path / "b", files) == ["dev", "dev"]


def test_a_file_for_production_says_the_stage_itself(tmp_path: Path) -> None:
    deployed = "services:\n  api:\n    build: {context: ., target: %s}\n    command: npm start\n"
    files = {"Dockerfile": STAGES.format(dev="dev", last="runner"), "compose.yaml": DEV % "dev"}

    made = targets(tmp_path, files | {"compose.prod.yaml": deployed % "build"})
    assert made == ["build", "dev"]


@pytest.mark.parametrize(
    ("said", "own"), [("api", "jobs"), ("'@shop/api'", "@shop/jobs"), ("apps/api", "apps/jobs")]
)
def test_an_argument_names_the_workers_own_member(tmp_path: Path, said: str, own: str) -> None:
    made = texts(tmp_path, MONO | {"compose.prod.yaml": ON_TOP % said})
    dev, prod = worker(made, "compose.yaml"), worker(made, "compose.prod.yaml")

    assert (dev["build"]["target"], dev["working_dir"]) == ("dev", "/repo/apps/jobs")
    assert prod["build"] == {"target": "runner", "args": {"APP": own}}
    assert "workingDir" not in made["kubernetes/worker.yaml"]
    # Where that stage starts what it is told, its own WORKDIR says.
    assert "working_dir: !reset null" in made["compose.prod.yaml"]


def test_another_argument_is_what_it_is(tmp_path: Path) -> None:
    made = texts(tmp_path, MONO | {"compose.prod.yaml": ON_TOP % "22"})

    assert worker(made, "compose.prod.yaml")["build"]["args"] == {"APP": "22"}


def test_packages_are_kept_in_its_own_directory(tmp_path: Path) -> None:
    named = "      - api_modules:/repo/apps/api/.cache\nvolumes: {api_modules: }\n"
    made = texts(tmp_path, MONO | {"compose.yaml": MONO["compose.yaml"] + named})

    assert worker(made, "compose.yaml")["volumes"] == [
        ".:/repo", "/repo/node_modules", "/repo/apps/jobs/node_modules", "/repo/apps/jobs/.cache",
    ]  # fmt: skip
