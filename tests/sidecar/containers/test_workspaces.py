"""A worker that is a member of a workspace: its image has it, what it was built to, and its kin."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.sidecar.containers.engine import Engine
from tests.sidecar.containers.stack import Project, Stack

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

WORKER = {
    "name": "@shop/worker",
    "private": True,
    "scripts": {"build": "tsc -p .", "start": "node dist/index.js"},
    "dependencies": {"bullmq": "5.61.0"},
    "devDependencies": {"typescript": "5.9.3"},
}
SOURCE = """\
const { Worker } = require("bullmq");
const { QUEUE } = require("@shop/queue");
new Worker(QUEUE, async () => {}, { connection: { url: process.env.REDIS_URL } });
"""
SETTINGS = {
    "compilerOptions": {"outDir": "dist", "allowJs": True, "noCheck": True, "types": []},
    "include": ["src"],
}
MEMBER = """\
[project]
name = "{name}"
version = "1.0.0"
requires-python = ">=3.13"
dependencies = {needs}

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""
ROOT = {"name": "shop", "private": True, "engines": {"node": "20"}}
WORKSPACES = ["apps/*", "libs/*"]


def node(version: str, root: Mapping[str, object], **more: str) -> dict[str, str]:
    worker = WORKER | {"dependencies": {"bullmq": "5.61.0", "@shop/queue": version}}
    return more | {
        "package.json": json.dumps(root),
        "apps/worker/package.json": json.dumps(worker),
        "apps/worker/tsconfig.json": json.dumps(SETTINGS),
        "apps/worker/src/index.js": SOURCE,
        "libs/queue/package.json": '{"name": "@shop/queue", "version": "1.0.0"}',
        "libs/queue/index.js": 'exports.QUEUE = "mail";\n',
    }


PYTHON = {
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.13"\n'
    '[tool.uv.workspace]\nmembers = ["apps/*", "libs/*"]\n',
    "apps/worker/pyproject.toml": MEMBER.format(name="shop-worker", needs='["rq", "shop-core"]')
    + "[tool.uv.sources]\nshop-core = { workspace = true }\n",
    "apps/worker/shop_worker/__init__.py": "import shop_core\n",
    "apps/worker/Procfile": "worker: rq worker mail\n",
    "libs/core/pyproject.toml": MEMBER.format(name="shop-core", needs="[]"),
    "libs/core/shop_core/__init__.py": "",
}
BUILT = "require('@shop/queue'); require('fs').statSync('dist/index.js'); console.log('there')"


class Case(NamedTuple):
    manager: str
    files: dict[str, str]
    base: str
    lock: str
    look: tuple[str, ...]


CASES = [
    Case(
        "npm",
        node("*", ROOT | {"workspaces": WORKSPACES}),
        "node:20-slim",
        "npm install --package-lock-only",
        ("node", "-e", BUILT),
    ),
    Case(
        "pnpm",
        node("workspace:*", ROOT, **{"pnpm-workspace.yaml": f"packages: {WORKSPACES}\n"}),
        "node:20-slim",
        "npm install --global pnpm@10.34.8 && pnpm install --lockfile-only",
        ("node", "-e", BUILT),
    ),
    Case(
        "uv",
        PYTHON,
        "python:3.13-slim",
        "python -m venv /tmp/tool && /tmp/tool/bin/pip install uv==0.13.9 && /tmp/tool/bin/uv lock",
        ("python", "-c", "import rq, shop_core, shop_worker; print('there')"),
    ),
]


@pytest.fixture
def stack(engine: Engine, case: Case, tmp_path: Path) -> Iterator[Stack]:
    source = tmp_path / "source"
    for name, text in case.files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    where = ("--volume", f"{source}:/work", "--workdir", "/work", "--network", "host")
    engine.need(case.base)
    engine.docker("run", "--rm", *where, case.base, "sh", "-c", f"CI=1; {case.lock}", seconds=400)
    made = Stack(engine, Project(f"{case.manager}-workspace", source, ()), tmp_path)
    made.generate()
    yield made
    made.down()


@pytest.mark.parametrize("case", [pytest.param(case, id=case.manager) for case in CASES])
def test_a_member_has_what_it_needs(stack: Stack, case: Case) -> None:
    stack.compose("build", seconds=600)

    shown = stack.compose("run", "--rm", "--no-deps", "worker", *case.look)

    assert "there" in shown
    stack.compose("up", "--detach")
    stack.wait_for_workers(1)
