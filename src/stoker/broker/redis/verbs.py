"""From BullMQ's events to ours.

BullMQ tells where a job went, we tell which verb brought it there. Where its word could mean
several of ours, the entry says it in a field ``stoker``; an entry without it is somebody else's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stoker.job.model import Event

Entry = tuple[str, Sequence[str]]
"""Of a stream: a cursor, then fields and values in turn."""

_SAME = ("added", "completed", "failed", "removed", "progress", "paused", "resumed", "updated",
         "cancelled")  # fmt: skip
_VERBS = dict.fromkeys(_SAME, "") | {"active": "claimed", "stalled": "recovered"}


def events_in(queue: str, entries: Sequence[Entry]) -> list[Event]:
    """Return the events among a stream's entries; some entries are only for BullMQ's eyes."""
    found: list[Event] = []
    for cursor, pairs in entries:
        entry = dict(zip(pairs[::2], pairs[1::2], strict=False))
        kind = _kind(entry)
        if kind is None:
            continue
        id = entry.get("jobId")
        fields: dict[str, Any] = {"progress": entry.get("data", "")} if kind == "progress" else {}
        at = int(cursor.partition("-")[0])
        found.append(Event(cursor, kind, queue, at, () if id is None else (id,), fields))
    return found


def _kind(entry: Mapping[str, str]) -> str | None:
    event = entry.get("event", "")
    if "stoker" in entry:
        return entry["stoker"]
    if event in _VERBS:
        return _VERBS[event] or event
    if event == "waiting" and entry.get("prev") in ("delayed", "waiting-children"):
        return "promoted"
    if event == "waiting" and entry.get("prev") in ("completed", "failed"):
        return "requeued"
    return None
