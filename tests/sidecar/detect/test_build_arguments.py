"""One Dockerfile for several programs: which one a service is, its build says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import ASYNQ, SERVES, commands, go, seen

DOCKERFILE = """\
FROM golang:1.25 AS build
COPY . .
ARG BIN=api
RUN go build -o /out/app ./cmd/${BIN}

FROM alpine:3.22
COPY --from=build /out/app /app/app
ENTRYPOINT ["/app/app"]
"""
COMPOSE = """\
services:
  api:
    build: {context: ., args: {BIN: api}}
  tasks:
    build: {context: ., args: ARGUMENTS}
"""


@pytest.mark.parametrize(
    "arguments", ["{BIN: worker, API_TOKEN: s3cr3t}", "[BIN=worker, API_TOKEN=s3cr3t]"]
)
def test_a_service_is_the_program_that_its_image_is_built_with(
    tmp_path: Path, arguments: str
) -> None:
    files = {"cmd/api/main.go": SERVES, "cmd/worker/main.go": ASYNQ, "Dockerfile": DOCKERFILE}
    compose = COMPOSE.replace("ARGUMENTS", arguments)

    found = go(tmp_path, files | {"compose.yaml": compose})

    [unit] = found.units
    assert (unit.name, unit.command) == ("tasks", ("/app/app",))
    assert unit.build is not None
    assert unit.build.args == {"BIN": "worker", "API_TOKEN": "${API_TOKEN}"}


def test_a_dockerfiles_own_arguments_count_where_none_are_given(tmp_path: Path) -> None:
    files = {"cmd/api/main.go": SERVES, "cmd/worker/main.go": ASYNQ}
    dockerfile = DOCKERFILE.replace("BIN=api", "BIN=worker")

    found = go(
        tmp_path,
        files | {"Dockerfile": dockerfile, "compose.yaml": "services: {tasks: {build: .}}\n"},
    )

    assert commands(found) == ["/app/app"]


def test_what_an_image_starts_may_be_one_of_its_arguments(tmp_path: Path) -> None:
    dockerfile = "FROM node:22\nARG APP=web\nENV APP=${APP}\nCMD node dist/$APP.js\n"
    files = {
        "package.json": '{"dependencies": {"bullmq": "5", "express": "5"}}',
        "src/web.js": 'require("express")().listen(3000)\n',
        "src/worker.js": 'const { Worker } = require("bullmq")\n'
        'new Worker("mail", async () => {})\n',
        "Dockerfile": dockerfile,
        "compose.yaml": COMPOSE.replace("BIN: api", "APP: web").replace(
            "ARGUMENTS", "{APP: worker}"
        ),
    }

    assert commands(seen(tmp_path, files)) == ["node dist/worker.js"]


def test_arguments_stay_as_the_compose_file_has_them(tmp_path: Path) -> None:
    arguments = (
        "{BIN: worker, MIRROR: '${MIRROR}', TAG: '${TAG:-1}', FROM_SHELL: , 'a b': x, D: [5]}"
    )
    files = {
        "cmd/api/main.go": SERVES, "cmd/worker/main.go": ASYNQ, "Dockerfile": DOCKERFILE,
        "compose.yaml": COMPOSE.replace("ARGUMENTS", arguments), ".env": "MIRROR=http://inside\n",
    }  # fmt: skip

    [unit] = go(tmp_path, files).units

    assert unit.build is not None
    assert unit.build.args == {"BIN": "worker", "MIRROR": "${MIRROR}", "TAG": "${TAG:-1}"}


def test_arguments_of_no_known_kind_are_none(tmp_path: Path) -> None:
    files = {"cmd/worker/main.go": ASYNQ, "Dockerfile": DOCKERFILE.replace("BIN=api", "BIN=worker")}

    for n, arguments in enumerate(("[5]", "7", "[A, {B: c}]", "{A: {B: c}}", '["a b=x", "=y"]')):
        compose = f"services: {{tasks: {{build: {{context: ., args: {arguments}}}}}}}\n"
        [unit] = go(tmp_path / str(n), files | {"compose.yaml": compose}).units
        assert (unit.build.args if unit.build else None) == {}
