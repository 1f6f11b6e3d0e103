"""Cron patterns, read and followed as BullMQ does it (its parser is npm's ``cron-parser``).

Five fields, or six with seconds before them, or a name such as ``@daily``. A field is ``*``,
numbers, ranges, steps and lists of them; months and weekdays may be named. Beyond plain cron:
``L``, the month's last day; ``5L``, its last Friday; ``5#3``, its third Friday; ``H``, a value that
is spread by the seed. Where both a day of the month and a weekday are given, either will do.

Where clocks are changed: a pattern for every hour (``*``) is due in each hour that passes, be it
skipped or repeated on the clock. Any other names times of day: one that is skipped is due later by
as much as is skipped, one that comes twice is due the first time.
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from typing import NamedTuple, Self

from stoker.errors import ConfigError
from stoker.schedule.wallclock import Stretch, local_date, stretches

NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
    "@minutely": "* * * * *",
    "@secondly": "* * * * * *",
    "@weekdays": "0 0 * * 1-5",
    "@weekends": "0 0 * * 0,6",
}
LONGEST = 1_024
"""Characters of a pattern."""
_HORIZON = 366 * 28
"""Days to look ahead: the 29th of February is up to 8 years off, its fifth Sunday 28."""
_ANY = ("*", "?")


class _Field(NamedTuple):
    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()


_SECOND = _Field("second", 0, 59)
_MINUTE = _Field("minute", 0, 59)
_HOUR = _Field("hour", 0, 23)
_DAY = _Field("day of the month", 1, 31)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = _Field("month", 1, 12, _MONTHS)
_WEEKDAY = _Field("weekday", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat"))
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

_STEP = re.compile(r"(.+?)/(\d{1,4})", re.ASCII)
_SPREAD = re.compile(r"H(?:\((\d{1,4})-(\d{1,4})\))?(?:/(\d{1,4}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cron:
    """A pattern, understood."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: _Days

    @classmethod
    def parse(cls, pattern: str, seed: str = "") -> Self:
        """Read a pattern; ``seed`` is what ``H`` is spread by, for example the schedule's name.

        Raises ``ConfigError`` naming the field that cannot be.
        """
        if len(pattern) > LONGEST:
            raise ConfigError(f"a cron pattern has at most {LONGEST} characters")
        words = NAMED.get(pattern.strip(), pattern).split()
        if len(words) not in (5, 6):
            raise ConfigError(
                f"{pattern!r} is no cron pattern: it has {len(words)} fields",
                hint="minute hour day month weekday, a second may come before, or "
                + ", ".join(NAMED),
            )
        second, minute, hour, day, month, weekday = words if len(words) == 6 else ["0", *words]
        reader = _Reader(pattern, seed)
        return cls(
            reader.numbers(_SECOND, second),
            reader.numbers(_MINUTE, minute),
            reader.numbers(_HOUR, hour),
            reader.days(day, month, weekday),
        )

    def next(self, after: int, zone: tzinfo | None) -> int | None:
        """Return the first time it is due later than ``after``, both in Unix milliseconds.

        The pattern is of ``zone``'s clock, ``None`` being this machine's. ``None`` is returned if
        the calendar ends before.
        """
        since = after // 1_000 + 1
        try:
            day = local_date(since, zone) - timedelta(days=1)  # what it skips may be due today
            for _ in range(_HORIZON):
                if self.days.include(day):
                    due = self._first(day, since, zone)
                    if due is not None:
                        return due * 1_000
                day += timedelta(days=1)
        except (OverflowError, ValueError, OSError):  # beyond the calendar of Python
            return None
        return None

    def _first(self, day: date, since: int, zone: tzinfo | None) -> int | None:
        """Return the first time of that day's, not before ``since``, in Unix seconds."""
        parts = stretches(day, zone, each_hour=len(self.hours) == _HOUR.last + 1)
        due = [self._in(part, since) for part in parts]
        return min((each for each in due if each is not None), default=None)

    def _in(self, part: Stretch, since: int) -> int | None:
        begin = max(part.begin, since + part.offset)
        found = self._time(begin) if begin < part.end else None
        return found - part.offset if found is not None and found < part.end else None

    def _time(self, clock: int) -> int | None:
        """Return the first time that the pattern names, not before ``clock``, on that day."""
        midnight = clock - clock % 86_400
        hour, minute, second = clock % 86_400 // 3_600, clock % 3_600 // 60, clock % 60
        for h in self.hours[bisect_left(self.hours, hour) :]:
            begin = midnight + h * 3_600
            if h > hour:
                return begin + self.minutes[0] * 60 + self.seconds[0]
            for m in self.minutes[bisect_left(self.minutes, minute) :]:
                if m > minute:
                    return begin + m * 60 + self.seconds[0]
                for s in self.seconds[bisect_left(self.seconds, second) :]:
                    return begin + m * 60 + s
        return None


@dataclass(frozen=True, slots=True)
class _Days:
    """The days that a pattern names."""

    months: frozenset[int]
    numbers: frozenset[int] | None
    """``None``: not restricted."""
    last: bool
    """The last day of a month, whatever its number."""
    weekdays: frozenset[int] | None
    last_weekdays: frozenset[int]
    """The last Friday of a month and such."""
    nth: int | None
    """Which of the month's, if only one of a weekday's."""

    def include(self, day: date) -> bool:
        """Whether the day is one of them."""
        if day.month not in self.months:
            return False
        if self.numbers is None and self.weekdays is None:
            return True
        return (self.numbers is not None and self._by_number(day, self.numbers)) or (
            self.weekdays is not None and self._by_weekday(day, self.weekdays)
        )

    def _by_number(self, day: date, numbers: frozenset[int]) -> bool:
        return day.day in numbers or (self.last and day.day == monthrange(day.year, day.month)[1])

    def _by_weekday(self, day: date, weekdays: frozenset[int]) -> bool:
        weekday = day.isoweekday() % 7
        if weekday in weekdays:
            return self.nth is None or (day.day - 1) // 7 + 1 == self.nth
        return weekday in self.last_weekdays and day.day > monthrange(day.year, day.month)[1] - 7


class _Reader:
    """Reads the fields of one pattern."""

    def __init__(self, pattern: str, seed: str) -> None:
        self._pattern = pattern
        self._seed = seed

    def numbers(self, field: _Field, text: str) -> tuple[int, ...]:
        """Read a field that is a list of numbers, ranges and steps; return it in order."""
        return tuple(sorted({n for part in text.split(",") for n in self._part(field, part)}))

    def days(self, day: str, month: str, weekday: str) -> _Days:
        """Read the three fields that choose days."""
        months = frozenset(self.numbers(_MONTH, month))
        numbers, last = self._days_of_the_month(day)
        if numbers is not None and not last and weekday in _ANY:
            self._check_that_it_comes(day, months, numbers)
        weekdays, last_weekdays, nth = self._weekdays(weekday)
        return _Days(months, numbers, last, weekdays, last_weekdays, nth)

    def _days_of_the_month(self, text: str) -> tuple[frozenset[int] | None, bool]:
        if text in _ANY:
            return None, False
        parts = text.split(",")
        others = [part for part in parts if part != "L"]
        numbers = self.numbers(_DAY, ",".join(others)) if others else ()
        return frozenset(numbers), len(others) < len(parts)

    def _check_that_it_comes(self, text: str, months: frozenset[int], days: frozenset[int]) -> None:
        longest = max(_LONGEST_MONTHS[month - 1] for month in months)
        if min(days) > longest:
            raise self._refusal(_DAY, text, f"those months have at most {longest} days")

    def _weekdays(self, text: str) -> tuple[frozenset[int] | None, frozenset[int], int | None]:
        """Return the weekdays, those of which only the last counts, and which one of the month."""
        if text in _ANY:
            return None, frozenset(), None
        text, marked, which = text.partition("#")
        if marked and (which not in tuple("12345") or not self._single(text)):
            raise self._refusal(_WEEKDAY, f"{text}#{which}", "5#3 is the third Friday, up to 5#5")
        parts = text.split(",")
        last = [part[:-1] for part in parts if part.endswith("L")]
        others = [part for part in parts if not part.endswith("L")]
        if not all(self._single(part) for part in last):
            raise self._refusal(_WEEKDAY, text, "5L is the last Friday")
        weekdays, last_weekdays = (
            frozenset(n % 7 for n in self.numbers(_WEEKDAY, ",".join(chosen)))
            if chosen
            else frozenset[int]()
            for chosen in (others, last)
        )
        return weekdays, last_weekdays, int(which) if marked else None

    def _single(self, weekday: str) -> bool:
        return weekday.lower() in _WEEKDAY.names or weekday in tuple("01234567")

    def _part(self, field: _Field, text: str) -> Iterator[int]:
        """Read one member of a list."""
        if spread := _SPREAD.fullmatch(text):
            return iter(self._spread(field, spread))
        stepped = _STEP.fullmatch(text)
        span, step = (stepped[1], int(stepped[2])) if stepped else (text, 1)
        first, last = self._span(field, span, open_ended=bool(stepped))
        if step < 1:
            raise self._refusal(field, text, "a step is 1 or more")
        return iter(range(first, last + 1, step))

    def _span(self, field: _Field, text: str, *, open_ended: bool) -> tuple[int, int]:
        if text in _ANY:
            return field.first, min(field.last, 6) if field is _WEEKDAY else field.last
        low, ranged, high = text.partition("-")
        first = self._number(field, low)
        last = self._number(field, high) if ranged else field.last if open_ended else first
        if first > last:
            raise self._refusal(
                field, text, f"a range goes upwards; say {low}-{field.last},{field.first}-{high}"
            )
        return first, last

    def _number(self, field: _Field, text: str) -> int:
        if text.lower() in field.names:
            return field.names.index(text.lower()) + field.first
        if not (text.isascii() and text.isdecimal() and field.first <= int(text[:4]) <= field.last):
            raise self._refusal(field, text, f"{field.first} to {field.last}")
        return int(text)

    def _spread(self, field: _Field, found: re.Match[str]) -> range:
        """Return what ``H``, ``H(0-29)``, ``H/15`` or ``H(0-29)/10`` come to with this seed."""
        low, high, step = (int(each) if each else None for each in found.groups())
        first = field.first if low is None else max(low, field.first)
        last = field.last if high is None else min(high, field.last)
        if field is _DAY and high is None:
            last = 28  # so that each month has it
        width = last - first + 1 if step is None else min(step, last - first + 1)
        if width < 1:
            raise self._refusal(field, found[0], f"{field.first} to {field.last}, upwards")
        begin = first + zlib.crc32(f"{field.name} {self._seed}".encode()) % width
        return range(begin, begin + 1 if step is None else last + 1, step or 1)

    def _refusal(self, field: _Field, text: str, right: str) -> ConfigError:
        return ConfigError(f"{text!r} is no {field.name}, in {self._pattern!r}", hint=right)
