"""A day on the clocks of a time zone, and the instants it consists of.

Times of the clock are counted as Unix seconds are, as if the clock were in UTC. ``None`` as a zone
is this machine's own.
"""

from __future__ import annotations

from calendar import timegm
from datetime import date, datetime, time, timedelta, tzinfo
from typing import NamedTuple


class Stretch(NamedTuple):
    """A part of a day's clock, on which one offset from UTC holds."""

    begin: int
    end: int
    """Not within it any more."""
    offset: int
    """Seconds that the clock is ahead of UTC."""


def local_date(instant: int, zone: tzinfo | None) -> date:
    """Return the date at an instant, in Unix seconds."""
    return datetime.fromtimestamp(instant, zone).date()


def stretches(day: date, zone: tzinfo | None, *, each_hour: bool) -> list[Stretch]:
    """Return what a day's clock shows, in the order in which it does.

    With ``each_hour`` it is as the clock goes: what it skips is not there, what it repeats is there
    twice. Otherwise each time is there once: one that is skipped as if the clock had not been
    changed yet, one that is repeated as it comes first.
    """
    begin, end = _midnight(day), _midnight(day + timedelta(days=1))
    before, after = _offset(begin, zone), _offset(end, zone)
    if before == after:
        return [Stretch(begin, end, before)]
    change = _change(begin - before, end - after, after, zone)
    until, since = change + before, change + after  # what the clock shows when it is changed
    if each_hour:
        return [Stretch(begin, until, before), Stretch(since, end, after)]
    return [
        Stretch(begin, max(until, min(since, end)), before),
        Stretch(max(since, until), end, after),
    ]


def _midnight(day: date) -> int:
    return timegm(datetime.combine(day, time()).timetuple())


def _offset(clock: int, zone: tzinfo | None) -> int:
    """Return the offset at a time of the clock: the earlier one, if that is skipped or repeated."""
    shown = datetime(1970, 1, 1) + timedelta(seconds=clock)  # noqa: DTZ001 - that is what is asked
    return clock - round(shown.replace(tzinfo=zone).timestamp())


def _change(low: int, high: int, after: int, zone: tzinfo | None) -> int:
    """Return the first instant from ``low`` to ``high`` at which the new offset holds."""
    while low < high:
        middle = (low + high) // 2
        shown = datetime.fromtimestamp(middle, zone)
        if timegm(shown.timetuple()) - middle == after:
            high = middle
        else:
            low = middle + 1
    return low
