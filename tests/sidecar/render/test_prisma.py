"""Prisma's client is made in the image: of the project's schema, by the project's own version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import render
from tests.sidecar.reading import hadolint

PRISMA = {"devDependencies": {"prisma": "^5"}, "scripts": {"postinstall": "prisma generate"}}
WORKER = "import { Worker } from 'bullmq';\nnew Worker('mail', async () => {});\n"


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def manifest(**more: Any) -> str:
    scripts = {"build": "tsc", "worker": "node dist/worker.js", **more.pop("scripts", {})}
    needed = {"bullmq": "^5", "@prisma/client": "^5"}
    return json.dumps({"name": "shop", "scripts": scripts, "dependencies": needed, **more})


def made(root: Path) -> list[str]:
    files = render(make_plan(detect(root)))
    [text] = [file.text for path, file in files.items() if path.endswith("Dockerfile")]
    hadolint(text)
    return text.splitlines()


def at(lines: list[str], words: str) -> int:
    return next(number for number, line in enumerate(lines) if words in line)


@pytest.mark.parametrize(
    ("lock", "start"),
    [("package-lock.json", '["npx", "--no-install", '), ("pnpm-lock.yaml", '["npx", '),
     ("yarn.lock", '["yarn", "run", '), ("bun.lock", '["bun", "x", ')],
)  # fmt: skip
def test_the_schema_is_there_before_the_install_and_the_client_before_the_build(
    tmp_path: Path, lock: str, start: str
) -> None:
    write(tmp_path, {"package.json": manifest(**PRISMA), lock: "", "src/worker.ts": WORKER,
                     "prisma/schema.prisma": "model Mail { id Int @id }\n"})  # fmt: skip

    lines = made(tmp_path)

    install = next(
        number
        for number, line in enumerate(lines)
        if line.startswith("RUN --mount") and ('"ci"' in line or '"install"' in line)
    )
    client = at(lines, '"prisma", "generate"')
    assert at(lines, "schema.prisma") < install < client < at(lines, '"run", "build"')
    assert start in lines[client]
    assert not [line for line in lines if "prune" in line or "--prod" in line]


def test_the_schema_that_a_manifest_names(tmp_path: Path) -> None:
    named = manifest(**PRISMA, prisma={"schema": "db/main.prisma"})
    write(tmp_path, {"package.json": named, "src/worker.ts": WORKER, "db/main.prisma": ""})

    lines = made(tmp_path)

    assert '"--schema", "db/main.prisma"]' in lines[at(lines, '"generate"')]
    assert 'COPY ["db/main.prisma", "./db/"]' in lines


def test_without_its_program_or_a_schema_nothing_is_made(tmp_path: Path) -> None:
    write(tmp_path, {"package.json": manifest(), "src/worker.ts": WORKER, "a/b.prisma": ""})
    assert not [line for line in made(tmp_path) if "prisma" in line]
