"""A Dockerfile of the project's own that lies outside of the context it is built with."""

from __future__ import annotations

from pathlib import Path

from stoker.sidecar.detect import detect
from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import render
from tests.sidecar.reading import compose_values

COMPOSE = """\
services:
  redis:
    image: redis:7
  worker:
    build:
      context: ../apps/worker
      dockerfile: ../../configs/worker.Dockerfile
"""


def test_production_builds_with_it_and_writes_no_other(tmp_path: Path) -> None:
    files = {
        "configs/docker-compose.yml": COMPOSE,
        "configs/worker.Dockerfile": 'FROM node:22\nCOPY . .\nCMD ["node", "worker.js"]\n',
        "apps/worker/package.json": '{"name": "worker", "dependencies": {"bullmq": "^5"}}',
        "apps/worker/worker.js": "const { Worker } = require('bullmq')\nnew Worker('mail', f)\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    made = render(make_plan(detect(tmp_path)))

    assert not [path for path in made if path.endswith("Dockerfile")]
    worker = compose_values(made["compose.prod.yaml"].text)["services"]["worker"]
    assert worker["build"]["context"] == "./apps/worker"
    place = tmp_path / worker["build"]["context"] / worker["build"]["dockerfile"]
    assert place.resolve() == tmp_path.resolve() / "configs" / "worker.Dockerfile"
