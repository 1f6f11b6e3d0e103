"""detail, queues, events: what an operator sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from stoker.broker.base import Detail, QueueStats
from stoker.broker.redis.connection import Line
from stoker.broker.redis.events import START
from stoker.broker.redis.records import stored
from stoker.job.model import Log
from stoker.job.states import State

MOST_EVENTS = 500
"""Entries of one page."""
_SCANNED_AT_ONCE = 1_000
_COUNTED = (State.WAITING, State.DELAYED, State.ACTIVE, State.COMPLETED, State.FAILED)


def detail(queue: str, answer: Sequence[Any] | None) -> Detail | None:
    """Read what ``detail`` answered."""
    if answer is None:
        return None
    record, lines, times = answer
    job = stored(queue, record)
    ats = [int(at) for at in times.split(",") if at.isdigit()]
    # BullMQ keeps lines without their times: those before ours are as old as the job.
    ats = [job.created_at] * (len(lines) - len(ats)) + ats[max(len(ats) - len(lines), 0) :]
    return Detail(job, [Log(at, line) for at, line in zip(ats, lines, strict=True)])


def stats(queues: Sequence[str], answer: Sequence[Sequence[int]]) -> list[QueueStats]:
    """Read what ``queues`` answered."""
    return [
        QueueStats(name, dict(zip(_COUNTED, counts, strict=False)), paused=bool(counts[-1]))
        for name, counts in zip(queues, answer, strict=True)
    ]


async def queue_names(line: Line, prefix: str) -> list[str]:
    """Return all queues by name; each has a hash ``meta``."""
    found: set[str] = set()
    async for key in line.patient.scan_iter(
        match=f"{_literally(prefix)}:*:meta", count=_SCANNED_AT_ONCE
    ):
        name = key.removeprefix(f"{prefix}:").removesuffix(":meta")
        if ":" not in name:
            found.add(name)
    return sorted(found)


def _literally(text: str) -> str:
    return "".join(f"\\{character}" if character in "*?[]^\\" else character for character in text)


async def last_event(line: Line, key: str) -> str:
    """Return the cursor of now."""
    newest = await line.command("XREVRANGE", key, "+", "-", "COUNT", 1)
    return _entries(newest)[0][0] if newest else START


async def has_gap(line: Line, key: str, after: str) -> bool:
    """Return whether entries behind the cursor were trimmed.

    True also where the last one trimmed is the cursor's own: a look too many harms nobody.
    """
    oldest = _entries(await line.command("XRANGE", key, "-", "+", "COUNT", 1))
    if not oldest or _order(oldest[0][0]) <= _order(after):
        return False
    if after != START:
        return True
    info = await line.command("XINFO", "STREAM", key)
    return int(info.get("entries-added", info["length"])) > int(info["length"])


async def entries(
    line: Line, key: str, after: str, seconds: float
) -> list[tuple[str, Sequence[str]]]:
    """Return the entries behind a cursor, waiting for the first."""
    if seconds <= 0:
        return _entries(await line.command("XRANGE", key, f"({after}", "+", "COUNT", MOST_EVENTS))
    block = max(1, round(seconds * 1_000))
    streams = await line.wait_for_answer(
        "XREAD", "COUNT", MOST_EVENTS, "BLOCK", block, "STREAMS", key, after
    )
    if not streams:
        return []
    # The older protocol answers with pairs, the newer one with a map.
    pairs = cast("dict[str, Any]", streams).items() if isinstance(streams, dict) else streams
    [(_, found)] = list(pairs)
    return _entries(found)


def _entries(answer: Any) -> list[tuple[str, Sequence[str]]]:
    return [(entry[0], _pairs(entry[1])) for entry in cast("list[Any]", answer or [])]


def _pairs(fields: Any) -> Sequence[str]:
    """Return fields and values in turn, however the client made them up."""
    if not isinstance(fields, dict):
        return fields
    return [text for pair in cast("dict[str, str]", fields).items() for text in pair]


def _order(cursor: str) -> tuple[int, int]:
    ms, _, number = cursor.partition("-")
    return int(ms), int(number or 0)
