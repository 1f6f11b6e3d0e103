"""Worker processes, as their own people start them, and what they cost."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

ROOT = Path(__file__).resolve().parent.parent
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


class BenchmarkError(Exception):
    """Something could not be measured."""


class Usage(NamedTuple):
    """What a process and its children use."""

    rss_mib: float
    cpu_seconds: float


class WorkerProcess:
    """A worker from start to stop. Leaving the block ends it, and whatever it has started."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._command = command
        self._environment = inherited(environment)
        self._log = log

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that all of it can be found, and ended
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self.kill()

    def kill(self) -> None:
        """End it as the kernel does when memory runs out: all of it, at once, without a word."""
        with suppress(ProcessLookupError):  # nothing of it is left
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def check(self) -> None:
        """Raise ``BenchmarkError`` if it has ended by itself."""
        if (code := self._process.poll()) is not None:
            raise BenchmarkError(f"the worker ended with exit code {code}: {last_words(self._log)}")

    def last_words(self) -> str:
        """Return the end of what it has printed."""
        return last_words(self._log)

    def let_be(self, seconds: float) -> None:
        """Wait, and raise ``BenchmarkError`` if it ends meanwhile."""
        time.sleep(seconds)
        self.check()

    def usage(self) -> Usage:
        """Return what it uses, children included; zeros where there is no /proc."""
        rss, cpu = 0, 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:  # it has just ended
                continue
            if int(fields[2]) == self._process.pid:  # its process group
                rss += int(fields[21]) * _PAGE
                cpu += int(fields[11]) + int(fields[12])
        return Usage(rss / 2**20, cpu / _TICKS)


class DriverProcess:
    """The program that adds a system's jobs, answering one request after another."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                command,
                env=inherited(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )

    def ask(self, do: str, within: float = 240, **args: object) -> Any:
        """Return the answer to a request. Raises ``BenchmarkError`` instead of waiting for ever."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, "args": args}).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise BenchmarkError(f"{do}: {last_words(self._log)}") from None
        if not select.select([self._process.stdout], [], [], within)[0]:
            raise BenchmarkError(f"{do} took longer than {within:.0f} s")
        line = self._process.stdout.readline()
        if not line:
            raise BenchmarkError(f"{do}: {last_words(self._log)}")
        answer = json.loads(line)
        if "error" in answer:
            raise BenchmarkError(f"{do}: {answer['error']}")
        return answer["value"]

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process.stdout.close()


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with these changes; Python finds the benchmarks in it."""
    path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path), **environment}


def last_words(log: Path) -> str:
    """Return the end of what a process has printed."""
    lines = log.read_text(errors="replace").strip().splitlines()[-2:]
    return " | ".join(lines) or "it ended without a word"


def wait_until(
    done: Callable[[], bool], worker: WorkerProcess, seconds: float, every: float = 0.002
) -> bool:
    """Wait until ``done()``; ``False`` if it is not by then. Raises if the worker dies."""
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            return False
        worker.check()
        time.sleep(every)
    return True
