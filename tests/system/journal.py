"""What a worker says while it works: its events as lines of a file."""

from __future__ import annotations

import time
from typing import Any

import msgspec


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something the worker said."""

    event: str
    at: float
    jobs: list[tuple[str, str]] = []
    """Ids and tokens."""
    kinds: list[str] = []
    """For finished jobs, how, in the order of ``jobs``."""
    text: str = ""


def line(event: str, fields: dict[str, Any]) -> Line:
    """Return an event as a line of the journal."""
    jobs: list[tuple[str, str]] = []
    kinds: list[str] = []
    text = ""
    match event:
        case "jobs.claimed":
            jobs = [(job.id, job.token) for job in fields["jobs"]]
        case "jobs.finished":
            for outcome in fields["outcomes"]:
                lease = outcome.lease
                jobs.append((lease.id, lease.token))
                lost = " lost" if lease in fields["lost"] else ""
                crashed = " crashed" if getattr(outcome, "crashed", False) else ""
                kinds.append(type(outcome).__name__ + crashed + lost)
        case "jobs.lost":
            jobs = [(lease.id, lease.token) for lease in fields["leases"]]
        case "jobs.recovered":
            jobs = [(id, "") for id in fields["ids"]]
        case "job.failed":
            jobs, text = [(fields["job"].id, fields["job"].token)], str(fields["failure"])
        case "job.stuck":
            jobs = [(fields["job"].id, fields["job"].token)]
        case "broker.failed":
            text = f"{fields['doing']}: {type(fields['error']).__name__}: {fields['error']}"
        case _:
            text = ", ".join(f"{name}={value}" for name, value in fields.items())
    return Line(event, time.time(), jobs, kinds, text)
