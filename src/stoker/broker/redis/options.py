"""A job's options in BullMQ's words and in ours.

BullMQ's ``opts`` is a JSON object of everything that a producer set. What has the same meaning goes
by BullMQ's name; the rest of ours is under ``stoker``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeGuard, cast

import msgspec

from stoker.job.model import Backoff, Dedup, JobOptions, Keep, NewJob

_Object = dict[str, Any]
_UNLIMITED_MS = 100 * 365 * 86_400_000

UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError)
"""What reading anybody's JSON raises: it is none, is no text, is too deep, a number too large."""


def opts_of(job: NewJob) -> str:
    """Return what is stored as the job's ``opts``."""
    text = _opts(job.options, job.delay_ms, job.priority, job.lifo, job.dedup)
    if job.id is None:
        return text
    return f'{text[:-1]},"jobId":{msgspec.json.encode(job.id).decode()}}}'


@lru_cache(maxsize=2048)
def _opts(options: str, delay_ms: int, priority: int, lifo: bool, dedup: Dedup | None) -> str:
    opts = _theirs(options)
    if delay_ms:
        opts["delay"] = delay_ms
    if priority:
        opts["priority"] = priority
    if lifo:
        opts["lifo"] = True
    if dedup is not None:
        opts["de"] = {"id": dedup.key} | ({"ttl": dedup.ttl_ms} if dedup.ttl_ms else {})
    return msgspec.json.encode(opts).decode()


def _theirs(options: str) -> _Object:
    """Return our options in BullMQ's words, so that they read back as they were written."""
    try:
        ours = msgspec.json.decode(options, type=JobOptions)
        opts = _translated(ours)
        read = options_in(msgspec.json.encode(opts).decode())
        same = _translated(msgspec.json.decode(read, type=JobOptions)) == opts
        if same and msgspec.json.encode(ours).decode() == options:
            return opts
    except msgspec.MsgspecError:
        opts = {"attempts": 0}
    return opts | {"stoker": {"options": options}}


def _translated(ours: JobOptions) -> _Object:
    opts: _Object = {"attempts": 0 if ours.attempts is msgspec.UNSET else ours.attempts}
    own: _Object = {}
    if ours.backoff is not msgspec.UNSET:
        backoff = ours.backoff
        jitter = {"jitter": backoff.jitter} if backoff.jitter else {}
        opts["backoff"] = {"type": backoff.kind, "delay": backoff.delay_ms} | jitter
        if backoff.kind == "exponential" and _reaches(backoff, opts["attempts"]):
            own["max_ms"] = backoff.max_ms
    if ours.timeout_ms is not msgspec.UNSET:
        own["timeout_ms"] = ours.timeout_ms
    if ours.keep_completed is not msgspec.UNSET:
        opts["removeOnComplete"] = _removal(ours.keep_completed)
    if ours.keep_failed is not msgspec.UNSET:
        opts["removeOnFail"] = _removal(ours.keep_failed)
    return opts | ({"stoker": own} if own else {})


def _reaches(backoff: Backoff, attempts: int) -> bool:
    """Return whether the longest wait, of which BullMQ knows nothing, is ever reached."""
    longest = backoff.delay_ms << min(attempts or 62, 62)
    return backoff.max_ms < min(longest, _UNLIMITED_MS)


def _removal(keep: Keep) -> bool | int | _Object:
    """BullMQ says what to remove, we say what to keep."""
    if keep.age_ms is None:
        return False if keep.count is None else keep.count or True
    age = keep.age_ms // 1_000 if keep.age_ms % 1_000 == 0 else keep.age_ms / 1_000
    others = {"count": keep.count, "limit": keep.limit}
    return {"age": age} | {name: value for name, value in others.items() if value is not None}


@lru_cache(maxsize=2048)
def options_in(opts: str) -> str:
    """Return ``JobOptions`` as JSON text from stored ``opts``.

    What cannot be read comes back as it is: whoever decodes it makes the job a dead letter.
    """
    try:
        theirs = msgspec.json.decode(opts or "{}")
        return _ours(cast(_Object, theirs)) if isinstance(theirs, dict) else opts
    except UNREADABLE:
        return opts


def _ours(theirs: _Object) -> str:
    own: Any = theirs.get("stoker")
    own = cast(_Object, own) if isinstance(own, dict) else {}
    if isinstance(own.get("options"), str):
        return own["options"]
    ours = JobOptions(
        attempts=_attempts(theirs.get("attempts")),
        backoff=_backoff(theirs.get("backoff"), own.get("max_ms")),
        timeout_ms=own.get("timeout_ms", msgspec.UNSET),
        keep_completed=_kept(theirs.get("removeOnComplete")),
        keep_failed=_kept(theirs.get("removeOnFail")),
    )
    return msgspec.json.encode(ours).decode()


def _attempts(value: Any) -> int | msgspec.UnsetType:
    """BullMQ writes 0 where its producer said nothing: that is for the task to say."""
    return int(value) if _is_number(value) and value >= 1 else msgspec.UNSET


def _backoff(value: Any, max_ms: Any) -> Backoff | msgspec.UnsetType:
    if _is_number(value):
        value = {"type": "fixed", "delay": value}
    if not isinstance(value, dict) or "type" not in value:
        return msgspec.UNSET
    theirs = cast(_Object, value)
    delay, jitter = theirs.get("delay"), theirs.get("jitter")
    delay_ms = max(round(delay), 0) if _is_number(delay) else 0
    kind = theirs["type"]
    if kind == "exponential":
        longest = max_ms if isinstance(max_ms, int) else _UNLIMITED_MS
    else:
        longest = delay_ms
    return Backoff(kind, delay_ms, longest, jitter if _is_number(jitter) else 0.0)


def _kept(value: Any) -> Keep | msgspec.UnsetType:
    if isinstance(value, bool):
        return Keep(count=0) if value else Keep()
    if _is_number(value):
        return Keep(count=int(value)) if value >= 0 else Keep()
    if isinstance(value, dict):
        theirs = cast(_Object, value)
        count, age, limit = theirs.get("count"), theirs.get("age"), theirs.get("limit")
        return Keep(
            int(count) if _is_number(count) and count >= 0 else None,
            round(age * 1_000) if _is_number(age) and age >= 0 else None,
            int(limit) if _is_number(limit) and limit >= 0 else None,
        )
    return msgspec.UNSET


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
