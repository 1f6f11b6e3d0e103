"""``stoker demo``."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from stoker.cli import demo
from tests.cli.support import Running, stoker


@pytest.mark.system
def test_the_small_demo_shows_each_kind_and_how_to_look_further(folder: Path) -> None:
    with Running(folder, "demo", "--small") as running:
        code = running.end()

    assert code == 0
    assert "106 jobs in 6 queues, one worker.\n" in running.shown
    assert re.search(r"deliveries  fail once, are tried again +10 +0 +0\n", running.shown)
    assert re.search(r"numbers     CPU work in child processes +12 +0 +0\n", running.shown)
    assert re.search(r"payments    fail for good: dead letters +0 +3 +0\n", running.shown)
    assert re.search(r"reminders   are due in an hour +0 +0 +1\n", running.shown)
    commands = re.findall(r"^  (export .*|stoker .*)$", running.shown, re.MULTILINE)
    assert len(commands) == 7
    script = "\n".join(commands).replace("\nstoker ", f"\n{shlex.quote(sys.executable)} -m stoker ")
    done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "PermissionError: the bank refuses the card of Ada" in done.stdout
    assert "Put in line: 1 job.\nPut back in line: 3 jobs.\n" in done.stdout
    assert "stopped: 1 done, " in done.stderr


@pytest.fixture
def depot(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(demo, "DEPOT", folder)
    monkeypatch.delitem(sys.modules, "demo", raising=False)
    return folder


def test_in_the_source_tree_the_example_runs(
    depot: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (depot / "demo.py").write_text("def main(argv):\n    return len(argv)\n")

    assert stoker("demo").exit_code == 0
    assert stoker("demo", "--fast", "-n", "3").exit_code == 3


def test_an_example_that_lacks_a_package_says_so(depot: Path) -> None:
    (depot / "demo.py").write_text("import nowhere_to_be_found\n")

    result = stoker("demo")

    assert result.exit_code == 1
    assert result.stderr == (
        f"error: {depot}/demo.py needs 'nowhere_to_be_found'\n"
        "hint: make setup installs all it needs; stoker demo --small needs nothing\n"
    )


def test_the_small_demo_has_no_options(depot: Path) -> None:
    result = stoker("demo", "--fast")

    assert result.exit_code == 2
    assert "No such option: --fast" in result.stderr
