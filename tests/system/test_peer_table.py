"""The benchmark at work on Stoker itself, as small as it goes: that it measures, not how much."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]


def test_the_peer_table_measures_stoker(tmp_path: Path) -> None:
    what = ["--systems", "stoker-sqlite", "--scenarios", "single,bulk,memory,drain"]
    how = ["--rounds", "1", "--scale", "0.01", "--json", "--folder", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peers", *what, *how],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    figures = report["systems"]["stoker-sqlite"]["figures"]
    assert figures.keys() >= {"single", "bulk", "memory", "drain", "worker_cpu"}
    assert all(figures[name]["value"] > 0 for name in ("single", "bulk", "memory", "drain"))
    assert not any(figure["void"] or figure["failed"] for figure in figures.values())
    assert report["identity"]["stoker-sqlite"].startswith("0.")
    [kept] = tmp_path.iterdir()  # nothing else is left behind
    assert json.loads(kept.read_text()) == report
