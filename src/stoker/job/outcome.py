"""How a run ended, as a value: the only thing a finished run hands to the broker.

A handler says something (it returned, it raised, it asked for a snooze); ``decide`` turns that,
with the job's policy, into one ``Outcome``. Nothing in here touches a clock or a store.
"""

from __future__ import annotations

import random
import traceback
from pathlib import Path

import msgspec

from stoker.failure import Failure, Reason
from stoker.job.duration import Duration, milliseconds
from stoker.job.model import JobRecord, Keep, Lease
from stoker.job.retry import Policy, backoff_ms

_OURS = str(Path(__file__).parents[1])
MAX_TRACEBACK = 16_384
"""Characters kept of a traceback: its end, where the cause is."""


# What a handler may return instead of a result


class Snooze(msgspec.Struct, frozen=True):
    """Return this to run the same job again after ``delay``, without counting an attempt."""

    delay: Duration


class Retry(msgspec.Struct, frozen=True):
    """Return this to count the run as failed and try again after ``in_`` (default: the backoff)."""

    in_: Duration | None = None
    why: str = "the handler asked for a retry"


class Cancel(msgspec.Struct, frozen=True):
    """Return this to end the job for good: a dead letter with reason ``cancelled``."""

    why: str = "the handler cancelled the job"


Control = Snooze | Retry | Cancel
"""What steers the job and is no result of it."""


# What the runner can report besides a returned value


class Raised(msgspec.Struct, frozen=True):
    """The run failed. ``final``: no attempt that is left may be used."""

    failure: Failure
    final: bool = False


class Interrupted(msgspec.Struct, frozen=True):
    """The worker stopped before the run ended; the attempt is given back."""


class Crashed(msgspec.Struct, frozen=True):
    """The child process that ran the job died under it."""

    how: str


class Returned(msgspec.Struct, frozen=True):
    """The handler returned; ``value`` is JSON text."""

    value: str


Report = Returned | Control | Raised | Interrupted | Crashed


# What a broker is told


class Done(msgspec.Struct, frozen=True):
    """active → completed, or gone if ``keep`` says so. Counts an attempt."""

    lease: Lease
    value: str
    keep: Keep = Keep()


class Failed(msgspec.Struct, frozen=True):
    """active → failed: a dead letter. Counts an attempt, or a crash if that is the reason."""

    lease: Lease
    failure: Failure
    keep: Keep = Keep()


class Retried(msgspec.Struct, frozen=True):
    """active → delayed (or waiting, if ``delay_ms`` is 0). Counts an attempt."""

    lease: Lease
    failure: Failure
    delay_ms: int = 0


class Snoozed(msgspec.Struct, frozen=True):
    """active → delayed (or waiting, if ``delay_ms`` is 0). Counts nothing."""

    lease: Lease
    delay_ms: int = 0


class Released(msgspec.Struct, frozen=True):
    """active → waiting, ahead of its priority's line. Counts a crash if ``crashed``."""

    lease: Lease
    crashed: bool = False


Outcome = Done | Failed | Retried | Snoozed | Released


def size_of(outcome: Outcome) -> int:
    """Return how long what a store is told is, in characters, beside what each outcome has."""
    if isinstance(outcome, Done):
        return len(outcome.value)
    if isinstance(outcome, Failed | Retried):
        return len(outcome.failure.message) + len(outcome.failure.traceback)
    return 0


def decide(
    job: JobRecord, lease: Lease, report: Report, policy: Policy, rng: random.Random
) -> Outcome:
    """Return what becomes of ``job`` after a run that ended with ``report``.

    ``rng`` draws the backoff's jitter, so that a test can fix it.
    """
    match report:
        case Returned(value):
            return Done(lease, value, policy.keep_completed)
        case Interrupted():
            return Released(lease)
        case Snooze(delay):
            return Snoozed(lease, milliseconds(delay, "Snooze"))
        case Cancel(why):
            return Failed(lease, Failure("cancelled", text_of(why)), policy.keep_failed)
        case Retry(in_, why):
            delay_ms = None if in_ is None else milliseconds(in_, "Retry(in_)")
            return _again_or_dead(job, lease, Failure("error", text_of(why)), policy, delay_ms, rng)
        case Raised(failure, final=True):
            return Failed(lease, failure, policy.keep_failed)
        case Raised(failure):
            return _again_or_dead(job, lease, failure, policy, None, rng)
        case Crashed(how):
            if job.crashes < policy.max_stalls:
                return Released(lease, crashed=True)
            return Failed(lease, crash_failure(job.crashes + 1, how), policy.keep_failed)


def crash_failure(crashes: int, how: str) -> Failure:
    """Return the failure of a job that took its process down once too often."""
    times = "once" if crashes == 1 else f"{crashes} times"
    return Failure("crashed", f"{how}; it was running {times} when its process died")


def _again_or_dead(
    job: JobRecord,
    lease: Lease,
    failure: Failure,
    policy: Policy,
    delay_ms: int | None,
    rng: random.Random,
) -> Outcome:
    attempt = job.attempts + 1
    if attempt >= policy.attempts:
        return Failed(lease, failure, policy.keep_failed)
    if delay_ms is None:
        delay_ms = backoff_ms(policy.backoff, attempt, rng)
    return Retried(lease, failure, delay_ms)


def failure_of(error: BaseException, reason: Reason = "error") -> Failure:
    """Return ``error`` as a failure; its traceback begins where the handler's own code does."""
    begin = error.__traceback__
    while begin is not None and begin.tb_frame.f_code.co_filename.startswith(_OURS):
        begin = begin.tb_next
    name = type(error).__name__
    text = text_of(error)
    if isinstance(error, TypeError) and text == "exceptions must derive from BaseException":
        text += "; Retry, Snooze and Cancel are returned: return Retry(...)"
    message = f"{name}: {text}" if text else name
    try:
        lines = traceback.format_exception(type(error), error, begin or error.__traceback__)
    except Exception as broken:  # somebody's __str__ or __repr__ raises
        lines = [f"(its traceback cannot be shown: {type(broken).__name__})"]
    return Failure(reason, message, text_of("".join(lines)[-MAX_TRACEBACK:]), name)


def text_of(value: object) -> str:
    """Return whatever a handler gave as text that can be stored, even half a surrogate pair."""
    try:
        return str(value).encode("utf-8", "backslashreplace").decode()
    except Exception as broken:
        return f"({type(value).__name__} that cannot be shown: {type(broken).__name__})"
