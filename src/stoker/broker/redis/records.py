"""From the fields of a job's hash to a record, and from a failure to the fields that hold it.

Whoever can reach the server can write anything into a hash: nothing in here raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from stoker.broker.redis.options import UNREADABLE, options_in
from stoker.failure import Failure
from stoker.job.model import JobRecord
from stoker.job.states import State

Fields = Sequence[Any]
"""The values that a script read, in the order in which it names them."""


class _Extra(msgspec.Struct, omit_defaults=True):
    """What a failure has that BullMQ keeps no place for: the field ``stoker.failure``."""

    reason: str = "error"
    type: str = ""
    bare: bool = False
    """It came without a traceback: the last one stored is of an earlier failure."""


def extra_of(failure: Failure) -> str:
    """Return the JSON text of ``stoker.failure``; empty if there is nothing to say."""
    text = msgspec.json.encode(
        _Extra(failure.reason, failure.type, bare=not failure.traceback)
    ).decode()
    return "" if text == "{}" else text


def never_run(
    queues: Sequence[str], values: Sequence[Any], token: str, now: int, worker: str
) -> list[JobRecord]:
    """Return the records of jobs that were never run before; each is seven ``values``."""
    first_token = f"{token}.1"
    queue_at = dict(enumerate(queues, 1))
    each = iter(values)
    return [
        JobRecord(
            queue_at[place], id, name, data, options_in(opts or ""), State.ACTIVE,
            _whole(priority), _whole(created_at), None, now, None, 0, 1, 0, worker, first_token,
        )
        for place, id, name, data, opts, created_at, priority in zip(*[each] * 7, strict=True)
    ]  # fmt: skip


def given_out(queue: str, token: str, id: str, fields: Fields, now: int, worker: str) -> JobRecord:
    """Return the record of a job that was given out just now."""
    (name, data, opts, created_at, priority, attempts, starts, crashes, progress, reason, traces,
     extra) = fields[:12]  # fmt: skip
    return JobRecord(
        queue, id, name or "", data or "", options_in(opts or ""), State.ACTIVE, _whole(priority),
        _whole(created_at), None, now, None, _whole(attempts), starts, _whole(crashes), worker,
        token, progress, None, None if reason is None else _failure(reason, traces, extra),
    )  # fmt: skip


def stored(queue: str, read: Sequence[Any]) -> JobRecord:
    """Return the record of a job as ``parts/record.lua`` read it."""
    id, state, due, token, fields = read
    (name, data, opts, created_at, priority, attempts, starts, crashes, progress, reason, traces,
     extra, claimed_at, finished_at, worker, result) = fields  # fmt: skip
    state = State(state)
    return JobRecord(
        queue, id, name or "", data or "", options_in(opts or ""), state, _whole(priority),
        _whole(created_at), due, None if claimed_at is None else _whole(claimed_at),
        None if finished_at is None else _whole(finished_at), _whole(attempts), _whole(starts),
        _whole(crashes), worker, token, progress, result if state is State.COMPLETED else None,
        None if reason is None or state is State.COMPLETED else _failure(reason, traces, extra),
    )  # fmt: skip


def _failure(message: str, traces: str | None, extra: str | None) -> str:
    try:
        more = msgspec.json.decode(extra or "{}", type=_Extra)
        traceback = "" if more.bare else _last(traces)
        failure = Failure(cast(Any, more.reason), message, traceback, more.type)
        return msgspec.json.encode(failure).decode()
    except UNREADABLE:
        text = message.encode("utf-8", "backslashreplace").decode()
        return msgspec.json.encode(Failure("error", text)).decode()


def _last(traces: str | None) -> str:
    stored = msgspec.json.decode(traces or "[]")
    return str(cast("list[Any]", stored)[-1]) if isinstance(stored, list) and stored else ""


def _whole(text: str | int | None) -> int:
    """Return a number that was stored as text; 0 for what is none."""
    try:
        return int(text or 0)
    except ValueError:
        return 0
