"""The worker's own process: how long it outlives its work for what handlers have left running."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from stoker.worker.timers import new_event_loop

LEAVE_SECONDS = 3.0
"""What is left running when all jobs are settled or handed back has so long to end."""

_log = logging.getLogger("stoker.worker")


def run_and_leave(work: Coroutine[Any, Any, None], told: Callable[[BaseException], int]) -> None:
    """``asyncio.run`` for a process that has nothing to do but ``work``.

    A coroutine that ignores that it is cancelled, or a call in the loop's own thread pool that
    hangs, would keep ``asyncio.run``, and then the interpreter, from ever ending. Here the process
    leaves without it, with exit code 0: its job was handed back long ago. If ``work`` failed, its
    error is ``told`` first, which returns the exit code.
    """
    runner = asyncio.Runner(loop_factory=new_event_loop)
    try:
        runner.run(work)
    except BaseException as error:
        if not _closes(runner):
            _leave(told(error))
        raise
    if not _closes(runner):
        _leave(0)


def _closes(runner: asyncio.Runner) -> bool:
    # In a thread: closing waits for both, and there is no asking it to give up.
    closing = threading.Thread(target=runner.close, name="stoker-leaving", daemon=True)
    closing.start()
    closing.join(LEAVE_SECONDS)
    return not closing.is_alive()


def _leave(code: int) -> None:
    _log.warning("something that a handler began does not end; leaving without it")
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
