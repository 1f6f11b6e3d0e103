"""How many jobs are held ahead of free slots: many short ones, no long ones."""

from __future__ import annotations

import pytest

from stoker.worker.pace import AHEAD_SECONDS, REMEMBERED, Pace


def pace(slots: int, seconds: float, jobs: int = 1) -> Pace:
    """Return the pace of a worker whose jobs have all taken so long, in all of its slots."""
    paced = Pace(slots)
    for n in range(jobs):
        paced.took(seconds, n * seconds / slots)
    return paced


def test_before_anything_has_ended_nothing_is_held_ahead() -> None:
    assert Pace(100).ahead == 0


@pytest.mark.parametrize(
    ("slots", "seconds", "ahead"),
    [
        (100, 0.0, 100),
        (100, AHEAD_SECONDS, 100),
        (100, AHEAD_SECONDS * 4, 25),
        (100, 1.0, 1),
        (100, 60.0, 0),
        (1, 0.0, 1),
        (1, AHEAD_SECONDS * 1.1, 0),
    ],
)
def test_what_is_held_ahead_will_soon_have_begun(slots: int, seconds: float, ahead: int) -> None:
    assert pace(slots, seconds).ahead == ahead


@pytest.mark.parametrize(
    ("seconds", "ahead"), [(0.0, 100), (AHEAD_SECONDS * 4, 25), (1.0, 1), (60.0, 0)]
)
def test_it_stays_so(seconds: float, ahead: int) -> None:
    assert pace(100, seconds, 1_000).ahead == ahead


def test_where_most_slots_hold_long_jobs_as_much_is_held_as_the_others_need() -> None:
    paced = pace(100, 0.01)

    for n in range(1, 1_000):  # one slot goes on; in the others are jobs of hours
        paced.took(0.01, n * 0.01)

    assert paced.ahead == 1


def test_a_time_without_jobs_does_not_count() -> None:
    paced = pace(100, 0.01, 100)

    paced.took(0.01, 3_600.0)

    assert paced.ahead > 50


def test_where_what_is_held_does_not_begin_nothing_is_held_until_jobs_end_often() -> None:
    paced = pace(10, 0.0, 1_000)

    paced.forget()

    assert paced.ahead == 0
    paced.took(0.0, 0.0)
    assert paced.ahead == 0
    for _ in range(REMEMBERED * 10):
        paced.took(0.0, 0.0)
    assert paced.ahead == 10


def test_jobs_that_become_long_are_noticed_at_once_and_short_ones_in_time() -> None:
    paced = pace(10, 0.0, 1_000)

    paced.took(60.0, 60.0)
    assert paced.ahead == 0

    for _ in range(REMEMBERED):
        paced.took(0.0, 60.0)
    assert paced.ahead < 10

    for _ in range(REMEMBERED * 10):
        paced.took(0.0, 60.0)
    assert paced.ahead == 10
