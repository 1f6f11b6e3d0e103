"""Programs of Node that load all that lies in a directory: what is there is theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import commands, seen

MAKES = (
    'import { createWorker } from "../core/queues.js";\n'
    'export default function mail() {\n  createWorker("mail", send);\n}\n'
)
FACTORY = (
    'import { Worker } from "bullmq";\n'
    "export function createWorker(name, work) {\n  return new Worker(name, work);\n}\n"
)
LOADS = "for (const file of files) (await import(file)).default();\n"
WAYS = [
    'const files = glob.sync(path.join(__dirname, "../workers/*.worker.*"));\n',
    'const files = await glob("src/workers/**/*.worker.{js,ts}");\n',
    'const files = globSync("./src/workers/*.js");\n',
    "const files = fs.readdirSync(path.join(__dirname, '..', 'workers'));\n",
    'const files = await readdir(path.resolve(__dirname, "../workers"));\n',
    'const files = fs.readdirSync("src/workers");\n',
]


@pytest.mark.parametrize("looks", WAYS)
def test_a_program_that_loads_a_directory_is_the_worker(tmp_path: Path, looks: str) -> None:
    files = {
        "package.json": '{"type": "module", "dependencies": {"bullmq": "5", "express": "5"},'
        ' "scripts": {"jobs": "node src/core/run.js"}}',
        "src/core/queues.js": FACTORY,
        "src/core/run.js": looks + LOADS,
        "src/workers/mail.worker.js": MAKES,
        "src/api.js": 'import express from "express";\nexpress().listen(3000);\n',
    }

    assert commands(seen(tmp_path, files)) == ["node src/core/run.js"]


@pytest.mark.parametrize("looks", WAYS)
def test_an_app_that_loads_it_works_itself(tmp_path: Path, looks: str) -> None:
    app = f'import express from "express";\n{looks}{LOADS}express().listen(3000);\n'
    files = {
        "package.json": '{"type": "module", "dependencies": {"bullmq": "5", "express": "5"}}',
        "src/core/queues.js": FACTORY,
        "src/core/app.js": app,
        "src/workers/mail.worker.js": MAKES,
    }

    found = seen(tmp_path, files)

    assert (commands(found), [each.framework for each in found.embedded]) == ([], ["bullmq"])


@pytest.mark.parametrize(
    "loads",
    [
        'const files = glob.sync("src/models/*.js");\n' + LOADS,
        'const files = glob.sync("src/workers/*.js");\nconsole.log(files);\n',
    ],
)
def test_what_is_only_looked_for_is_not_loaded(tmp_path: Path, loads: str) -> None:
    files = {
        "package.json": '{"type": "module", "dependencies": {"bullmq": "5"}}',
        "src/core/queues.js": FACTORY,
        "src/core/run.js": loads,
        "src/workers/mail.worker.js": MAKES,
    }

    assert "node src/core/run.js" not in commands(seen(tmp_path, files))


def test_routes_that_are_loaded_say_nothing_of_who_works(tmp_path: Path) -> None:
    files = {
        "package.json": '{"type": "module", "dependencies": {"bullmq": "5"},'
        ' "scripts": {"start": "node src/index.js"}}',
        "src/queues.js": FACTORY,
        "src/index.js": 'export default import.meta.glob("./routes/*.js");\n',
        "src/routes/mail.js": 'import { createWorker } from "../queues.js";\n'
        "export const start = () => createWorker();\n",
    }

    assert "node src/index.js" not in commands(seen(tmp_path, files))
