"""What can be set on a job, as people write it, checked and made into what is stored."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, TypedDict, cast

import msgspec

from stoker.errors import ConfigError, shown
from stoker.job.duration import LONGEST_MS, Duration, milliseconds
from stoker.job.model import MAX_PRIORITY, Backoff, Dedup, JobOptions, Keep, NewJob

MAX_NAME = 255
TAKEN_IDS = frozenset({
    "active", "completed", "delayed", "events", "failed", "id", "limiter", "marker", "meta",
    "paused", "pc", "prioritized", "repeat", "stalled", "stalled-check", "wait", "waiting-children",
})  # fmt: skip
"""Ids that no job can have: in BullMQ's layout they name the keys of the queue itself."""


class JobSettings(TypedDict, total=False):
    """What a producer may set on one job."""

    id: str
    """The caller's own id: adding it again gives the job that has it. Not a whole number."""
    delay: Duration
    """Not before this long from now."""
    priority: int
    """0 (first, the default) to 2,097,151 (last); for some to go first, others need a number."""
    lifo: bool
    """Go to the front of the priority's line."""
    attempts: int
    """Runs at the most, the first included."""
    backoff: Backoff | Duration
    """The wait between attempts; a duration is the first wait of an exponential backoff."""
    timeout: Duration | None
    """The longest run; ``None`` is no limit."""
    keep_completed: Keep | bool | int
    """How many completed jobs to keep: all, none, the last so many, or a ``Keep``."""
    keep_failed: Keep | bool | int
    """The same for dead letters."""
    dedup: Dedup | str
    """Do not add while another job with this key counts; text is its key, until it is finished."""


class Settled(msgspec.Struct, frozen=True):
    """Settings that have been checked."""

    id: str | None = None
    delay_ms: int = 0
    priority: int = 0
    lifo: bool = False
    dedup: Dedup | None = None
    options: str = "{}"

    def job(self, queue: str, name: str, data: str) -> NewJob:
        """Return the job to add."""
        return NewJob(
            queue, name, data, self.id, self.priority, self.delay_ms, self.lifo, self.dedup,
            self.options,
        )  # fmt: skip


def settle(given: Mapping[str, Any], where: str) -> Settled:
    """Check ``given`` and return it as it is stored.

    Raises ``ConfigError`` naming ``where`` and the setting that is at fault.
    """
    unknown(given, JobSettings, where)
    return Settled(
        id=_id(given["id"], where) if given.get("id") is not None else None,
        delay_ms=milliseconds(given.get("delay", 0), f"{where}: delay"),
        priority=_whole(given.get("priority", 0), 0, MAX_PRIORITY, f"{where}: priority"),
        lifo=_flag(given.get("lifo", False), f"{where}: lifo"),
        dedup=_dedup(given.get("dedup"), where),
        options=msgspec.json.encode(job_options(given, where)).decode(),
    )


def job_options(given: Mapping[str, Any], where: str) -> JobOptions:
    """Return the settings that decide how a job is run and kept.

    They come back as a worker will read them from the store: what it would object to is refused.
    """
    chosen: dict[str, Any] = {}
    if "attempts" in given:
        chosen["attempts"] = _whole(given["attempts"], 1, 1_000_000, f"{where}: attempts")
    if "backoff" in given:
        chosen["backoff"] = _backoff(given["backoff"], where)
    if "timeout" in given:
        chosen["timeout_ms"] = _timeout(given["timeout"], where)
    for setting in ("keep_completed", "keep_failed"):
        if setting in given:
            chosen[setting] = _keep(given[setting], f"{where}: {setting}")
    if not chosen:
        return JobOptions()
    try:
        return msgspec.json.decode(msgspec.json.encode(JobOptions(**chosen)), type=JobOptions)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {error}") from None


_ELSEWHERE = {
    "retries": "attempts", "max_retries": "attempts", "tries": "attempts",
    "countdown": "delay", "eta": "delay", "time_limit": "timeout", "job_id": "id",
    "job_timeout": "timeout", "unique": "dedup", "retry_backoff": "backoff",
}  # fmt: skip
"""What other frameworks call a setting → what it is here."""


def unknown(given: Mapping[str, Any], known: type, where: str) -> None:
    """Refuse a setting that does not exist, and guess which one was meant."""
    names = known.__annotations__
    for name in given:
        if name not in names:
            elsewhere = _ELSEWHERE.get(name, "")
            close = [elsewhere] if elsewhere in names else difflib.get_close_matches(name, names, 1)
            raise ConfigError(
                f"{where}: there is no setting {name!r}",
                hint=f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}",
            )


def check_name(value: object, what: str) -> str:
    """Return a queue's or task's name, or raise ``ConfigError`` saying what it may be."""
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= MAX_NAME
        or not value.isprintable()
        or value != value.strip()
        or any(character in ":{}*" for character in value)
    ):
        raise ConfigError(
            f"{what}={shown(value)} is not a name",
            hint=f"1 to {MAX_NAME} printable characters, none of them : {{ }} *, "
            "and no space at either end",
        )
    return value


def _id(value: object, where: str) -> str:
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= MAX_NAME
        or not value.isprintable()
        or (value.isascii() and value.isdigit())
        or ":" in value
    ):
        raise ConfigError(
            f"{where}: id={shown(value)} cannot be a job's id",
            hint="text of 1 to 255 printable characters without ':', and not a whole number: "
            "those are the ids that the broker gives",
        )
    if value in TAKEN_IDS:
        raise ConfigError(f"{where}: id={value!r} is taken", hint="it names a part of the queue")
    return value


def _whole(value: object, least: int, most: int, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ConfigError(f"{what}={value!r} is not a whole number from {least} to {most}")
    return value


def _flag(value: object, what: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{what}={value!r} is neither True nor False")
    return value


def _backoff(value: object, where: str) -> Backoff:
    if isinstance(value, Backoff):
        kind = cast(object, value.kind)
        if not isinstance(kind, str) or not kind or value.delay_ms < 0 or value.max_ms < 0:
            raise ConfigError(f"{where}: backoff={value!r} cannot be", hint="see Backoff")
        if not 0 <= value.jitter <= 1:
            raise ConfigError(f"{where}: backoff jitter={value.jitter!r} is not between 0 and 1")
        return value
    if callable(value):
        raise ConfigError(
            f"{where}: backoff={shown(value)} is a function",
            hint='register it, @app.backoff("name"), and name it: backoff=Backoff("name")',
        )
    return Backoff(delay_ms=milliseconds(cast(Duration, value), f"{where}: backoff"))


def _timeout(value: object, where: str) -> int | None:
    if value is None:
        return None
    ms = milliseconds(cast(Duration, value), f"{where}: timeout")
    if ms == 0:
        raise ConfigError(f"{where}: timeout=0 would end every run", hint="None is no limit")
    return ms


def _keep(value: object, what: str) -> Keep:
    if isinstance(value, Keep):
        if min(value.count or 0, value.age_ms or 0) < 0:
            raise ConfigError(f"{what}={value!r} is negative")
        return value
    if isinstance(value, bool):
        return Keep() if value else Keep(count=0)
    if isinstance(value, int) and value >= 0:
        return Keep(count=value)
    raise ConfigError(f"{what}={value!r} is not True, False, a number or a Keep")


def _dedup(value: object, where: str) -> Dedup | None:
    if value is None or isinstance(value, Dedup):
        dedup = value
    elif isinstance(value, str):
        dedup = Dedup(value)
    else:
        raise ConfigError(f"{where}: dedup={value!r} is neither a key (text) nor a Dedup")
    if dedup is None:
        return None
    key = cast(object, dedup.key)
    if not isinstance(key, str) or not 0 < len(key) <= MAX_NAME:
        raise ConfigError(f"{where}: dedup key {shown(key)} is not 1 to {MAX_NAME} characters")
    if not key.isprintable():
        raise ConfigError(f"{where}: dedup key {key!r} has characters that cannot be printed")
    if dedup.ttl_ms is not None:
        _whole(dedup.ttl_ms, 0, LONGEST_MS, f"{where}: dedup ttl_ms")
    return dedup
