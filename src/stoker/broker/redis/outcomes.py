"""Write outcomes as the arguments of scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence

from stoker.broker.redis.calls import Call
from stoker.broker.redis.records import extra_of
from stoker.failure import Failure
from stoker.job.model import Keep, Lease
from stoker.job.outcome import Done, Failed, Outcome, Released, Retried, Snoozed

_NEVER_RUN = ("undecodable", "unknown-task")


def without_repeats(outcomes: Sequence[Outcome]) -> tuple[Sequence[Outcome], frozenset[Lease]]:
    """Return the first outcome of each lease, and the leases for which another comes too late."""
    leases = [outcome.lease for outcome in outcomes]
    if len(set(leases)) == len(leases):
        return outcomes, frozenset()
    first: dict[Lease, Outcome] = {}
    repeated: set[Lease] = set()
    for lease, outcome in zip(leases, outcomes, strict=True):
        if lease in first:
            repeated.add(lease)
        else:
            first[lease] = outcome
    return list(first.values()), frozenset(repeated)


def write(call: Call, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Write the outcomes as arguments of ``finish``; return them in that order."""
    groups: dict[tuple[str, Keep], list[Done]] = {}
    others: list[Outcome] = []
    for outcome in outcomes:
        if isinstance(outcome, Done):
            groups.setdefault((outcome.lease.queue, outcome.keep), []).append(outcome)
        else:
            others.append(outcome)
    call.add(len(groups))
    written: list[Outcome] = []
    for (queue, keep), group in groups.items():
        call.add(call.place(queue), keep.count, keep.age_ms, keep.limit, len(group))
        for done in group:
            lease = done.lease
            call.args += (lease.id, lease.token, done.value)
        written += group
    call.add(len(others))
    for outcome in others:
        _add_other(call, outcome)
    return written + others


def _add_other(call: Call, outcome: Outcome) -> None:
    lease = outcome.lease
    whose = (call.place(lease.queue), lease.id, lease.token)
    match outcome:
        case Failed(_, failure, keep):
            crashed = "1" if failure.reason == "crashed" else "0"
            call.add("f", *whose, *_fields(failure), keep.count, keep.age_ms, keep.limit, crashed)
        case Retried(_, failure, delay_ms):
            call.add("r", *whose, *_fields(failure), delay_ms)
        case Snoozed(_, delay_ms):
            call.add("s", *whose, delay_ms)
        case Released(_, crashed):
            call.add("x", *whose, "1" if crashed else "0")
        case Done():
            raise AssertionError("those that completed are sent in groups")


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
    trace = json.dumps(failure.traceback, ensure_ascii=False) if failure.traceback else ""
    return failure.message, trace, extra_of(failure)
