"""A disk that is full while a file says so, for where none can be mounted.

As on a real one, what is there already may be written over, and nothing can be added.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw


class _File(apsw.VFSFile):
    def __init__(self, full: Path, name: Any, flags: Any) -> None:
        super().__init__("unix", name, flags)
        self._full = full

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's names
        if offset + len(data) > self.xFileSize() and self._full.exists():
            raise apsw.FullError("no space left on device")
        super().xWrite(data, offset)


class _Disk(apsw.VFS):
    def __init__(self, full: Path) -> None:
        super().__init__("fulldisk", "unix", makedefault=True)
        self._full = full

    def xOpen(self, name: Any, flags: Any) -> apsw.VFSFile:  # noqa: N802
        return _File(self._full, name, flags)


@contextmanager
def full_while(path: Path) -> Iterator[None]:
    """Databases that are opened inside of it cannot grow while ``path`` exists."""
    disk = _Disk(path)
    try:
        yield
    finally:
        disk.unregister()
