"""``stoker sidecar``: what holds for all of its commands; ``stoker init`` without their extra."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.support import ok, stoker

COMMANDS = ("sidecar detect", "sidecar plan", "sidecar explain", "sidecar generate")


WITHOUT = """
import sys

class Without:
    def find_spec(self, name, *_):
        if name == sys.argv[1]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Without())
from stoker.cli import main
main(sys.argv[2:])
"""
"""Runs ``stoker`` as if one module were not installed: in a process that has loaded none of it."""


@pytest.mark.parametrize("module", ["ruamel.yaml", "tree_sitter", "tree_sitter_go"])
@pytest.mark.parametrize("command", [*COMMANDS, "sidecar remove", "init"])
def test_a_missing_extra_is_named_with_its_remedy(folder: Path, command: str, module: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT, module, *command.split(), str(folder)],
        capture_output=True,
        text=True,
    )

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        f"error: stoker sidecar needs the package {module}, which is not installed\n"
        "hint: pip install 'stoker[sidecar]', or in a clone of Stoker: pip install '.[sidecar]'\n"
    )


def test_what_is_not_collected_while_a_project_is_seen_is_collected_afterwards(
    folder: Path,
) -> None:
    assert stoker("sidecar", "detect", "--json", str(folder)).exit_code == 0

    assert gc.isenabled()


APP = "from stoker import Stoker\n\njobs = Stoker()\n\n\n@jobs.task\ndef mail(): ...\n"
BROKEN = "services:\n  web: [\n"
TWICE = (
    "services:\n  web:\n    environment:\n      TOKEN: hunter2\n      TOKEN: hunter3\n"
    "    image: shop\n"
)


@pytest.fixture
def project(folder: Path) -> Path:
    (folder / "requirements.txt").write_text("stoker\n")
    (folder / "jobs.py").write_text(APP)
    return folder


@pytest.mark.parametrize("command", [*COMMANDS, "sidecar generate --check"])
@pytest.mark.parametrize("with_workers", [True, False])
def test_a_compose_file_that_is_no_yaml_is_named_by_every_command_and_fails_it(
    project: Path, command: str, with_workers: bool
) -> None:
    (project / "compose.yaml").write_text(BROKEN)
    if not with_workers:
        (project / "jobs.py").unlink()
    before = sorted(project.iterdir())

    result = stoker(*command.split(), str(project))

    assert result.exit_code == 1
    assert "error: compose.yaml, line 3: not YAML" in result.stderr
    assert "hint: docker compose config shows the same" in result.stderr
    assert sorted(project.iterdir()) == before
    shows = with_workers and "generate" not in command
    assert ("stoker worker jobs:jobs" in result.stdout) == shows


@pytest.mark.parametrize("command", COMMANDS[:3])
def test_for_machines_the_same_is_in_the_json_and_on_standard_error(
    project: Path, command: str
) -> None:
    (project / "compose.yaml").write_text(BROKEN)

    result = stoker(*command.split(), str(project), "--json")

    assert result.exit_code == 1
    assert json.loads(result.stderr)["error"]["message"].startswith("compose.yaml, line 3: not YA")
    shown = json.loads(result.stdout)
    notes = [each["why"] for each in shown] if "explain" in command else shown["notes"]
    assert any(note.startswith("compose.yaml:3: not readable as YAML") for note in notes)


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_no_compose_file_of_the_projects_own_fails_nothing(
    project: Path, command: str
) -> None:
    (project / "package.json").write_text("{")
    (project / "compose.test.yaml").write_text(BROKEN)

    result = stoker(*command.split(), str(project))

    assert result.exit_code == 0
    assert "note: package.json:1: " in result.stderr
    assert "note: compose.test.yaml:3: not readable as YAML" in result.stderr


@pytest.mark.parametrize("command", COMMANDS[:3])
def test_a_kept_plan_is_said_to_be_what_generate_takes(project: Path, command: str) -> None:
    assert "sidecar.json" not in stoker(*command.split(), str(project)).stderr
    plan = ok("sidecar", "plan", str(project), "--json")
    (project / "sidecar.json").write_text(plan)

    said = stoker(*command.split(), str(project))
    assert said.exit_code == 0
    assert "note: sidecar.json is this project's plan, and generate takes that one" in said.stderr
    told = stoker(*command.split(), str(project), "--json")
    assert json.loads(told.stderr)["note"].startswith("sidecar.json is this project's plan")

    (project / "sidecar.json").write_text("")  # as > sidecar.json has it, before anything runs
    again = stoker("sidecar", "plan", str(project), "--json")
    assert (again.exit_code, again.stdout, again.stderr) == (0, plan, "")


@pytest.mark.parametrize("command", [*COMMANDS, "sidecar generate --check"])
def test_a_key_that_is_there_twice_is_named_by_every_command_without_its_values(
    project: Path, command: str
) -> None:
    (project / "compose.yaml").write_text(TWICE)

    result = stoker(*command.split(), str(project))

    assert result.exit_code == 1
    assert result.stderr.endswith(
        'error: compose.yaml, line 5: the key "TOKEN" is there twice\n'
        "hint: keep one of the two: Compose refuses the file\n"
    )
    assert "hunter" not in result.output


def test_a_key_that_is_there_twice_is_noted_of_a_file_that_nothing_is_written_to(
    project: Path,
) -> None:
    (project / "compose.test.yaml").write_text(TWICE)
    (project / "compose.yaml").write_text("services:\n  web:\n    image: shop\n")

    for command in ("detect", "plan", "explain", "generate --diff"):
        result = stoker("sidecar", *command.split(), str(project))
        assert result.exit_code == 0
        assert 'compose.test.yaml:5: the key "TOKEN" is there twice; keep one' in result.output
