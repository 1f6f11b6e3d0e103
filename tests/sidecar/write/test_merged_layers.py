"""What Compose starts of files that are read one on another is what one file would have had.

In each of them the worker may look right, and be wrong where both are read: what development says
of it holds in production, too, unless that takes it back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.sidecar.merging import merged
from tests.sidecar.write.test_own_services import generated

BELOW, ABOVE = "compose.yaml", "compose.prod.yaml"
PROJECTS = {
    "celery": {
        "requirements.txt": "celery[redis]\ngunicorn\n",
        "shop.py": "import os\nfrom celery import Celery\n"
        'app = Celery("s", broker=os.environ["QUEUE_URL"])\nKEY = os.environ["SECRET_KEY"]\n',
        "Procfile": "worker: celery -A shop worker\nbeat: celery -A shop beat\n",
    },
    "rq": {
        "requirements.txt": "rq\ngunicorn\n",
        "shop.py": "import os\nfrom redis import Redis\nfrom rq import Queue\n"
        'q = Queue("mail", connection=Redis.from_url(os.environ["QUEUE_URL"]))\n',
        "Procfile": "worker: rq worker mail\n",
    },
    "bullmq": {
        "package.json": '{"dependencies": {"bullmq": "5", "express": "4"},'
        ' "devDependencies": {"tsx": "4", "typescript": "5"},'
        ' "scripts": {"build": "tsc", "worker": "node dist/worker.js",'
        ' "dev:worker": "tsx watch src/worker.ts"}}',
        "tsconfig.json": '{"compilerOptions": {"outDir": "dist", "rootDir": "src"}}',
        "src/worker.ts": "import { Worker } from 'bullmq';\n"
        "new Worker('mail', async () => {}, {connection: {url: process.env.QUEUE_URL}});\n",
    },
    "sidekiq": {
        "Gemfile": 'gem "rails"\ngem "sidekiq"\n',
        "config/application.rb": "module Shop\nend\n",
        "config/initializers/sidekiq.rb": "Sidekiq.configure_server do |c|\n"
        '  c.redis = { url: ENV["QUEUE_URL"] }\nend\n',
        "Procfile": "worker: bundle exec sidekiq\n",
    },
    "asynq": {
        "go.mod": "module shop\n\ngo 1.22\n\nrequire github.com/hibiken/asynq v0.24.1\n",
        "cmd/worker/main.go": 'package main\n\nimport (\n\t"os"\n\n'
        '\t"github.com/hibiken/asynq"\n)\n\n'
        "func main() {\n\tsrv := asynq.NewServer("
        'asynq.RedisClientOpt{Addr: os.Getenv("QUEUE_ADDR")}, asynq.Config{})\n'
        "\tsrv.Run(asynq.NewServeMux())\n}\n",
    },
}  # fmt: skip
OWN_IMAGE = {"Dockerfile": "FROM scratch\nCOPY . /srv/shop\nWORKDIR /srv/shop\n"}
WEB = """\
services:
  web:
    {image}
    command: gunicorn shop:app --reload
    environment: {{DEBUG: "1", MODE: desk, RAILS_ENV: development, NODE_ENV: development}}
    env_file: [desk.env]
    ports: ["8000:8000"]
    volumes: [".:/srv/shop", "media:/srv/media"]
    networks: [inner]
    depends_on: {{mail: {{condition: service_healthy}}}}
  mail:
    image: axllent/mailpit:v1.20
    networks: [inner]
"""
QUEUE = """\
  queue:
    image: redis:7.2
    networks: [inner]
    healthcheck: {test: [CMD, redis-cli, ping]}
"""
NETWORKS = "networks:\n  inner:\nvolumes:\n  media:\n"
TOPS = {
    "parts": "environment: {MODE: live, DEBUG: '0'}",
    "taken back": "environment: {MODE: live, DEBUG: !reset null}\n"
    "    volumes: !override ['media:/srv/media']\n    env_file: !override [live.env]",
    "reset": "environment: !override {MODE: live}\n    volumes: !reset []\n"
    "    depends_on: !reset null\n    networks: !override [inner]",
}


def both(root: Path, below: str, above: str) -> dict[str, Any]:
    """Return what is started of the two files."""
    return merged((root / below).read_text(), (root / above).read_text())


@pytest.mark.parametrize("broker", [QUEUE, ""], ids=["their broker", "our broker"])
@pytest.mark.parametrize("top", TOPS.values(), ids=TOPS)
@pytest.mark.parametrize("image", [{}, OWN_IMAGE], ids=["our image", "their image"])
@pytest.mark.parametrize("project", PROJECTS.values(), ids=PROJECTS)
def test_layers_start_what_one_file_would(
    project: dict[str, str], image: dict[str, str], top: str, broker: str, tmp_path: Path
) -> None:
    started = "build: ." if image else "image: shop:1"
    base = f"{WEB.format(image=started)}{broker}{NETWORKS}"
    part = f"services:\n  web:\n    restart: always\n    {top}\n"
    whole = yaml.safe_dump(merged(base, part))

    generated(tmp_path / "layers", project, image, {BELOW: base, ABOVE: part})
    generated(tmp_path / "one", project, image, {BELOW: base, ABOVE: whole})

    found = both(tmp_path / "layers", BELOW, ABOVE)["services"]
    one = merged((tmp_path / "one" / ABOVE).read_text())["services"]
    assert found.keys() == one.keys()
    for name in found.keys() - {"web", "mail", "queue"}:
        assert _plain(found[name]) == _plain(one[name]), name


def _plain(service: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in service.items() if key != "x-stoker" and value}
