"""What a project of Node has from BullMQ by way of its own packages, and by its own decorators."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import commands, seen

WORKSPACE = {
    "package.json": '{"private": true, "workspaces": ["packages/*", "apps/*"]}',
    "packages/queue/package.json": '{"name": "@x/queue", "dependencies": {"bullmq": "5"}}',
    "apps/jobs/package.json": '{"dependencies": {"@x/queue": "workspace:*"}}',
}


@pytest.mark.parametrize(
    ("passes", "uses", "works"),
    [
        ('export { Queue, Worker } from "bullmq"', 'import { Worker } from "@x/queue"', "Worker"),
        ('export * from "bullmq"', 'import { Worker } from "@x/queue"', "Worker"),
        ('export * from "bullmq"', 'import * as mq from "@x/queue"', "mq.Worker"),
        ('export { Worker as W } from "bullmq"', 'import { W } from "@x/queue"', "W"),
        ('export { Worker as W } from "bullmq"', 'import { W as Y } from "@x/queue"', "Y"),
        ('import { Worker } from "bullmq"\nexport { Worker }', 'import { Worker } from "@x/queue"',
         "Worker"),
        ('const { Worker } = require("bullmq")\nmodule.exports = { Worker }',
         'const { Worker } = require("@x/queue")', "Worker"),
        ('const { Worker } = require("bullmq")\nmodule.exports = { W: Worker }',
         'const mq = require("@x/queue")', "mq.W"),
        ('export { Queue } from "bullmq"', 'import { Worker } from "@x/queue"', ""),
        ('import { Worker } from "bullmq"', 'import { Worker } from "@x/queue"', ""),
        ('export * from "bullmq"', 'import { Queue } from "@x/queue"', ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("chained", [False, True])
def test_who_has_the_class_from_a_package_of_the_project_works(
    tmp_path: Path, passes: str, uses: str, works: str, *, chained: bool
) -> None:
    name = "bull.ts" if chained else "index.ts"
    files = {
        "packages/queue/src/index.ts": 'export * from "./bull";\n',
        f"packages/queue/src/{name}": f"{passes};\n",
        "apps/jobs/src/main.ts": f'{uses};\nnew {works or "Worker"}("mail", send);\n',
    }

    found = seen(tmp_path, WORKSPACE | files)

    assert commands(found) == (["tsx src/main.ts"] if works else [])
    assert [unit.queues for unit in found.units] == ([("mail",)] if works else [])


NEST = {
    "package.json": '{"dependencies": {"@nestjs/bullmq": "11", "bullmq": "5"},'
    ' "scripts": {"build": "nest build"}}',
    "src/worker.ts": 'import { AppModule } from "./app.module";\n'
    "NestFactory.createApplicationContext(AppModule);\n",
    "src/app.module.ts": 'import { Mail } from "./mail.processor";\n'
    "@Module({ providers: [Mail] })\nexport class AppModule {}\n",
}


@pytest.mark.parametrize(
    ("maker", "decorator", "works"),
    [
        ("export const Works = (q: string) => Processor(q, {});", "Works", True),
        ("export function Works(q) {\n  return applyDecorators(Log(), Processor(q));\n}", "Works",
         True),
        ("export const Works = (q: string) => Processor(q, {});", "Injectable", False),
    ],
)  # fmt: skip
def test_a_decorator_of_the_project_s_own_may_be_nest_s(
    tmp_path: Path, maker: str, decorator: str, *, works: bool
) -> None:
    files = {
        "src/works.ts": f'import {{ Processor }} from "@nestjs/bullmq";\n{maker}\n',
        "src/mail.processor.ts": f'import {{ Works }} from "./works";\n'
        f'@{decorator}("mail")\nexport class Mail {{}}\n',
    }

    found = seen(tmp_path, NEST | files)

    assert commands(found) == (["node dist/worker.js"] if works else [])
