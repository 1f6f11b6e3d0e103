"""Durations as people write them: ``30``, ``"90s"``, ``"1h30m"``, ``timedelta(days=1)``."""

from __future__ import annotations

import re
from datetime import date, timedelta

from stoker.errors import ConfigError, shown

Duration = float | str | timedelta
"""Seconds as a number, a ``timedelta``, or text such as ``"250ms"``, ``"2m"``, ``"1d12h"``."""

_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|[smhdw])\s*", re.ASCII)
LONGEST_MS = 100 * 365 * _UNIT_MS["d"]


def milliseconds(value: Duration, setting: str) -> int:
    """Return ``value`` in whole milliseconds.

    Raises ``ConfigError`` naming ``setting`` when it is no duration, negative, or over 100 years.
    """
    ms = _parse(value)
    if ms is None or not ms >= 0:  # NaN
        raise _no_duration(value, setting)
    if ms > LONGEST_MS:
        raise ConfigError(
            f"{setting}={shown(value)} is too long", hint="at the most 100 years ('36500d')"
        )
    return round(ms)


def _no_duration(value: object, setting: str) -> ConfigError:
    if isinstance(value, date):  # and datetime
        return ConfigError(
            f"{setting}={shown(value)} is a moment and not a duration",
            hint="say how long it is until then: at - datetime.now(at.tzinfo)",
        )
    return ConfigError(
        f"{setting}={shown(value)} is not a duration",
        hint="seconds (30), text ('500ms', '10m', '1h30m', '7d') or a timedelta, 0 or more",
    )


def _parse(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value * 1_000
    if isinstance(value, timedelta):
        return value.total_seconds() * 1_000
    if isinstance(value, str) and value.strip():
        total, position = 0.0, 0
        while position < len(value):
            part = _PART.match(value, position)
            if part is None:
                return None
            total += float(part[1]) * _UNIT_MS[part[2]]
            position = part.end()
        return total
    return None


def describe(ms: float) -> str:
    """Return ``ms`` as a short text for people: ``"850ms"``, ``"12s"``, ``"1h30m"``, ``"3d"``."""
    if ms < 1_000:
        return f"{ms:.0f}ms"
    parts: list[str] = []
    rest = round(ms / 1_000)
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        amount, rest = divmod(rest, size)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts[:2])
