"""Worker processes, as their own people start them, and what they cost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

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
        path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path), **environment}
        self._log = log

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self._command],
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
            self._process.wait(10)
        with suppress(ProcessLookupError):  # nothing of it is left
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def check(self) -> None:
        """Raise ``BenchmarkError`` if it has ended by itself."""
        if (code := self._process.poll()) is not None:
            last = self._log.read_text(errors="replace").strip().splitlines()[-5:]
            raise BenchmarkError(f"the worker ended with exit code {code}: {' | '.join(last)}")

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
