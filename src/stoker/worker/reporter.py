"""Takes what handlers report while they run, from any thread, and writes it in batches."""

from __future__ import annotations

import asyncio
import threading

from stoker.broker.base import Broker, Patch
from stoker.events import emit
from stoker.job.model import JobRecord, Lease, lease_of

EVERY_SECONDS = 0.1
MOST_LINES = 1_000
"""Lines of one job that wait to be written; a handler that logs faster loses the rest."""


class _Pending:
    __slots__ = ("dropped", "lines", "progress")

    def __init__(self) -> None:
        self.progress: str | None = None
        self.lines: list[str] = []
        self.dropped = 0

    def patch(self, token: str) -> Patch:
        lines = self.lines
        if self.dropped:
            lines = [*lines, f"({self.dropped} lines were dropped: too many at once)"]
        return Patch(token=token, progress=self.progress, log=tuple(lines))


class Reporter:
    """Progress and log lines on their way to the broker. Only the latest progress is written."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._pending: dict[Lease, _Pending] = {}
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._filled = asyncio.Event()

    def progress(self, job: JobRecord, value: str) -> None:
        """Note a progress, as JSON text."""
        with self._lock:
            self._of(job).progress = value
        self._wake()

    def log(self, job: JobRecord, line: str) -> None:
        """Note a line."""
        with self._lock:
            pending = self._of(job)
            if len(pending.lines) < MOST_LINES:
                pending.lines.append(line)
            else:
                pending.dropped += 1
        self._wake()

    def has(self, lease: Lease) -> bool:
        """Whether something of this job waits to be written."""
        return lease in self._pending

    async def flush(self, lease: Lease) -> None:
        """Write what a job has reported: before its outcome, which ends the lease.

        A report is worth less than the job: if the broker fails, it is dropped and said so.
        """
        with self._lock:
            pending = self._pending.pop(lease, None)
        if pending is None:
            return
        try:
            await self._broker.update(lease.queue, lease.id, pending.patch(lease.token))
        except Exception as error:
            emit("broker.failed", error=error, doing="report")

    async def run(self) -> None:
        """Write reports a few times a second, until cancelled."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            await asyncio.gather(*[self.flush(lease) for lease in list(self._pending)])
            await asyncio.sleep(EVERY_SECONDS)

    def _of(self, job: JobRecord) -> _Pending:
        lease = lease_of(job)
        pending = self._pending.get(lease)
        if pending is None:
            pending = self._pending[lease] = _Pending()
        return pending

    def _wake(self) -> None:
        if not self._filled.is_set():
            self._loop.call_soon_threadsafe(self._filled.set)
