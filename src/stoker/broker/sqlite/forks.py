"""Before this process forks, its databases are closed; after it, the parent opens them again.

SQLite keeps in memory, once a process, which locks it holds on a file. A child would inherit that
knowledge but not the locks: its own connections would take none. A commit under way in the parent
would look to it like a lock that is never given back; and the last other process to close the file
would delete the ``-wal`` file under the child, with what the child had been told is stored.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol


class _Open(Protocol):
    def rest(self) -> None:
        """Close the file for a moment; calls that come meanwhile wait."""

    def resume(self) -> None:
        """Open it again."""

    def disown(self) -> None:
        """In the child, whose copy has no threads: refuse every call."""


_open: weakref.WeakSet[_Open] = weakref.WeakSet()
_resting: list[_Open] = []
_lock = threading.Lock()
"""Held from before a fork until after it, and by who enters or leaves."""


def enter(opening: _Open) -> None:
    """Do not carry it across a fork, from now on: before its file is opened."""
    with _lock:
        _open.add(opening)


def leave(closed: _Open) -> None:
    """It is closed."""
    with _lock:
        _open.discard(closed)


def _before() -> None:
    _lock.acquire()
    _resting.extend(_open)
    for each in _resting:
        each.rest()


def _in_parent() -> None:
    for each in _resting:
        each.resume()
    _resting.clear()
    _lock.release()


def _in_child() -> None:
    for each in _resting:
        each.disown()
    _resting.clear()
    _open.clear()
    _lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
