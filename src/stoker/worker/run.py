"""One run of one job, while it lasts."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from stoker.context import JobContext
from stoker.handler import Handler
from stoker.job.model import JobRecord, Lease
from stoker.job.retry import Policy

Stop = Literal["timeout", "lost", "shutdown"]
"""Why a run is interrupted: it overran; its lease is somebody else's or gone; the worker stops."""


class Run:
    """A claimed job with its handler, and the means to interrupt it."""

    __slots__ = ("context", "handler", "lease", "policy", "record", "stopped", "task", "timer")

    def __init__(
        self,
        record: JobRecord,
        lease: Lease,
        handler: Handler,
        policy: Policy,
        context: JobContext[Any],
    ) -> None:
        self.record = record
        self.lease = lease
        self.handler = handler
        self.policy = policy
        self.context = context
        self.task: asyncio.Task[None] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.stopped: Stop | None = None

    def start_clock(self) -> None:
        """Begin to measure the time it may take."""
        if self.policy.timeout_ms is not None:
            loop = asyncio.get_running_loop()
            self.timer = loop.call_later(self.policy.timeout_ms / 1_000, self.stop, "timeout")

    def stop_clock(self) -> None:
        """It ended."""
        if self.timer is not None:
            self.timer.cancel()

    def stop(self, why: Stop) -> None:
        """Interrupt it. The first reason stands, except that a lost lease outweighs the others."""
        if self.stopped is None or why == "lost":
            self.stopped = why
        self.context.cancelled = True
        if self.task is not None:
            self.task.cancel()
