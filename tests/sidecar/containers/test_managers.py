"""Each package manager's Dockerfile builds, and what it installed is there for the worker.

Bundler's, Go's and Cargo's are built by the projects whose workers are run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from stoker.sidecar.plan import Image, Plan, Service
from tests.sidecar.containers.engine import Engine
from tests.sidecar.containers.stack import Project, Stack

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

PYPROJECT = """\
[project]
name = "shop"
version = "1.0.0"
requires-python = ">=3.11"
dependencies = ["redis"]
"""
SIMPLE = f"""
[[tool.poetry.source]]
name = "simple"
url = "https://{"py" + "pi.org"}/simple/"
priority = "primary"
"""
"""What is reached from here answers in this way only."""
PIPFILE = '[packages]\nredis = "*"\n'
PACKAGE = json.dumps(
    {"name": "shop", "dependencies": {"ioredis": "^5"}, "scripts": {"build": "ls"}}
)
PYTHON = ("python", "-c", "import redis, sys; print('there', sys.prefix)")
NODE = ("node", "-e", "require('ioredis'); console.log('there')")
BASES = {"node": "node:20-slim", "python": "python:3.13-slim"}
TOOL = "python -m venv /tmp/tool && PATH=/tmp/tool/bin:$PATH && pip install "


class Case(NamedTuple):
    manager: str
    files: dict[str, str]
    lock: str
    """The shell line that makes the lock."""
    locked: str = ""
    generation: str = ""

    @property
    def language(self) -> str:
        return "node" if "package.json" in self.files else "python"


CASES = [
    Case("pip", {"requirements.txt": "redis\n"}, ""),
    Case("uv", {"pyproject.toml": PYPROJECT}, TOOL + "uv==0.13.9 && uv lock", "uv.lock"),
    Case(
        "pdm",
        {"pyproject.toml": PYPROJECT},
        TOOL + "pdm==2.29.4 hishel==1.4.0 && pdm lock && rm -rf .venv",
        "pdm.lock",
    ),
    Case(
        "pipenv",
        {"Pipfile": PIPFILE},
        TOOL + "pipenv==2026.10.3 && pipenv lock",
        "Pipfile.lock",
    ),
    Case(
        "poetry",
        {"pyproject.toml": PYPROJECT + SIMPLE},
        TOOL + "poetry==2.5.1 && poetry lock",
        "poetry.lock",
    ),
    Case("npm", {"package.json": PACKAGE}, "npm install --package-lock-only", "package-lock.json"),
    Case(
        "pnpm",
        {"package.json": PACKAGE},
        "npm install --global pnpm@10.34.8 && pnpm install --lockfile-only",
        "pnpm-lock.yaml",
    ),
    Case(
        "yarn",
        {"package.json": PACKAGE},
        "npm install --global yarn@1.22.22 && yarn install",
        "yarn.lock",
    ),
    Case(
        "yarn",
        {"package.json": PACKAGE, ".yarnrc.yml": "nodeLinker: node-modules\n"},
        "npm install --global @yarnpkg/cli-dist@4.18.1 && yarn install --mode=skip-build",
        "yarn.lock",
        "berry",
    ),
    Case("bun", {"package.json": PACKAGE}, "bun install --lockfile-only", "bun.lock"),
]


@pytest.fixture
def stack(engine: Engine, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    case: Case = request.param
    source = tmp_path / "source"
    source.mkdir()
    for name, text in case.files.items():
        (source / name).write_text(text)
    base = "oven/bun:1-slim" if case.manager == "bun" else BASES[case.language]
    if case.lock:
        mount = f"{source}:/work"
        words = ["run", "--rm", "--network", "host", "--volume", mount, "--workdir", "/work"]
        engine.need(base)
        engine.docker(*words, base, "sh", "-c", f"CI=1 {case.lock}", seconds=400)
    made = Stack(engine, Project(f"with-{case.manager}", source, (), plan(case)), tmp_path)
    made.generate()
    yield made
    made.down()


def plan(case: Case) -> Plan:
    node = case.language == "node"
    image = Image(
        name=case.manager,
        context=".",
        language="node" if node else "python",
        manager=case.manager,
        version="1" if case.manager == "bun" else "20" if node else "3.13",
        manifests=(*case.files, *([case.locked] if case.locked else [])),
        build=(case.manager, "run", "build") if node else (),
    )
    command = NODE if node else PYTHON
    worker = Service(
        name="worker", role="worker", framework=None, image=case.manager, command=command
    )
    return Plan(name=f"with-{case.manager}", images=(image,), services=(worker,))


@pytest.mark.parametrize(
    "stack",
    [pytest.param(case, id=case.generation or case.manager) for case in CASES],
    indirect=True,
)
def test_what_the_worker_needs_is_in_its_image(stack: Stack) -> None:
    stack.compose("build", seconds=600)

    shown = stack.compose("run", "--rm", "worker")

    assert "there" in shown
