"""Jobs and queues for machines: the same keys always, JSON inside of JSON as it was stored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
import msgspec

from stoker.broker.base import Detail, QueueStats
from stoker.job.model import JobRecord
from stoker.job.states import State

_JSON = ("data", "options", "progress", "result", "failure")


def write_json(value: Any) -> None:
    """Write one line of JSON."""
    click.echo(msgspec.json.encode(value))


def write_lines(values: Iterable[Any]) -> None:
    """Write a line of JSON for each."""
    for value in values:
        write_json(value)


def job_object(job: JobRecord) -> dict[str, Any]:
    """Return a job; its times are milliseconds since the epoch, its lease's token is left out."""
    fields = msgspec.structs.asdict(job)
    del fields["token"]
    return fields | {key: _json(fields[key]) for key in _JSON}


def detail_object(detail: Detail) -> dict[str, Any]:
    """Return a job with its log."""
    return job_object(detail.job) | {"logs": list(detail.logs)}


def queue_object(queue: QueueStats) -> dict[str, Any]:
    """Return a queue with a count for every state."""
    counts = {state: queue.counts.get(state, 0) for state in State}
    return {"name": queue.name, "paused": queue.paused, "counts": counts}


def _json(text: str | None) -> Any:
    """Embed stored JSON letter by letter: no number in it loses a digit."""
    if text is None:
        return None
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    return msgspec.Raw(text.encode())
