"""Programs of Node that are told what to work on, or what to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_node_programs import MAKES, node
from tests.sidecar.detect.test_programs import commands, seen

ASKS = (
    'import { Worker } from "bullmq";\nconst [name] = process.argv.slice(2);\n'
    "new Worker(name, send);\n"
)


def test_a_program_that_is_told_its_queue_is_one_worker_for_each(tmp_path: Path) -> None:
    scripts = '"work:mail": "node work.js mail", "work:file": "node work.js file"'

    assert commands(node(tmp_path, {"work.js": ASKS}, scripts)) == [
        "node work.js mail", "node work.js file",
    ]  # fmt: skip

    same = ASKS.replace("process.argv.slice(2)", "names")
    assert len(node(tmp_path, {"work.js": same}, scripts).units) == 1


def test_what_a_program_has_to_be_told_is_in_the_readme(tmp_path: Path) -> None:
    readme = "```\nnpm run consumer -- mail\n```\n"

    found = node(tmp_path, {"work.js": ASKS, "README.md": readme}, '"consumer": "node work.js"')

    assert commands(found) == ["node work.js mail"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Procfile", "worker: node work.js\nmailer: node work.js mail\n"),
        ("compose.yaml", "services:\n  worker: {build: ., command: node work.js}\n"
                         "  mailer: {build: ., command: node work.js mail}\n"),
    ],
)  # fmt: skip
def test_a_program_with_a_queue_of_its_own_may_be_told_another(
    tmp_path: Path, path: str, text: str
) -> None:
    found = node(tmp_path, {"work.js": ASKS, path: text})

    assert sorted(commands(found)) == ["node work.js", "node work.js mail"]


RUNS = "const { argv } = process;\nconst name = argv.at(-1);\nrequire(path.resolve(name));\n"


@pytest.mark.parametrize(
    ("runner", "words"),
    [
        (RUNS, "node bin/run.js --script ./mail.js"),
        (RUNS, "node bin/run.js --script=./mail.js"),
        (RUNS, "node bin/run.js mail"),
        (RUNS.replace("require(path.resolve(name))", "require('./main')"), "node mail.js"),
        (RUNS.replace("argv", "names"), "node mail.js"),
    ],
)
def test_a_program_may_be_told_the_file_that_works(tmp_path: Path, runner: str, words: str) -> None:
    command = words if "run.js" in words else "node bin/run.js --script ./mail.js"

    found = node(tmp_path, {"mail.js": MAKES, "bin/run.js": runner}, f'"mail": "{command}"')

    assert commands(found) == [words]


@pytest.mark.parametrize(
    "loads",
    [
        "import(`./work/${argv[2]}.js`);\n",
        "import(`./work/on-${argv[2]}.js`);\n",
        "require(path.join(__dirname, 'work', argv[2]));\n",
    ],
)
def test_a_program_may_be_told_the_name_of_what_works(tmp_path: Path, loads: str) -> None:
    runner = f"const {{ argv }} = process;\n{loads}"
    prefix = "on-" if "on-" in loads else ""
    files = {f"src/work/{prefix}{name}.js": MAKES for name in ("mail", "file")}
    scripts = '"work:mail": "node src/run.js mail", "work:file": "node src/run.js file"'

    found = node(tmp_path, files | {"src/run.js": runner}, scripts)

    assert sorted(commands(found)) == ["node src/run.js file", "node src/run.js mail"]


@pytest.mark.parametrize("manager", ["pnpm", "yarn"])
def test_a_manager_runs_what_a_package_brings_by_its_name(tmp_path: Path, manager: str) -> None:
    compose = f"services:\n  worker: {{build: ., command: {manager} tsx src/mail.ts}}\n"

    found = node(tmp_path, {"src/mail.ts": MAKES, "compose.yaml": compose}, '"build": "tsc"')

    assert commands(found) == ["tsx src/mail.ts"]


CHOOSES = (
    'import express from "express";\nimport { Worker } from "bullmq";\n'
    'if (process.env.ROLE === "worker") new Worker("mail", send);\nelse express().listen(3000);\n'
)


@pytest.mark.parametrize(
    "told",
    [
        {"compose.yaml": "services:\n  web: {build: ., command: node main.js}\n  mail: "
                         "{build: ., command: node main.js, environment: {ROLE: worker}}\n"},
        {"README.md": "```\nROLE=worker node main.js\n```\n"},
        {"README.md": "```\nROLE=worker npm start\n```\n"},
    ],
)  # fmt: skip
def test_a_program_that_is_told_to_be_a_worker_is_one(tmp_path: Path, told: dict[str, str]) -> None:
    found = node(tmp_path, {"main.js": CHOOSES} | told, '"start": "node main.js"')

    assert [(unit.command, unit.environment) for unit in found.units] == [
        (("node", "main.js"), {"ROLE": "worker"})
    ]
    assert node(tmp_path, dict.fromkeys(told, ""), '"start": "node main.js"').units == ()


@pytest.mark.parametrize("given", ["worker/index.js", "./worker/index.js"])
def test_a_thread_of_the_app_is_no_worker_beside_it(tmp_path: Path, given: str) -> None:
    files = {
        "package.json": '{"dependencies": {"bullmq": "5", "express": "5"},'
        ' "scripts": {"start": "node dist/main.js"}}',
        "src/main.ts": "import { Worker } from 'worker_threads';\nimport { join } from 'path';\n"
        "import express from 'express';\n\nexpress().listen(8080);\n"
        f"new Worker(join(__dirname, '{given}'));\n",
        "src/worker/index.ts": "import { Worker } from 'bullmq';\n\n"
        "new Worker('mail', async () => {});\n",
    }

    found = seen(tmp_path, files)

    assert ([each.framework for each in found.embedded], found.units) == (["bullmq"], ())
