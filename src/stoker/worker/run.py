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

    __slots__ = (
        "began",
        "begun",
        "context",
        "ended",
        "handler",
        "lease",
        "policy",
        "record",
        "stopped",
        "task",
    )

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
        self.began = 0.0
        """On the monotonic clock."""
        self.begun = False
        """Its task has made its first step. Cancelled before that it would never make one, and say
        nothing of its end."""
        self.task: asyncio.Task[None] | None = None
        self.stopped: Stop | None = None
        self.ended = False
        """The handler is through; what is left is to say so, and that is not interrupted."""

    @property
    def in_child(self) -> bool:
        """Whether it needs a child process."""
        return self.handler.run_in == "process"

    def stop(self, why: Stop) -> None:
        """Interrupt it. The first reason stands, except that a lost lease outweighs the others."""
        if self.stopped is None or why == "lost":
            self.stopped = why
        self.context.cancelled = True
        if self.task is not None and self.begun and not self.ended:
            self.task.cancel()
