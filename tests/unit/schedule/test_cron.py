"""Cron: what a pattern means, what is refused, and what happens when clocks are changed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.errors import ConfigError
from stoker.schedule.cron import Cron
from stoker.schedule.wallclock import stretches

NEW_YORK = ZoneInfo("America/New_York")


def instant(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


def due(pattern: str, after: str, count: int, zone: tzinfo | None = UTC) -> list[str]:
    """Return what follows ``after``, on the zone's clock."""
    cron, at, times = Cron.parse(pattern), instant(after), list[str]()
    for _ in range(count):
        found = cron.next(at, zone)
        assert found is not None
        at = found
        times.append(datetime.fromtimestamp(at / 1_000, zone).isoformat(timespec="minutes"))
    return times


# What a pattern means


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("30 4 * * *", ["2025-01-01T04:30", "2025-01-02T04:30"]),
        ("*/20 * * * *", ["2025-01-01T00:20", "2025-01-01T00:40"]),
        ("5/25 8-10 * * *", ["2025-01-01T08:05", "2025-01-01T08:30"]),
        ("0 0 1,15 * *", ["2025-01-15T00:00", "2025-02-01T00:00"]),
        ("0 9 * * mon-fri", ["2025-01-01T09:00", "2025-01-02T09:00"]),
        ("0 9 * FEB 7", ["2025-02-02T09:00", "2025-02-09T09:00"]),
        ("0 9 L * *", ["2025-01-31T09:00", "2025-02-28T09:00"]),
        ("0 9 * * 5L", ["2025-01-31T09:00", "2025-02-28T09:00"]),
        ("0 9 ? * 5#3", ["2025-01-17T09:00", "2025-02-21T09:00"]),
        ("0 9 13 * 5", ["2025-01-03T09:00", "2025-01-10T09:00"]),  # either will do
        ("0 9 29 2 *", ["2028-02-29T09:00", "2032-02-29T09:00"]),
        ("0 0 9 * * 1", ["2025-01-06T09:00", "2025-01-13T09:00"]),  # a second before
        ("@weekly", ["2025-01-05T00:00", "2025-01-12T00:00"]),
    ],
)
def test_a_pattern_is_due(pattern: str, expected: list[str]) -> None:
    assert [each[:16] for each in due(pattern, "2025-01-01T00:00:00Z", 2)] == expected


def test_seconds_are_counted_and_what_is_now_is_over() -> None:
    cron = Cron.parse("*/15 * * * * *")
    at = instant("2025-01-01T00:00:15+00:00")

    assert cron.next(at - 1, UTC) == at
    assert cron.next(at, UTC) == at + 15_000
    assert cron.next(at + 1, UTC) == at + 15_000


def test_the_end_of_the_calendar_is_the_end() -> None:
    assert Cron.parse("* * * * *").next(instant("9999-12-31T23:59:30+00:00"), UTC) is None
    assert Cron.parse("* * * * *").next(10**18, UTC) is None


def test_h_is_spread_by_the_seed_and_stays() -> None:
    minutes = {Cron.parse("H H * * *", str(n)).minutes for n in range(200)}

    assert len(minutes) > 40
    assert Cron.parse("H(0-9) * * * *", "a") == Cron.parse("H(0-9) * * * *", "a")
    for n in range(50):
        assert Cron.parse("H(10-12) * * * *", str(n)).minutes[0] in (10, 11, 12)
        first, second, *rest = Cron.parse("H/20 * * * *", str(n)).minutes
        assert (second - first, len(rest)) == (20, 1)
        assert Cron.parse("0 0 H * *", str(n)).next(0, UTC) is not None


# What is refused


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("", "it has 0 fields"),
        ("* * * *", "it has 4 fields"),
        ("* * * * * * *", "it has 7 fields"),
        ("60 * * * *", "'60' is no minute"),
        ("* 24 * * *", "'24' is no hour"),
        ("* * 0 * *", "'0' is no day of the month"),
        ("* * * 13 *", "'13' is no month"),
        ("* * * * 8", "'8' is no weekday"),
        ("* * * mon *", "'mon' is no month"),
        ("50-10 * * * *", "say 50-59,0-10"),
        ("*/0 * * * *", "a step is 1 or more"),
        ("1-2-3 * * * *", "is no minute"),
        ("1,,2 * * * *", "'' is no minute"),
        ("-1 * * * *", "is no minute"),
        ("1.5 * * * *", "is no minute"),
        ("\u0661 * * * *", "is no minute"),  # a digit, in Arabic
        ("* * 30 2 *", "at most 29 days"),
        ("* * * * L", "5L is the last Friday"),
        ("* * * * 1-5L", "5L is the last Friday"),
        ("* * * * 1#6", "5#3 is the third Friday"),
        ("* * * * 1,2#3", "5#3 is the third Friday"),
        ("H(40-50) H(30-40) * * *", "is no hour"),
        ("* " * 600, "at most 1024 characters"),
        ("9" * 1_000 + " * * * *", "is no minute"),
    ],
)
def test_what_cannot_be_is_refused(pattern: str, said: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        Cron.parse(pattern)
    assert said in str(refusal.value)


@given(text=st.text(alphabet="0123456789*/,-?LH#()@ montue", max_size=40))
def test_nothing_but_a_refusal_is_raised(text: str) -> None:
    with suppress(ConfigError):
        Cron.parse(text).next(0, NEW_YORK)


# When clocks are changed

SPRING, AUTUMN = "2025-03-08T12:00:00Z", "2025-11-01T12:00:00Z"


@pytest.mark.parametrize(
    ("pattern", "after", "expected"),
    [
        ("30 2 * * *", SPRING, ["2025-03-09T03:30-04:00", "2025-03-10T02:30-04:00"]),
        ("30 2,3 * * *", SPRING, ["2025-03-09T03:30-04:00", "2025-03-10T02:30-04:00"]),
        ("30 1 * * *", AUTUMN, ["2025-11-02T01:30-04:00", "2025-11-03T01:30-05:00"]),
        ("30 2 * * *", AUTUMN, ["2025-11-02T02:30-05:00", "2025-11-03T02:30-05:00"]),
        ("0 * * * *", "2025-03-09T06:30:00Z", ["2025-03-09T03:00-04:00", "2025-03-09T04:00-04:00"]),
        ("0 * * * *", "2025-11-02T04:30:00Z", ["2025-11-02T01:00-04:00", "2025-11-02T01:00-05:00"]),
    ],
)
def test_in_new_york(pattern: str, after: str, expected: list[str]) -> None:
    assert due(pattern, after, 2, NEW_YORK) == expected


@pytest.mark.parametrize(
    ("zone", "pattern", "after", "expected"),
    [
        # Half an hour, at 2:00.
        ("Australia/Lord_Howe", "15 2 * * *", "2025-10-04T00:00:00Z", "2025-10-05T02:45+11:00"),
        # At midnight: the day begins at 1:00.
        ("America/Havana", "13 0 * * *", "2025-03-08T12:00:00Z", "2025-03-09T01:13-04:00"),
        # Back at 1:00, so that midnight comes twice.
        ("America/Havana", "13 * * * *", "2024-11-03T03:59:00Z", "2024-11-03T00:13-04:00"),
        # Two hours.
        ("Antarctica/Troll", "30 1 * * *", "2026-03-28T12:00:00Z", "2026-03-29T03:30+02:00"),
        # The hour before midnight, which is then due on the day after.
        ("America/Nuuk", "30 23 28 3 *", "2026-03-28T12:00:00Z", "2026-03-29T00:30-01:00"),
        # A whole day: there was no 30th of December.
        ("Pacific/Apia", "0 12 30 12 *", "2011-12-29T12:00:00Z", "2011-12-31T12:00+14:00"),
    ],
)
def test_elsewhere(zone: str, pattern: str, after: str, expected: str) -> None:
    assert due(pattern, after, 1, ZoneInfo(zone)) == [expected]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine is in Berlin."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("pattern", ["30 2 * * *", "*/40 * * * *", "0 9 L * *"])
@pytest.mark.parametrize("after", ["2025-03-29T12:00:00Z", "2025-10-25T12:00:00Z"])
def test_without_a_zone_it_is_this_machines(pattern: str, after: str) -> None:
    cron, at, named = Cron.parse(pattern), instant(after), instant(after)
    for _ in range(40):
        at = cron.next(at, None) or 0
        named = cron.next(named, ZoneInfo("Europe/Berlin")) or 0
        assert at == named


@given(
    day=st.dates(min_value=date(1975, 1, 1), max_value=date(2037, 1, 1)),
    zone=st.sampled_from(
        ["America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Gaza", "Pacific/Apia"]
    ),
)
def test_a_day_on_the_clock_is_as_long_as_it_is(day: date, zone: str) -> None:
    """Each instant of it is in one stretch, and the next day's begin where they end."""
    tz = ZoneInfo(zone)
    parts = [
        (part.begin - part.offset, part.end - part.offset)
        for each in (day, day + timedelta(days=1))
        for part in stretches(each, tz, each_hour=True)
        if part.begin < part.end
    ]
    assert all(end == begin for (_, end), (begin, _) in pairwise(parts))
