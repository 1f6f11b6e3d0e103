"""Durations: what people may write, what they are told when it is none, and how one is shown."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.errors import ConfigError
from stoker.job.duration import describe, milliseconds

CENTURY_MS = 100 * 365 * 86_400_000


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        (0, 0),
        (30, 30_000),
        (0.25, 250),
        (0.0004, 0),
        (timedelta(days=1, milliseconds=5), 86_400_005),
        (timedelta(0), 0),
        ("500ms", 500),
        ("90s", 90_000),
        ("1.5s", 1_500),
        ("2m", 120_000),
        ("1h30m", 5_400_000),
        ("1h 30m", 5_400_000),
        (" 7 d ", 604_800_000),
        ("2w", 1_209_600_000),
        ("1d12h", 129_600_000),
        ("30m1h", 5_400_000),
        ("36500d", CENTURY_MS),
    ],
)
def test_a_duration_is_read_in_whole_milliseconds(written: Any, ms: int) -> None:
    assert milliseconds(written, "delay") == ms


@pytest.mark.parametrize(
    "written",
    [
        -1,
        "-1s",
        timedelta(seconds=-1),
        float("nan"),
        "",
        "  ",
        "30",
        "soon",
        "5 minutes",
        "1h30",
        "1h,30m",
        "٣s",
        True,
        None,
        [30],
        b"30s",
    ],
)
def test_what_is_no_duration_is_refused_with_the_setting_and_what_would_do(written: Any) -> None:
    with pytest.raises(ConfigError) as refusal:
        milliseconds(written, "send(): delay")

    assert refusal.value.message == f"send(): delay={written!r} is not a duration"
    assert refusal.value.hint == (
        "seconds (30), text ('500ms', '10m', '1h30m', '7d') or a timedelta, 0 or more"
    )


@pytest.mark.parametrize(
    "written",
    [
        float("inf"),
        10**30,
        pytest.param(10**5_000, id="huge"),
        "36501d",
        "9" * 400 + "s",
        timedelta(days=40_000),
    ],
)
def test_more_than_a_century_is_too_long_and_no_error_is(written: Any) -> None:
    with pytest.raises(ConfigError, match=r"^send\(\): delay=.{2,150} is too long") as refusal:
        milliseconds(written, "send(): delay")

    assert refusal.value.hint == "at the most 100 years ('36500d')"


@pytest.mark.parametrize("written", [date(2027, 1, 2), datetime(2027, 1, 2, 8, 30)])  # noqa: DTZ001
def test_a_moment_is_no_duration(written: Any) -> None:
    with pytest.raises(ConfigError) as refusal:
        milliseconds(written, "delay")

    assert refusal.value.message == f"delay={written!r} is a moment and not a duration"
    assert refusal.value.hint == "say how long it is until then: at - datetime.now(at.tzinfo)"


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (0, "0ms"),
        (850, "850ms"),
        (849.6, "850ms"),
        (1_000, "1s"),
        (12_000, "12s"),
        (90_000, "1m30s"),
        (5_400_000, "1h30m"),
        (259_200_000, "3d"),
        (90_061_000, "1d1h"),
    ],
)
def test_a_duration_is_shown_as_short_as_people_want_it(ms: float, shown: str) -> None:
    assert describe(ms) == shown


@given(st.integers(0, CENTURY_MS))
def test_what_is_shown_can_be_written_again_and_is_right_to_two_units(ms: int) -> None:
    shown = describe(ms)

    again = milliseconds(shown, "delay")

    assert describe(again) == shown
    assert abs(again - ms) <= (
        0 if ms < 1_000 else 500 if ms < 3_600_000 else 60_000 if ms < 86_400_000 else 3_600_000
    )
