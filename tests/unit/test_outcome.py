"""What becomes of a job: report, attempts left and crashes, and the outcome that follows."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from stoker import Backoff, Cancel, Failure, Keep, Retry, Snooze
from stoker.errors import ConfigError
from stoker.job.model import Lease
from stoker.job.outcome import (
    MAX_TRACEBACK,
    Crashed,
    Done,
    Failed,
    Interrupted,
    Outcome,
    Raised,
    Released,
    Report,
    Retried,
    Returned,
    Snoozed,
    decide,
    failure_of,
)
from stoker.job.retry import Policy
from tests.unit.support import a_job

LEASE = Lease("default", "1", "token")
POLICY = Policy(
    attempts=3,
    backoff=Backoff.exponential("1s", jitter=0),
    keep_completed=Keep(count=1),
    keep_failed=Keep(count=2),
    max_stalls=2,
)
BOOM = Failure("error", "ValueError: boom")
LATE = Failure("timeout", "it ran longer than its timeout of 1s")
HANDLERS = Failure("error", "the handler asked for a retry")
FIRST, SECOND, LAST = 0, 1, 2  # attempts that were counted before this run


@pytest.mark.parametrize(
    ("report", "attempts", "crashes", "outcome"),
    [
        (Returned('"ok"'), FIRST, 0, Done(LEASE, '"ok"', Keep(count=1))),
        (Returned("null"), LAST, 2, Done(LEASE, "null", Keep(count=1))),
        # A failed run is tried again, later each time, while there are attempts.
        (Raised(BOOM), FIRST, 0, Retried(LEASE, BOOM, 1_000)),
        (Raised(BOOM), SECOND, 0, Retried(LEASE, BOOM, 2_000)),
        (Raised(BOOM), LAST, 0, Failed(LEASE, BOOM, Keep(count=2))),
        (Raised(BOOM), LAST + 5, 0, Failed(LEASE, BOOM, Keep(count=2))),
        (Raised(LATE), FIRST, 2, Retried(LEASE, LATE, 1_000)),
        (Raised(BOOM, final=True), FIRST, 0, Failed(LEASE, BOOM, Keep(count=2))),
        (Retry(), SECOND, 0, Retried(LEASE, HANDLERS, 2_000)),
        (Retry("5m"), FIRST, 0, Retried(LEASE, HANDLERS, 300_000)),
        (Retry(0, "again"), FIRST, 0, Retried(LEASE, Failure("error", "again"), 0)),
        (Retry("5m"), LAST, 0, Failed(LEASE, HANDLERS, Keep(count=2))),
        # What counts no attempt does not ask how many are left.
        (Snooze("30s"), FIRST, 0, Snoozed(LEASE, 30_000)),
        (Snooze(timedelta(0)), LAST + 5, 0, Snoozed(LEASE, 0)),
        (Interrupted(), LAST + 5, 9, Released(LEASE)),
        (Cancel("no"), FIRST, 0, Failed(LEASE, Failure("cancelled", "no"), Keep(count=2))),
        # A crash costs no attempt, but there is an end to crashes.
        (Crashed("died"), LAST, 0, Released(LEASE, crashed=True)),
        (Crashed("died"), FIRST, 1, Released(LEASE, crashed=True)),
        (
            Crashed("died"),
            FIRST,
            2,
            Failed(
                LEASE,
                Failure("crashed", "died; it was running 3 times when its process died"),
                Keep(count=2),
            ),
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, int) else str(value),
)
def test_a_report_becomes_an_outcome(
    report: Report, attempts: int, crashes: int, outcome: Outcome
) -> None:
    job = a_job(attempts=attempts, crashes=crashes)

    assert decide(job, LEASE, report, POLICY, random.Random(0)) == outcome


@pytest.mark.parametrize(
    ("report", "message"),
    [
        (Snooze("soon"), "Snooze='soon' is not a duration"),
        (Snooze(-1), "Snooze=-1 is not a duration"),
        (Retry(in_="soon"), "Retry(in_)='soon' is not a duration"),
    ],
)
def test_a_wait_that_is_no_duration_is_an_error(report: Report, message: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        decide(a_job(), LEASE, report, POLICY, random.Random(0))

    assert refusal.value.message == message


def test_the_wait_before_a_retry_is_drawn_from_the_generator_given() -> None:
    policy = Policy(backoff=Backoff.exponential("1h", jitter=1))

    def waits(seed: int) -> list[Any]:
        rng = random.Random(seed)
        return [decide(a_job(), LEASE, Raised(BOOM), policy, rng) for _ in range(3)]

    assert waits(1) == waits(1) != waits(2)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("boom"), "ValueError: boom"),
        (ValueError(), "ValueError"),
        (KeyError("x"), "KeyError: 'x'"),
        (SystemExit(3), "SystemExit: 3"),
    ],
)
def test_an_error_is_told_in_one_line(error: BaseException, message: str) -> None:
    assert failure_of(error).message == message
    assert failure_of(error).reason == "error"


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("half \ud800"), "ValueError: half \\ud800"),
        (Unprintable(), "Unprintable: (Unprintable that cannot be shown: RuntimeError)"),
    ],
)
def test_an_error_that_cannot_be_told_is_told_as_well_as_can_be(
    error: Exception, message: str
) -> None:
    def handler() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        handler()
    failure = failure_of(raised.value)

    assert failure.message == message
    assert failure.traceback.encode()


@pytest.mark.parametrize("report", [Cancel("half \ud800"), Retry(why="half \ud800"), Cancel(7)])  # pyright: ignore[reportArgumentType]
def test_what_a_handler_says_can_be_stored_whatever_it_is(report: Report) -> None:
    outcome = decide(a_job(), LEASE, report, POLICY, random.Random(0))

    assert isinstance(outcome, Failed | Retried)
    assert outcome.failure.message.encode()


def test_of_a_long_traceback_the_end_is_kept() -> None:
    def deep(levels: int) -> None:
        if levels == 0:
            raise ValueError("here")
        try:
            deep(levels - 1)
        except ValueError as error:
            raise ValueError(f"level {levels}") from error

    with pytest.raises(ValueError) as raised:
        deep(100)
    failure = failure_of(raised.value, "unrecoverable")

    assert failure.reason == "unrecoverable"
    assert len(failure.traceback) == MAX_TRACEBACK
    assert failure.traceback.endswith("ValueError: level 100\n")


@pytest.mark.parametrize(
    ("failure", "text"),
    [(BOOM, "ValueError: boom"), (Failure("timeout", "too long"), "[timeout] too long")],
)
def test_a_failure_that_is_no_error_of_the_handler_says_so(failure: Failure, text: str) -> None:
    assert str(failure) == text


@pytest.mark.parametrize("control", [Retry("5m"), Snooze("1s"), Cancel()])
def test_who_raises_what_is_to_be_returned_is_told_so(control: Any) -> None:
    with pytest.raises(TypeError) as raised:
        raise control

    assert failure_of(raised.value).message == (
        "TypeError: exceptions must derive from BaseException; "
        "Retry, Snooze and Cancel are returned: return Retry(...)"
    )
