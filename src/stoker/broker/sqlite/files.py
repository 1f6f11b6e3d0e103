"""The files behind a connection, as the operating system has them: there or not, on the disk."""

from __future__ import annotations

import os
from pathlib import Path

from stoker.config import MEMORY
from stoker.errors import BrokerUnavailable


class Files:
    """The database and its ``-wal`` file, at the moment a connection to them was opened."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._in_memory = path == MEMORY
        self._database = _identity(path)
        if not self._in_memory:
            # SQLite takes no locks on this one, so closing it again drops none.
            self._log_path = f"{path}-wal"
            self._log = os.open(self._log_path, os.O_RDONLY | os.O_CLOEXEC)
            self._log_is = _pair(os.fstat(self._log))

    def check(self) -> None:
        """Raise ``BrokerUnavailable`` if they were deleted, moved or replaced meanwhile.

        SQLite does not notice: it would go on writing into a file that nobody can find.
        """
        if self._in_memory:
            return
        if not self.in_place():
            raise gone(self._path)
        if _identity(self._log_path) != self._log_is:
            raise BrokerUnavailable(
                f"{self._log_path} was deleted or moved while it was in use; "
                "this call may be stored or not",
                hint="leave that file to SQLite: it holds the last jobs that were added",
            )

    def in_place(self) -> bool:
        """Whether the path still leads to the database that was opened."""
        return _identity(self._path) == self._database

    def sync(self) -> None:
        """Wait until the disk has all that any process has committed."""
        if not self._in_memory:
            sync(self._log)

    def close(self) -> None:
        """Let go of them."""
        if not self._in_memory:
            os.close(self._log)


def gone(path: str) -> BrokerUnavailable:
    """Return the error for a database that is not at its place any more."""
    if Path(path).exists():
        return BrokerUnavailable(
            f"{path} was replaced by another file while it was in use; this call was not made",
            hint="try again: the new file is used from now on; it has no jobs of the old one",
        )
    return BrokerUnavailable(
        f"{path} was deleted or moved while it was in use; nothing is stored any more",
        hint="put it back, or restart all its processes to begin with an empty one",
    )


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - at every commit: Path.stat takes three times as long
    except OSError:
        return None
    return _pair(status)


def _pair(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def sync(descriptor: int) -> None:
    """As SQLite does it: the file's length and contents, not its times."""
    getattr(os, "fdatasync", os.fsync)(descriptor)
