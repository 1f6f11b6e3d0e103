"""What ``--version`` says."""

from __future__ import annotations

import platform
from importlib import metadata

import apsw


def stoker_version() -> str:
    """Return Stoker's version."""
    return metadata.version("stoker")


def versions() -> str:
    """Return what somebody who reports a problem is asked for first."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return (
        f"stoker {stoker_version()}\n"
        f"{python} on {platform.system()} {platform.machine()}\n"
        f"SQLite {apsw.sqlite_lib_version()}"
    )
