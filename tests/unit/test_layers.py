"""The layers of pyproject.toml hold, and the contracts that say so would notice if they did not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the package in ``folder`` (which lint-imports prefers to the installed one)."""
    command = Path(sys.executable).with_name("lint-imports")
    config = ROOT / "pyproject.toml"
    return subprocess.run(
        [command, "--config", config, "--no-cache", "--no-logo"],
        cwd=folder,
        env=os.environ | {"COLUMNS": "200"},  # no verdict is broken over two lines
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_layers_hold() -> None:
    result = lint(ROOT / "src")

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("errors.py", "import stoker.broker.base", "Dependencies point down"),
        ("anywhere.py", "", "Dependencies point down"),
        ("errors.py", "from stoker import Stoker", "No module imports the facade"),
        ("broker/base.py", "import stoker.broker.sqlite", "knows the concrete brokers"),
        ("worker/__init__.py", "from stoker.broker.sqlite import *", "knows the concrete brokers"),
        ("job/retry.py", "import threading", "no I/O, by whatever detour"),
        ("errors.py", "import sqlite3", "no I/O, by whatever detour"),
    ],
)
def test_a_violation_is_noticed(tmp_path: Path, module: str, line: str, broken: str) -> None:
    shutil.copytree(ROOT / "src" / "stoker", tmp_path / "stoker")
    with (tmp_path / "stoker" / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")

    result = lint(tmp_path)

    assert result.returncode == 1
    assert f"{broken} BROKEN" in result.stdout
