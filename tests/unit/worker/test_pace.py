"""How many jobs are held ahead of free slots: many short ones, no long ones."""

from __future__ import annotations

import pytest

from stoker.worker.pace import AHEAD_SECONDS, REMEMBERED, Pace


def pace(slots: int, seconds: float, jobs: int = 1) -> Pace:
    """Return the pace of a worker whose jobs have taken so long."""
    paced = Pace(slots)
    for _ in range(jobs):
        paced.took(seconds)
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


def test_where_what_is_held_does_not_begin_nothing_is_held_until_a_job_has_ended() -> None:
    paced = pace(10, 0.0, 1_000)

    paced.forget()

    assert paced.ahead == 0
    paced.took(0.0)
    assert paced.ahead == 10


def test_jobs_that_become_long_are_noticed_at_once_and_short_ones_in_time() -> None:
    paced = pace(10, 0.0, 1_000)

    paced.took(60.0)
    assert paced.ahead == 0

    for _ in range(REMEMBERED):
        paced.took(0.0)
    assert paced.ahead < 10

    for _ in range(REMEMBERED * 10):
        paced.took(0.0)
    assert paced.ahead == 10
