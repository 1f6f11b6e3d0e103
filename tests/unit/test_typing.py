"""What tests/typing/api.py says of the public types is what a strict type checker finds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
API = ROOT / "tests" / "typing" / "api.py"
PYRIGHT = Path(sys.executable).with_name("pyright")


def check(file: Path) -> subprocess.CompletedProcess[str]:
    """Run pyright on one file, with the project's settings."""
    return subprocess.run(
        [PYRIGHT, "--project", ROOT, "--pythonpath", sys.executable, file],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
    )


def test_the_public_types_are_what_the_file_says() -> None:
    result = check(API)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 errors, 0 warnings" in result.stdout


def test_a_file_that_says_something_else_is_refused(tmp_path: Path) -> None:
    text = API.read_text(encoding="utf-8")
    wrong = text.replace("Job[int])", "Job[str])").replace('enqueue("1", DAY', "enqueue(1, DAY")
    other = tmp_path / "api.py"
    other.write_text(wrong, encoding="utf-8")

    result = check(other)

    assert result.returncode == 1
    assert "reportAssertTypeFailure" in result.stdout
    assert "reportUnnecessaryTypeIgnoreComment" in result.stdout
