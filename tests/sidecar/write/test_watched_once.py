"""An edit has one effect: what a command sees by itself builds no image anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import ok
from tests.sidecar.reading import compose_values
from tests.sidecar.write.test_chosen_programs import put

APP = (
    "services:\n  web:\n    build: .\n    ports: ['3000:3000']\n"
    "    command: npx tsx src/server.ts\n"
)
PROJECT = {
    "src/worker.ts": "import { Worker } from 'bullmq';\nnew Worker('mail', async () => {}, {});\n",
    "src/server.ts": "import http from 'http';\nhttp.createServer().listen(3000);\n",
    "Dockerfile": "FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\n",
}
PACKAGE = (
    '{"name": "shop", "scripts": {"worker": "%s"}, "dependencies": {"bullmq": "5", "tsx": "4"}}'
)
MANIFEST = {"action": "rebuild", "path": "./package.json"}


@pytest.mark.parametrize(
    ("command", "volumes", "rest"),
    [
        ("tsx watch src/worker.ts", ["./src:/app/src"], {"ignore": ["src/"]}),
        ("tsx watch src/worker.ts", ["./src:/app/src", "./lib:/l"], {"ignore": ["lib/", "src/"]}),
        ("tsx watch src/worker.ts", ["data:/data", "../other:/other", "./a*:/a"], {}),
        ("tsx src/worker.ts", ["./src:/app/src"], {}),  # it sees nothing by itself
    ],
)
def test_what_is_bound_is_watched_by_one(
    command: str, volumes: list[str], rest: dict[str, Any], tmp_path: Path
) -> None:
    compose = f"{APP}    volumes: {volumes}\nvolumes:\n  data:\n"
    put(tmp_path, PROJECT, {"package.json": PACKAGE % command, "compose.yaml": compose})

    ok("sidecar", "generate", str(tmp_path))

    worker = compose_values((tmp_path / "compose.yaml").read_text())["services"]["worker"]
    assert worker["develop"]["watch"] == [MANIFEST, {"action": "rebuild", "path": ".", **rest}]
