"""Child processes: for CPU work, and for anything that may crash. One job at a time in each."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from stoker.failure import Failure
from stoker.job.duration import describe
from stoker.job.outcome import (
    Cancel,
    Crashed,
    Raised,
    Report,
    Retry,
    Returned,
    Snooze,
)
from stoker.worker.deadlines import Deadlines
from stoker.worker.executors.thread import Threads
from stoker.worker.executors.wire import (
    Began,
    Ended,
    FromChild,
    LogLine,
    Progress,
    RunJob,
    decode_answer,
    receive,
    send,
)
from stoker.worker.run import Run

LOAD_SECONDS = 300.0
"""How long a child may take before it calls the handler: for its imports and ``setup``."""

_COMMAND = [sys.executable, "-m", "stoker.worker.executors.child"]


class Children:
    """Child processes, started when needed and reused: as many as jobs are run in at once."""

    def __init__(self, threads: Threads, deadlines: Deadlines) -> None:
        self._threads = threads
        self._deadlines = deadlines
        # Whatever a handler makes of this process's folder: relative paths in the code that a
        # child imports mean the same files as here.
        self._folder: Path | None = None
        with contextlib.suppress(FileNotFoundError):  # it was deleted: then a child has none either
            self._folder = Path.cwd()
        self._idle: list[_Child] = []
        self._all: set[_Child] = set()

    async def run(self, run: Run) -> Report:
        """Run a job in a child. Cancelled, it kills the child; a child that dies is a report."""
        child = self._idle.pop() if self._idle else None
        if child is not None and not child.alive:
            self._drop(child)  # it died while it was idle; no job is to pay for that
            child = None
        if child is None:
            child = await self._threads.run(_Child, self._folder)
            self._all.add(child)
        try:
            report = await self._run_in(child, run)
        except BaseException:
            self._drop(child)
            raise
        if child.alive and not _wore_out(report):
            self._idle.append(child)
        else:
            self._drop(child)
        return report

    async def _run_in(self, child: _Child, run: Run) -> Report:
        """Run a job in a child. Its own timeout counts from when its code is loaded."""
        loop = asyncio.get_running_loop()
        loading = asyncio.timeout(LOAD_SECONDS)

        def begin() -> None:
            with contextlib.suppress(RuntimeError):  # too late: the run was interrupted
                loading.reschedule(None)
                self._deadlines.add(run)

        try:
            async with loading:
                return await self._threads.run(
                    child.run, run, lambda: loop.call_soon_threadsafe(begin)
                )
        except TimeoutError:
            if not loading.expired():
                raise
            child.kill()
            limit = describe(LOAD_SECONDS * 1_000)
            what = f"its imports and setup in a child process took longer than {limit}"
            return Raised(Failure("timeout", what))

    async def close(self) -> None:
        """End the children: those that are idle leave by themselves when their input closes."""
        for child in list(self._all):
            self._drop(child)

    def _drop(self, child: _Child) -> None:
        self._all.discard(child)
        child.kill()


class _Child:
    """One child process, used from one thread at a time."""

    def __init__(self, folder: Path | None) -> None:
        self._process = subprocess.Popen(
            _COMMAND,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Its own group: Ctrl-C in the terminal is for the worker, which decides what it means.
            start_new_session=True,
        )
        self._in = cast(BinaryIO, self._process.stdin)
        self._out = cast(BinaryIO, self._process.stdout)
        self._killed = False

    @property
    def alive(self) -> bool:
        """Whether it can be given a job."""
        return not self._killed and _code(self._process, wait=False) is None

    def kill(self) -> None:
        """End it now."""
        self._killed = True
        if self._process.returncode is None:  # else its pid may be another's by now
            # With all that the handler started; its session is its process group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for stream in (self._in, self._out):
            with contextlib.suppress(OSError):  # what was not sent cannot be sent any more
                stream.close()

    def run(self, run: Run, began: Callable[[], object]) -> Report:
        """Run a job to its end, passing on what it reports on the way."""
        request = RunJob(run.handler.origin, run.record, run.context.max_attempts, sys.path)
        try:
            send(self._in, request)
            while (body := receive(self._out)) is not None:
                answer: FromChild = decode_answer(body)
                match answer:
                    case Began():
                        began()
                    case Progress(value):
                        run.context.report_progress(value)
                    case LogLine(line):
                        run.context.log(line)
                    case Ended() as ended:
                        return _report(ended)
        except (OSError, ValueError):  # its pipe broke, or was closed by kill()
            pass
        self._killed = True
        return Crashed(f"its child process {_how(_code(self._process) or 0)}")


def _code(process: subprocess.Popen[bytes], *, wait: bool = True) -> int | None:
    """Return how a child ended, or ``None`` if it has not, and leave its pid to it.

    A pid that was waited for belongs to nobody, and who kills its group later may kill another's.
    """
    if process.returncode is not None or not hasattr(os, "waitid"):
        return process.wait() if wait else process.poll()
    how = os.WEXITED | os.WNOWAIT | (0 if wait else os.WNOHANG)
    try:
        ended = os.waitid(os.P_PID, process.pid, how)
    except ChildProcessError:  # kill() was quicker
        return process.wait() if wait else process.poll()
    if ended is None:
        return None
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def _how(code: int) -> str:
    if code >= 0:
        return f"ended by itself with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    memory = "; the system may have run out of memory" if name == "SIGKILL" else ""
    return f"was killed by {name}{memory}"


def _wore_out(report: Report) -> bool:
    """Whether a child is not to be used again: the memory that it lacked, the next job may need."""
    return isinstance(report, Raised) and report.failure.type == "MemoryError"


def _report(ended: Ended) -> Report:
    match ended.kind:
        case "returned":
            return Returned(ended.value)
        case "snooze":
            return Snooze(ended.seconds or 0)
        case "retry":
            return Retry(ended.seconds, ended.value)
        case "cancel":
            return Cancel(ended.value)
        case "raised":
            assert ended.failure is not None
            return Raised(ended.failure, ended.final)


def default_limit() -> int:
    """Return how many children there may be unless set: one per core we may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
