"""Where each system is installed: the peers have environments of their own, made when needed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import ROOT, BenchmarkError

HERE = Path(__file__).resolve().parent
FOLDER = ROOT / "build" / "peers"
_MADE = ".made-from"


class Environment(NamedTuple):
    """An installed interpreter."""

    program: str
    variables: dict[str, str]


def own() -> Environment:
    """Return the environment that this runs in."""
    return Environment(sys.executable, {})


def python(lock: str) -> Environment:
    """Return a virtual environment with what a lock beside this file names, made if it is not."""
    folder = FOLDER / Path(lock).stem

    def make() -> None:
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        pip = [str(folder / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install"]
        _run(*pip, "--quiet", "--require-hashes", "--requirement", str(HERE / lock))

    _made(folder, [HERE / lock], make)
    return Environment(str(folder / "bin" / "python"), {})


def node() -> Environment:
    """Return Node with the packages that ``package-lock.json`` names, installed if they are not."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        raise BenchmarkError("there is no node or npm on the PATH; hint: install Node 20 or newer")
    folder = FOLDER / "node"
    files = [HERE / "package.json", HERE / "package-lock.json"]

    def make() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copy(file, folder)
        _run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder))

    _made(folder, files, make)
    return Environment(program, {"BENCH_NODE": str(folder), "NODE_ENV": "production"})


def _made(folder: Path, files: list[Path], make: Callable[[], None]) -> None:
    """Make an environment, unless it has been made from the same files before."""
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    stamp = folder / _MADE
    if not stamp.exists() or stamp.read_text() != digest:
        make()
        stamp.write_text(digest)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise BenchmarkError(f"{' '.join(command[:4])} … failed: {' | '.join(last)}")
