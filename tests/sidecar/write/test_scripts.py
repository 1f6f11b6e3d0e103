"""What is offered for ``package.json`` runs as it stands, and the rest of the file stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.support import ok
from tests.sidecar.write.test_own_services import generated
from tests.sidecar.write.test_workspace_images import API, BUILD, NEST

SCRIPT = '"dev:worker": "cd apps/worker && npx nest start"'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"name": "acme",\n  "scripts": {"build": "tsc"},\n  "engines": {"node": ">=20"}\n}\n',
         '{"name": "acme",\n  "scripts": {"build": "tsc", SCRIPT},\n  "engines": {"node": ">=20"}'
         "\n}\n"),
        ('{\n\t"scripts": {\n\t\t"build": "tsc"\n\t},\n\t"files": ["a", "b"]\n}',
         '{\n\t"scripts": {\n\t\t"build": "tsc",\n\t\tSCRIPT\n\t},\n\t"files": ["a", "b"]\n}'),
        ('{\n  "a": {"scripts": {}},\n  "scripts": {}\n}\n',
         '{\n  "a": {"scripts": {}},\n  "scripts": {SCRIPT}\n}\n'),
        ('{\n  "files": [\n    "a"\n  ]\n}\n',
         '{\n  "files": [\n    "a"\n  ],\n  "scripts": {\n    SCRIPT\n  }\n}\n'),
        ('{"private": true}', '{"private": true, "scripts": {SCRIPT}}'),
        ("{}", '{"scripts": {SCRIPT}}'),
    ],
)  # fmt: skip
def test_a_script_is_put_in_as_the_file_is_written(tmp_path: Path, before: str, after: str) -> None:
    generated(tmp_path, NEST, {"Dockerfile": BUILD + API, "package.json": before})
    ok("sidecar", "generate", str(tmp_path), "--scripts")

    made = (tmp_path / "package.json").read_text()
    assert made == after.replace("SCRIPT", SCRIPT)
    assert json.loads(made)["scripts"]["dev:worker"]


def test_what_is_no_object_is_left_alone(tmp_path: Path) -> None:
    odd = '{"scripts": ["build"]}'
    generated(tmp_path, NEST, {"Dockerfile": BUILD + API, "package.json": odd})
    ok("sidecar", "generate", str(tmp_path), "--scripts")

    assert (tmp_path / "package.json").read_text() == odd
