"""Why a run failed."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

Reason = Literal[
    "error", "timeout", "unrecoverable", "cancelled", "crashed", "undecodable", "unknown-task"
]
"""Why a run failed: the handler raised; it overran; it gave up; somebody cancelled it; its process
died more often than allowed; its stored data cannot be read; its task is not registered."""


REASONS: frozenset[str] = frozenset(get_args(Reason))


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a run failed, kept with the job."""

    reason: Reason
    message: str
    """One line: for an exception its type and text."""
    traceback: str = ""
    type: str = ""
    """The exception's class, if there was one."""

    def __str__(self) -> str:
        return self.message if self.reason == "error" else f"[{self.reason}] {self.message}"
