"""A worker is started anew, and its output kept, as that of the app in the same compose file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import ok
from tests.sidecar.reading import compose_values
from tests.sidecar.write.test_chosen_programs import put

PROJECT = {
    "package.json": '{"name": "shop", "scripts": {"worker": "node worker.js"},'
    ' "dependencies": {"bullmq": "5"}}',
    "worker.js": "const { Worker } = require('bullmq');\nnew Worker('mail', async () => {}, {});\n",
    "server.js": "require('http').createServer().listen(3000);\n",
    "Dockerfile": 'FROM node:22\nWORKDIR /app\nCOPY . .\nCMD ["node", "server.js"]\n',
}
APP = "services:\n  web:\n    build: .\n    ports: ['3000:3000']\n"
LOGS = "    logging:\n      driver: local\n      options:\n        max-size: 10m\n"


def workers(root: Path, compose: dict[str, str]) -> dict[str, Any]:
    """Return what the worker is in each compose file."""
    put(root, PROJECT, compose)
    ok("sidecar", "generate", str(root), "--target", "all")
    paths = {*compose, "compose.prod.yaml"}
    return {path: compose_values((root / path).read_text())["services"]["worker"] for path in paths}


def test_what_a_file_says_of_the_app_holds_for_its_workers(tmp_path: Path) -> None:
    found = workers(
        tmp_path,
        {"compose.yaml": APP, "compose.prod.yaml": f"{APP}    restart: always\n{LOGS}"},
    )

    logs = {"driver": "local", "options": {"max-size": "10m"}}
    assert found["compose.prod.yaml"]["restart"] == "always"
    assert found["compose.prod.yaml"]["logging"] == logs
    assert not {"restart", "logging"} & found["compose.yaml"].keys()


def test_a_new_file_has_what_is_usual(tmp_path: Path) -> None:
    found = workers(tmp_path, {"compose.yaml": f"{APP}    restart: on-failure:3\n{LOGS}"})

    assert found["compose.yaml"]["restart"] == "on-failure:3"
    assert found["compose.prod.yaml"]["restart"] == "unless-stopped"
    assert "logging" not in found["compose.prod.yaml"]


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        ("    logging:\n      options:\n        max-file: '3'\n", {"options": {"max-file": "3"}}),
        ("    logging:\n      driver: journald\n", {"driver": "journald"}),
        ("    restart: always\n", {}),
    ],
)
def test_a_layer_says_what_is_other(top: str, expected: dict[str, Any], tmp_path: Path) -> None:
    layer = f"services:\n  web:\n{top}"
    found = workers(tmp_path, {"compose.yaml": f"{APP}{LOGS}", "compose.prod.yaml": layer})

    assert found["compose.prod.yaml"].get("logging", {}) == expected
    always = "always" if "always" in top else "unless-stopped"
    assert found["compose.prod.yaml"]["restart"] == always


def test_one_that_waits_for_its_tables_is_started_again(tmp_path: Path) -> None:
    rails = {
        "Gemfile": 'gem "rails"\ngem "pg"\ngem "solid_queue"\n',
        "Dockerfile": "FROM ruby:3.3\nWORKDIR /rails\nCOPY . .\n",
        "config/application.rb": "module Blog\nend\n",
        "config/environments/production.rb": "Rails.application.configure do\n"
        "  config.active_job.queue_adapter = :solid_queue\nend\n",
        "bin/jobs": "require 'solid_queue/cli'\nSolidQueue::Cli.start(ARGV)\n",
        "compose.yaml": "services:\n  web:\n    build: .\n    command: bin/rails server\n"
        "    restart: 'no'\n  db:\n    image: postgres:16\n",
    }
    put(tmp_path, rails)

    ok("sidecar", "generate", str(tmp_path), "--target", "all")

    services = compose_values((tmp_path / "compose.yaml").read_text())["services"]
    assert [each["restart"] for name, each in services.items() if name in ("worker", "jobs")] == [
        "on-failure"
    ]


def test_a_secret_among_the_options_is_not_copied(tmp_path: Path) -> None:
    options = (
        "    logging:\n      driver: splunk\n      options:\n        splunk-token: 9f8e7d6c5b4a\n"
    )
    found = workers(tmp_path, {"compose.yaml": f"{APP}{options}"})

    assert "logging" not in found["compose.yaml"]
