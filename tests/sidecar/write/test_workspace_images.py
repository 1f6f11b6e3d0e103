"""A member of a workspace is started where it lies in the image, and only in one that has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.planning import make_plan
from tests.sidecar.reading import yaml_documents
from tests.sidecar.write.test_chosen_programs import put
from tests.sidecar.write.test_own_services import generated, services

MEMBER = (
    '{"name": "@acme/%s", "scripts": {"build": "nest build", "start": "nest start",'
    ' "start:prod": "node dist/main"},'
    ' "dependencies": {"@nestjs/bullmq": "10", "@nestjs/core": "10", "bullmq": "5"}}'
)
PROCESSOR = (
    "import { Processor, WorkerHost } from '@nestjs/bullmq';\n"
    "@Processor('emails')\nexport class Emails extends WorkerHost {}\n"
)
NEST = {
    "package.json": '{"name": "acme", "private": true}',
    "pnpm-workspace.yaml": "packages: ['apps/*']\n",
    "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
    "apps/api/package.json": MEMBER % "api",
    "apps/api/src/main.ts": "import { NestFactory } from '@nestjs/core';\n"
    "NestFactory.create(AppModule).then((app) => app.listen(3000));\n",
    "apps/worker/package.json": MEMBER % "worker",
    "apps/worker/src/emails.ts": PROCESSOR,
    "apps/worker/src/module.ts": "import { BullModule } from '@nestjs/bullmq';\n"
    "import { Emails } from './emails';\n"
    "@Module({imports: [BullModule.registerQueue({ name: 'emails' })], providers: [Emails]})\n"
    "export class WorkerModule {}\n",
    "apps/worker/src/main.ts": "import { NestFactory } from '@nestjs/core';\n"
    "import { WorkerModule } from './module';\n"
    "NestFactory.createApplicationContext(WorkerModule);\n",
    "docker-compose.yml": "services:\n  api:\n    build: {context: ., target: api}\n"
    "    environment: {SHOP: ours}\n    ports: ['3000:3000']\n    depends_on: [redis]\n"
    "  redis: {image: 'redis:7'}\n",
}
BUILD = "FROM node:20-slim AS build\nWORKDIR /repo\nCOPY . .\nRUN pnpm -r build\n"
API = 'FROM build AS api\nWORKDIR /repo/apps/api\nCMD ["node", "dist/main"]\n'
WORKER = 'FROM build AS worker\nWORKDIR /repo/apps/worker\nCMD ["node", "dist/main"]\n'
SLIM = (
    "FROM node:20-slim AS api\nWORKDIR /app\nCOPY --from=build /repo/apps/api/dist dist\n"
    'CMD ["node", "dist/main"]\n'
)


def written(root: Path, dockerfile: str) -> dict[str, Any]:
    """Return the worker as production has it."""
    generated(root, NEST, {"Dockerfile": dockerfile})
    return services(root, "compose.prod.yaml")["worker"]


def test_a_member_is_started_where_it_lies_in_the_image_of_all(tmp_path: Path) -> None:
    made = written(tmp_path, BUILD + API)

    assert made["command"] == ["node", "dist/main"]
    assert made["working_dir"] == "/repo/apps/worker"  # the image's own is the API's
    documents = yaml_documents((tmp_path / "kubernetes/worker.yaml").read_text())
    [deployment] = [each for each in documents if each["kind"] == "Deployment"]
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["workingDir"] == "/repo/apps/worker"


def test_in_development_it_is_started_by_what_finds_the_program_of_a_package(
    tmp_path: Path,
) -> None:
    written(tmp_path, BUILD + API)

    made = services(tmp_path, "docker-compose.yml")["worker"]
    assert made["command"] == ["npx", "nest", "start"]
    assert made["working_dir"] == "/repo/apps/worker"


@pytest.mark.parametrize(
    ("dockerfile", "target"),
    [
        (BUILD + WORKER + API, "worker"),
        (BUILD + WORKER.replace(" worker", " queue-worker") + API, "queue-worker"),
        (BUILD + "FROM build AS worker-build\n" + WORKER + API, "worker"),
        (BUILD + "FROM build AS everything\n" + SLIM, "everything"),
    ],
)
def test_the_stage_that_has_it_is_meant_though_it_is_not_the_last(
    tmp_path: Path, dockerfile: str, target: str
) -> None:
    made = written(tmp_path, dockerfile)

    assert made["build"] == {"context": ".", "dockerfile": "Dockerfile", "target": target}
    assert made.get("working_dir", "/repo/apps/worker") == "/repo/apps/worker"


@pytest.mark.parametrize(
    "dockerfile",
    [
        BUILD + SLIM,
        BUILD.replace("COPY . .", "COPY apps/api apps/api") + API,
        BUILD.replace("COPY . .", "COPY apps/worker/package.json apps/worker/")
        + "COPY apps/api apps/api\n" + API,
        "FROM node:20-slim\nARG APP=api\nWORKDIR /repo\nCOPY apps/$APP apps/$APP\n",
    ],
)  # fmt: skip
def test_where_no_stage_has_it_a_dockerfile_of_its_own_is_written(
    tmp_path: Path, dockerfile: str
) -> None:
    made = written(tmp_path, dockerfile)

    assert made["build"]["dockerfile"] == "Dockerfile.worker"
    assert "RUN" in (tmp_path / "Dockerfile.worker").read_text()
    assert (tmp_path / "Dockerfile").read_text() == dockerfile
    assert made["working_dir"] == "/app/apps/worker"


def test_what_arguments_choose_may_be_it(tmp_path: Path) -> None:
    chosen = "FROM node:20-slim\nARG APP\nCOPY apps/${APP} /repo\nCMD node dist/main\n"

    assert written(tmp_path, chosen)["build"]["dockerfile"] == "Dockerfile"


def test_the_app_is_known_though_its_workers_are_started_alike(tmp_path: Path) -> None:
    written(tmp_path, BUILD + API)

    made = services(tmp_path, "docker-compose.yml")
    assert set(made) == {"api", "redis", "worker"}
    assert made["worker"]["environment"]["SHOP"] == "ours"


def test_a_stage_of_its_own_is_meant_beside_an_app_of_the_same_package(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "celery[redis]\n",
        "shop.py": "from celery import Celery\napp = Celery('shop')\n",
        "Procfile": "worker: celery -A shop worker\n",
        "Dockerfile": "FROM python:3.13 AS base\nFROM base AS worker\nFROM base AS web\n",
        "compose.yaml": "services:\n  web:\n    build: {context: ., target: web}\n"
        "    command: gunicorn shop:app\n  redis: {image: 'redis:7'}\n",
    }
    generated(tmp_path, files)

    assert services(tmp_path)["worker"]["build"]["target"] == "worker"


@pytest.mark.parametrize(
    ("last", "target"),
    [("FROM python:3.13 AS web\nCMD gunicorn shop:app\n", "jobs"), ("FROM jobs AS final\n", None)],
)
def test_a_stage_that_starts_it_is_meant_unless_the_last_does_as_well(
    tmp_path: Path, last: str, target: str | None
) -> None:
    files = {
        "requirements.txt": "celery[redis]\n",
        "shop.py": "from celery import Celery\napp = Celery('shop')\n",
        "Dockerfile": f"FROM python:3.13 AS jobs\nCMD celery -A shop worker\n{last}",
    }
    generated(tmp_path, files)

    made = services(tmp_path, "compose.prod.yaml")
    assert [each["build"].get("target") for each in made.values() if "build" in each] == [target]


@pytest.mark.parametrize(
    ("install", "command"),
    [
        ("RUN npm ci --omit=dev\nCOPY . .\n", ["node", "dist/worker.js"]),
        ("RUN npm ci\nCOPY . .\n", ["npx", "tsx", "watch", "src/worker.ts"]),
        ("RUN npm ci && npm prune --production\nCOPY . .\n", ["node", "dist/worker.js"]),
    ],
)
def test_no_command_needs_what_an_image_was_made_without(
    tmp_path: Path, install: str, command: list[str]
) -> None:
    files = {
        "package.json": '{"dependencies": {"bullmq": "5"},'
        ' "devDependencies": {"tsx": "4", "typescript": "5"},'
        ' "scripts": {"build": "tsc", "worker": "node dist/worker.js",'
        ' "dev:worker": "tsx watch src/worker.ts"}}',
        "tsconfig.json": '{"compilerOptions": {"outDir": "dist", "rootDir": "src"}}',
        "src/worker.ts": "import { Worker } from 'bullmq';\nnew Worker('mail', run);\n",
        "Dockerfile": f"FROM node:22\nWORKDIR /app\nCOPY package.json ./\n{install}"
        "CMD node dist/server.js\n",
    }
    generated(tmp_path, files)

    assert services(tmp_path)["worker"]["command"] == command


@pytest.mark.parametrize(("told", "noted"), [("", True), ("RAILS_ENV: development", False)])
def test_rails_that_is_in_production_by_its_image_is_named(
    tmp_path: Path, told: str, noted: bool
) -> None:
    web = f"build: .\n    command: bin/rails server\n    environment: {{A: b, {told}}}\n"
    put(tmp_path, {
        "Gemfile": 'gem "rails"\ngem "sidekiq"\n',
        "config/application.rb": "module Shop\nend\n",
        "Procfile.dev": "worker: bundle exec sidekiq\n",
        "Dockerfile": 'FROM ruby:3.3 AS base\nENV RAILS_ENV="production"\nFROM base\nCOPY . .\n',
        "compose.yaml": f"services:\n  web:\n    {web}",
    })  # fmt: skip

    notes = make_plan(detect(tmp_path)).notes

    assert any("RAILS_ENV=production" in note for note in notes) == noted


def test_workers_are_called_after_their_members_wherever_in_these_they_start(
    tmp_path: Path,
) -> None:
    files = {"pyproject.toml": '[tool.uv.workspace]\nmembers = ["apps/*"]\n', "uv.lock": ""}
    for name in ("mailer", "reports"):
        files[f"apps/{name}/pyproject.toml"] = (
            f'[project]\nname = "{name}"\nversion = "1"\ndependencies = ["dramatiq[redis]"]\n'
        )
        files[f"apps/{name}/src/{name}/tasks.py"] = (
            "import dramatiq\n\n\n@dramatiq.actor\ndef run(): ...\n"
        )
    put(tmp_path, files)

    made = make_plan(detect(tmp_path))

    assert {each.dir: each.name for each in made.services} == {
        "apps/mailer/src": "worker", "apps/reports/src": "reports-worker",
    }  # fmt: skip
