"""The child process's side: read a job, run it, say how it ended; leave when the worker is gone.

Started with ``python -m stoker.worker.executors.child``. The protocol has standard input and output
to itself: what handlers print goes to standard error.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import runpy
import signal
import sys
import threading
from inspect import isawaitable
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any, BinaryIO

from stoker.context import JobContext, running
from stoker.errors import Unrecoverable
from stoker.handler import Handler, Origin
from stoker.job.duration import milliseconds
from stoker.job.model import JobRecord
from stoker.job.outcome import Cancel, Raised, Report, Retry, Returned, Snooze, failure_of
from stoker.worker.executors import reported
from stoker.worker.executors.wire import (
    Began,
    Ended,
    LogLine,
    Progress,
    RunJob,
    decode_request,
    receive,
    send,
)


class _Pipe:
    """Passes a handler's reports on to the worker; from any of the handler's threads."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, message: Any) -> None:
        with self._lock:
            send(self._stream, message)

    def progress(self, job: JobRecord, value: str) -> None:
        self.send(Progress(value))

    def log(self, job: JobRecord, line: str) -> None:
        self.send(LogLine(line))


def main() -> None:
    """Serve until standard input closes."""
    requests: BinaryIO = os.fdopen(os.dup(0), "rb")
    pipe = _Pipe(os.fdopen(os.dup(1), "wb"))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    work: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_read, args=(requests, work), daemon=True).start()
    loaded: dict[Origin, Handler] = {}
    with asyncio.Runner() as runner:
        while True:
            request = decode_request(work.get())
            pipe.send(_run(request, pipe, loaded, runner))


def _read(requests: BinaryIO, work: SimpleQueue[bytes]) -> None:
    """Pass requests on. At the end of input leave at once, whatever the handler is doing.

    The worker is gone or has given the job up: another may be running it by now. What the handler
    has started goes too, if the group is ours, as it is when a worker started us.
    """
    while (body := receive(requests)) is not None:
        work.put(body)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _run(
    request: RunJob, pipe: _Pipe, loaded: dict[Origin, Handler], runner: asyncio.Runner
) -> Ended:
    try:
        handler = loaded.get(request.origin)
        if handler is None:
            handler = loaded[request.origin] = _load(request)
            if handler.hooks is not None:
                _complete(handler.hooks.setup(), runner)
        data = handler.decode(request.record.data)
        context = JobContext(request.record, data, request.max_attempts, pipe)
        pipe.send(Began())
        running.set(context)
        return _ended(reported(handler, _complete(handler.call(context), runner)))
    except Unrecoverable as error:
        return Ended("raised", failure=failure_of(error, "unrecoverable"), final=True)
    except BaseException as error:
        return Ended("raised", failure=failure_of(error))


def _complete(value: Any, runner: asyncio.Runner) -> Any:
    async def wait() -> Any:
        return await value

    return runner.run(wait()) if isawaitable(value) else value


def _load(request: RunJob) -> Handler:
    """Find the task the worker's registry named; nothing of the job's own data is looked up."""
    sys.path[:] = request.path
    origin = request.origin
    if origin.script is not None:
        script = runpy.run_path(origin.script, run_name="__stoker_child__")
        found: Any = SimpleNamespace(**script)
    else:
        found = importlib.import_module(origin.module)
    for name in origin.qualname.split("."):
        found = getattr(found, name)
    return found.handler


def _ended(report: Report) -> Ended:
    match report:
        case Returned(value):
            return Ended("returned", value)
        case Snooze(delay):
            return Ended("snooze", seconds=milliseconds(delay, "Snooze") / 1_000)
        case Retry(in_, why):
            seconds = None if in_ is None else milliseconds(in_, "Retry(in_)") / 1_000
            return Ended("retry", why, seconds)
        case Cancel(why):
            return Ended("cancel", why)
        case Raised(failure, final):
            return Ended("raised", failure=failure, final=final)
        case _:
            raise AssertionError(f"a child does not report {report}")


if __name__ == "__main__":
    main()
