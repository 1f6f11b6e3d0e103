"""SIGTERM and SIGINT on a worker's event loop, and not on those of the processes it forks."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager

_NUMBERS = (signal.SIGTERM, signal.SIGINT)
_caught = False


@contextmanager
def caught(told: Callable[[str], None]) -> Generator[None]:
    """Call ``told`` with the signal's name; at the end the signals are the system's again."""
    global _caught
    loop = asyncio.get_running_loop()
    for number in _NUMBERS:
        loop.add_signal_handler(number, told, number.name)
    _caught = True
    try:
        yield
    finally:
        _caught = False
        for number in _NUMBERS:
            loop.remove_signal_handler(number)


def _in_child() -> None:
    """Undo it in a child that a handler forked, as ``multiprocessing`` does.

    It shares the socket through which signals reach the loop: a SIGTERM to the child, with which a
    pool ends, would stop the worker and leave the child as it is.
    """
    if _caught:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
