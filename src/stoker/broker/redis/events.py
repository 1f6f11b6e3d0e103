"""Read what happened in a queue."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, cast

from stoker.broker.base import EventPage
from stoker.broker.redis.connection import BLOCK_SECONDS, Line
from stoker.broker.redis.server import Server
from stoker.broker.redis.verbs import Entry, events_in

MOST_EVENTS = 500
"""Entries of one page."""
_START = "0-0"
"""The cursor of a stream that is not there yet."""


async def events(server: Server, queue: str, after: str | None, timeout: float) -> EventPage:
    """Return what happened after a cursor, waiting so many seconds for the first."""
    key = f"{server.prefix}:{queue}:events"
    deadline = time.monotonic() + timeout
    async with server.line() as line:
        if after is None:
            return EventPage((), await _last_event(line, key))
        gap = await _has_gap(line, key, after)
    while True:
        left = deadline - time.monotonic()
        async with server.line() as line:
            entries = await _entries(line, key, after, min(left, BLOCK_SECONDS))
        page = EventPage(events_in(queue, entries), entries[-1][0] if entries else after, gap)
        after = page.cursor
        if page.events or gap or (left <= 0 and not entries):
            return page


async def _last_event(line: Line, key: str) -> str:
    """Return the cursor of now."""
    newest = await line.command("XREVRANGE", key, "+", "-", "COUNT", 1)
    return _listed(newest)[0][0] if newest else _START


async def _has_gap(line: Line, key: str, after: str) -> bool:
    """Return whether entries behind the cursor were trimmed.

    True also where the last one trimmed is the cursor's own: a look too many harms nobody.
    """
    oldest = _listed(await line.command("XRANGE", key, "-", "+", "COUNT", 1))
    if not oldest or _order(oldest[0][0]) <= _order(after):
        return False
    if after != _START:
        return True
    told = iter(_pairs(await line.command("XINFO", "STREAM", key)))
    info = dict(zip(told, told, strict=True))
    return int(info.get("entries-added", info["length"])) > int(info["length"])


async def _entries(line: Line, key: str, after: str, seconds: float) -> list[Entry]:
    """Return the entries behind a cursor, waiting for the first."""
    if seconds <= 0:
        return _listed(await line.command("XRANGE", key, f"({after}", "+", "COUNT", MOST_EVENTS))
    block = max(1, round(seconds * 1_000))
    streams = await line.wait_for_answer(
        "XREAD", "COUNT", MOST_EVENTS, "BLOCK", block, "STREAMS", key, after
    )
    if not streams:
        return []
    # The older protocol answers with pairs, the newer one with a map.
    pairs = cast("dict[str, Any]", streams).items() if isinstance(streams, dict) else streams
    [(_, found)] = list(pairs)
    return _listed(found)


def _listed(answer: Any) -> list[Entry]:
    return [(entry[0], _pairs(entry[1])) for entry in cast("list[Any]", answer or [])]


def _pairs(fields: Any) -> Sequence[Any]:
    """Return fields and values in turn, however the client made them up."""
    if not isinstance(fields, dict):
        return fields
    return [text for pair in cast("dict[str, str]", fields).items() for text in pair]


def _order(cursor: str) -> tuple[int, int]:
    ms, _, number = cursor.partition("-")
    return int(ms), int(number or 0)
