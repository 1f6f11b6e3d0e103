"""A worker in TypeScript, in development: an edit of its source is what it runs next."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import render
from tests.cli.support import ok
from tests.sidecar.reading import compose_values

SOURCE = "src/workers/mail.ts"
WORKER = 'import { Worker } from "bullmq";\nnew Worker("mail", async (job) => job.data);\n'


def dev_worker(root: Path, package: dict[str, Any], lock: str = "") -> tuple[list[str], str]:
    """Write a project; return what its worker starts in development, and what an edit does."""
    scripts = {"build": "tsc", **package.get("scripts", {})}
    needs = {"bullmq": "^5.0.0", "express": "^5.0.0"}
    data = {"name": "b", "dependencies": needs, **package, "scripts": scripts}
    (root / "package.json").write_text(json.dumps(data))
    (root / "src" / "workers").mkdir(parents=True)
    (root / SOURCE).write_text(WORKER)
    (root / "src" / "server.ts").write_text('import e from "express";\ne().listen(3000);\n')
    if lock:
        (root / lock).write_text("")
    text = render(make_plan(detect(root)), modes=["dev"])["compose.yaml"].text
    worker = compose_values(text)["services"]["worker"]
    [action] = [w["action"] for w in worker["develop"]["watch"] if w["path"] == "."]
    return worker["command"], action


@pytest.mark.parametrize(
    ("script", "runner", "action"),
    [
        ("tsx watch src/server.ts", ["tsx", "watch"], "sync"),
        ("NODE_ENV=development tsx src/server.ts", ["tsx"], "sync+restart"),
        ("npx tsx --watch src/server.ts", ["tsx", "--watch"], "sync"),
        (
            "ts-node-dev --respawn --transpile-only src/server.ts",
            ["ts-node-dev", "--respawn", "--transpile-only"],
            "sync",
        ),
        (
            "ts-node -r tsconfig-paths/register src/server.ts",
            ["ts-node", "-r", "tsconfig-paths/register"],
            "sync+restart",
        ),
        (
            'nodemon --exec "ts-node -r tsconfig-paths/register src/server.ts"',
            ["nodemon", "--exec", "ts-node -r tsconfig-paths/register"],
            "sync",
        ),
        (
            "nodemon --watch src --ext ts --exec tsx src/server.ts",
            ["nodemon", "--watch", "src", "--ext", "ts", "--exec", "tsx"],
            "sync",
        ),
        ("npx nodemon -x 'npx tsx src/server.ts'", ["nodemon", "-x", "tsx"], "sync"),
    ],
)
def test_it_runs_from_its_source_as_the_projects_own_scripts_do(
    script: str, runner: list[str], action: str, tmp_path: Path
) -> None:
    *words, last = runner
    started = [*words, f"{last} {SOURCE}"] if "nodemon" in words else [*runner, SOURCE]
    assert dev_worker(tmp_path, {"scripts": {"dev": script}}) == (started, action)


def test_what_a_watcher_runs_stays_one_word(tmp_path: Path) -> None:
    """Nodemon gives it to a shell, in which a file's name is no more than that."""
    script = 'nodemon --exec "tsx src/server.ts" --signal SIGTERM'
    package = {"scripts": {"dev": script, "worker": "node 'dist/workers/mail.js' '--name=a b'"}}

    command, _ = dev_worker(tmp_path, package)

    assert command == ["nodemon", "--exec", f"tsx {SOURCE} '--name=a b'"]


@pytest.mark.parametrize(
    ("package", "lock", "runner"),
    [
        ({"devDependencies": {"tsx": "^4.0.0"}}, "", ["tsx"]),
        ({"devDependencies": {"ts-node": "^10.0.0"}}, "", ["ts-node"]),
        ({}, "bun.lock", ["bun"]),
    ],
    ids=["tsx", "ts-node", "bun"],
)
def test_it_runs_from_its_source_by_what_is_installed(
    package: dict[str, Any], lock: str, runner: list[str], tmp_path: Path
) -> None:
    assert dev_worker(tmp_path, package, lock) == ([*runner, SOURCE], "sync+restart")


@pytest.mark.parametrize(
    "package",
    [{}, {"type": "module", "devDependencies": {"ts-node": "^10.0.0"}}],
    ids=["none", "ts-node where it needs settings"],
)
def test_where_nothing_runs_its_source_an_edit_builds_it_anew(
    package: dict[str, Any], tmp_path: Path
) -> None:
    assert dev_worker(tmp_path, package) == (["node", "dist/workers/mail.js"], "rebuild")


@pytest.mark.parametrize(
    "package",
    [
        {"devDependencies": {"tsx": "^4.0.0"}},
        {"devDependencies": {"ts-node": "^10.0.0"}},
        {"devDependencies": {"ts-node-dev": "^2.0.0"}},
        {"scripts": {"dev": "ts-node src/server.ts", "start": "node dist/server.js"}},
        {"scripts": {"dev": "nodemon --exec ts-node src/server.ts"}},
        {"scripts": {"dev": "tsx watch src/server.ts"}},
    ],
    ids=["tsx", "ts-node", "ts-node-dev", "as the app", "nodemon", "watching"],
)
def test_the_script_that_is_added_changes_nothing_the_next_time(
    package: dict[str, Any], tmp_path: Path
) -> None:
    """It is for development by its name, and no evidence of what production starts."""
    command, _ = dev_worker(tmp_path, package)

    ok("sidecar", "generate", str(tmp_path), "--scripts")
    scripts = json.loads((tmp_path / "package.json").read_text())["scripts"]
    assert scripts["dev:worker"] == shlex.join(command)

    ok("sidecar", "generate", str(tmp_path), "--scripts", "--check")
    [worker] = make_plan(detect(tmp_path)).services
    assert worker.command == ("node", "dist/workers/mail.js")


def test_a_script_that_starts_its_source_anew_is_taken_with_what_does(tmp_path: Path) -> None:
    watching = "nodemon --watch src --exec 'ts-node src/workers/mail.ts'"

    command, action = dev_worker(tmp_path, {"scripts": {"worker:watch": watching}})

    assert (command, action) == (shlex.split(watching), "sync")
