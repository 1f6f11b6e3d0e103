"""Settle outcomes."""

from __future__ import annotations

from collections.abc import Sequence

from stoker.broker.redis.calls import Call
from stoker.broker.redis.records import extra_of
from stoker.job.model import Failure, Keep
from stoker.job.outcome import Done, Failed, Outcome, Released, Retried, Snoozed

_NEVER_RUN = ("undecodable", "unknown-task")


def settle(call: Call, outcomes: Sequence[Outcome]) -> None:
    """Write the outcomes as arguments of ``finish``; retentions that are alike are sent once."""
    keeps: dict[Keep, int] = {}
    for outcome in outcomes:
        if isinstance(outcome, Done | Failed):
            keeps.setdefault(outcome.keep, len(keeps) + 1)
    call.add(len(keeps))
    for keep in keeps:
        call.add(keep.count, keep.age_ms, keep.limit)
    call.add(len(outcomes))
    for outcome in outcomes:
        lease = outcome.lease
        place = call.place(lease.queue)
        match outcome:
            case Done(_, value, keep):
                call.args += ["d", place, lease.id, lease.token, keeps[keep], value]
            case Failed(_, failure, keep):
                crashed = "1" if failure.reason == "crashed" else "0"
                call.args += ["f", place, lease.id, lease.token, keeps[keep]]
                call.args += [*_fields(failure), crashed]
            case Retried(_, failure, delay_ms):
                call.args += ["r", place, lease.id, lease.token, delay_ms, *_fields(failure)]
            case Snoozed(_, delay_ms):
                call.args += ["s", place, lease.id, lease.token, delay_ms]
            case Released(_, crashed):
                call.args += ["x", place, lease.id, lease.token, "1" if crashed else "0"]


def resent(call: Call, outcomes: Sequence[Outcome]) -> None:
    """Write outcomes whose answer did not come as arguments of ``settled``."""
    call.add(len(outcomes))
    for outcome in outcomes:
        lease = outcome.lease
        match outcome:
            case Done(_, value):
                kind, text, extra = "d", value, ""
            case Failed(_, failure):
                kind, (text, _, extra) = "f", _fields(failure)
            case Retried(_, failure):
                kind, (text, _, extra) = "r", _fields(failure)
            case Snoozed() | Released():
                kind, text, extra = "x", "", ""
        call.add(kind, call.place(lease.queue), lease.id, lease.token, text, extra)


def was_never_run(outcome: Outcome) -> bool:
    """Return whether an outcome is that of a job that could not even be begun."""
    return isinstance(outcome, Failed) and outcome.failure.reason in _NEVER_RUN


def _fields(failure: Failure) -> tuple[str, str, str]:
    return failure.message, failure.traceback, extra_of(failure)
