"""The worker as a user would start it: ``stoker worker depot.worker:app``, a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
COMMAND = ["worker", "depot.worker:app"]
STOP_SECONDS = 40.0
"""More than the worker gives running jobs to end."""
MOST_STARTS = 5
START_SECONDS = 1.0
"""At the least between two starts."""


class WorkerGone(Exception):
    """It does not stay alive; the text is the end of its log."""


class Worker:
    """One worker process, started again when it dies, as a supervisor would.

    It has the file ``keeps`` open, too: what is locked by it is locked until the worker is gone.
    """

    def __init__(self, log: Path, keeps: int) -> None:
        self.log = log
        self.starts = 0
        self._keeps = keeps
        self._process = self._start()

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._process.pid

    def revive(self) -> str | None:
        """Start it again if it has died; return how it died. Raises ``WorkerGone``."""
        code = self._process.poll()
        if code is None or time.monotonic() < self._again_at:
            return None
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        if self.starts == MOST_STARTS:
            raise WorkerGone(f"the worker ended with {how} again:\n{self.last_words()}")
        self._process = self._start()
        return how

    def stop(self) -> None:
        """Let it end what it runs; a Ctrl-C meanwhile interrupts that, and one more kills it."""
        for end in (self._process.terminate, self._process.terminate, self._process.kill):
            try:
                end()
                self._process.wait(STOP_SECONDS)
                return
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                continue

    def last_words(self) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])

    def _start(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        self._again_at = time.monotonic() + START_SECONDS
        path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "stoker", *COMMAND],
                env=os.environ | {"PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[self._keeps],
                start_new_session=True,  # Ctrl-C is for the demo, which then stops the worker
            )
