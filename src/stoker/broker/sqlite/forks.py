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
    def rest(self) -> None: ...
    def resume(self) -> None: ...


not_carried_across: weakref.WeakSet[_Open] = weakref.WeakSet()
_resting: list[_Open] = []
_one_at_a_time = threading.Lock()


def _before() -> None:
    _one_at_a_time.acquire()
    _resting.extend(not_carried_across)
    for each in _resting:
        each.rest()


def _in_parent() -> None:
    for each in _resting:
        each.resume()
    _resting.clear()
    _one_at_a_time.release()


def _in_child() -> None:
    not_carried_across.clear()  # their threads are the parent's
    _resting.clear()
    _one_at_a_time.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
