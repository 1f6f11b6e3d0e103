"""When the next job of a BullMQ job scheduler is due."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

import msgspec

from stoker.broker.redis.claimed import Born
from stoker.broker.redis.options import UNREADABLE
from stoker.errors import ConfigError
from stoker.schedule.cron import NAMED, Cron

_Object = dict[str, Any]


class Following(NamedTuple):
    """The next job of a scheduler."""

    due: int | None
    """``None``: an interval, which the script reckons from what is stored."""
    opts: str


def following(born: Born, now: int) -> Following | None:
    """Return what follows a job, or ``None`` if it was the scheduler's last."""
    opts = _object(born.opts)
    repeat = opts.get("repeat")
    if not isinstance(repeat, dict):
        return None
    repeat = cast(_Object, repeat)
    count = _number(repeat.get("count"), 0) + 1
    limit, end = repeat.get("limit"), _instant(repeat.get("endDate"))
    if (limit is not None and count > _number(limit, 0)) or (end is not None and now > end):
        return None
    since = max(now, _number(opts.get("prevMillis"), 0))
    due = None
    if pattern := repeat.get("pattern"):
        due = _next(str(pattern), max(since, _instant(repeat.get("startDate")) or 0), repeat)
        if due is None:
            return None
    kept = {name: value for name, value in opts.items() if name not in ("delay", "jobId")}
    kept.setdefault("attempts", 0)
    kept |= {"repeat": repeat | {"count": count}, "timestamp": now}
    if due is not None:
        kept["prevMillis"] = due
    return Following(due, msgspec.json.encode(kept).decode())


def _next(pattern: str, since: int, repeat: _Object) -> int | None:
    try:
        # Without a zone BullMQ takes that of its worker's machine, and so do we.
        zone = ZoneInfo(repeat["tz"]) if repeat.get("tz") else None
        # Where fields are missing, they are the first ones for BullMQ, a missing minute being "*".
        words = ["*", "*", "*", "*", *pattern.split()]
        cron = Cron.parse(pattern if len(words) > 8 or pattern in NAMED else " ".join(words[-5:]))
    except (ConfigError, LookupError, ValueError, TypeError, OSError):
        return None  # what BullMQ takes and we cannot read: its own worker may arm it
    return cron.next(since, zone)


def _object(text: str) -> _Object:
    try:
        value = msgspec.json.decode(text or "{}")
    except UNREADABLE:
        return {}
    return cast(_Object, value) if isinstance(value, dict) else {}


def _number(value: Any, default: int) -> int:
    return int(value) if isinstance(value, int | float) else default


def _instant(value: Any) -> int | None:
    """BullMQ takes milliseconds or an ISO date."""
    if isinstance(value, int | float):
        return int(value)
    try:
        return round(datetime.fromisoformat(str(value)).timestamp() * 1_000) if value else None
    except (ValueError, OverflowError):
        return None
