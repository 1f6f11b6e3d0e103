"""All keys of a queue as plain JSON, with what differs from run to run replaced by what it means.

Times become ``<time>``, a due time the seconds between the job's birth and it, a lock's token
``<token>``, a stack trace ``<trace>``, and an id that was drawn at random ``<id 1>``, ``<id 2>``, …
in the order in which the events tell of them. Everything else is shown as it is stored, so that two
dumps are equal if, and only if, a BullMQ client could not tell the queues apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import redis

Dump = dict[str, Any]
Hash = dict[str, str]

EPHEMERAL = {"stalled-check", "stalled", "metrics:completed:data", "metrics:failed:data"}
"""What is there or not by the second in which somebody looked: the recovery's throttle and marks,
and a data point for each minute."""

_JSON = {"data", "opts", "returnvalue", "progress", "parent", "failedReason"}
_TIMES = {"timestamp", "processedOn", "finishedOn", "prevTS", "offset"}
_WHOLE = {"delay", "priority", "atm", "ats", "stc", "every", "ic", "count", "prevCount"}
_OPTS_TIMES = {"timestamp", "prevMillis", "startDate"}
_EVENT_TIMES = {"delay"}
_DRAWN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|repeat:\w+:\d{13}")
_DELAYED_STEP = 4_096
_PRIORITY_STEP = 1 << 32


def dump(client: redis.Redis, queue: str, prefix: str = "bull") -> Dump:
    """Return every key of a queue, by its name behind ``prefix:queue:``. ``client`` decodes."""
    stem = f"{prefix}:{queue}:"
    names = sorted(client.scan_iter(f"{stem}*"))
    stored = {name.removeprefix(stem): _read(client, name) for name in names}
    jobs = {name: value for name, value in stored.items() if _is_job(name, value)}
    seen = {name: _shown(name, value, jobs) for name, value in stored.items()}
    for name in EPHEMERAL:
        seen.pop(name, None)
    seen.get("meta", {}).pop("version", None)  # written whenever somebody opens the queue
    for name, value in list(seen.items()):
        if (left := client.pttl(f"{stem}{name}")) > 0:
            seen[name] = {"value": value, "expires": f"<+{_seconds(left)} s>"}
    return _with_drawn_ids_named(seen)


def _read(client: redis.Redis, key: str) -> Any:
    kind = client.type(key)
    read: Mapping[str, Callable[[], Any]] = {
        "string": lambda: client.get(key),
        "hash": lambda: client.hgetall(key),
        "list": lambda: client.lrange(key, 0, -1),
        "set": lambda: client.smembers(key),
        "zset": lambda: client.zrange(key, 0, -1, withscores=True),
        "stream": lambda: client.xrange(key),
    }
    return read[str(kind)]()


def _is_job(name: str, value: Any) -> bool:
    return (
        isinstance(value, dict)
        and "timestamp" in value
        and ":" not in name.removeprefix("repeat:").partition(":")[2]
    )


def _shown(name: str, value: Any, jobs: Mapping[str, Hash]) -> Any:
    """Return a key's value as it goes into the dump."""
    match name, value:
        case _ if name.endswith(":lock"):
            return "<token>"
        case ("delayed", _):
            return [[id, _due(score, jobs.get(str(id), {}))] for id, score in value]
        case ("prioritized", _):
            return [[id, *divmod(int(score), _PRIORITY_STEP)] for id, score in value]
        case ("marker", _):
            return {id: "<time>" if score else 0 for id, score in value}
        case ("events", _):
            return [_event(fields) for _, fields in value]
        case (_, dict()):
            return _hash(value)
        case (_, set()):
            return sorted(value)
        case (_, list()) if value and isinstance(value[0], tuple | list):
            return [[id, "<time>"] for id, _ in value]
        case (_, str()):
            return int(value) if value.isdigit() else value
        case _:
            return value


def _hash(stored: Hash) -> dict[str, Any]:
    shown = {field: _field(field, text) for field, text in sorted(stored.items())}
    if "rjk" in stored:  # a job scheduler's: its delay is what is left of the interval
        for fields in (shown, shown["opts"]):
            if "delay" in fields:
                fields["delay"] = f"<+{_seconds(fields['delay'])} s>"
    return shown


def _field(name: str, text: str) -> Any:
    if name in _TIMES:
        return "<time>"
    if name in _WHOLE:
        return int(text)
    if name == "stacktrace":
        return ["<trace>" for _ in msgspec.json.decode(text)]
    if name in _JSON:
        return _options(text) if name == "opts" else _decoded(text)
    return text


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _options(text: str) -> Any:
    options = _decoded(text)
    return {
        name: "<time>" if name in _OPTS_TIMES else value for name, value in sorted(options.items())
    }


def _event(fields: Mapping[str, str]) -> Mapping[str, Any]:
    return {name: "<time>" if name in _EVENT_TIMES else _decoded(value)
            for name, value in sorted(fields.items())}  # fmt: skip


def _due(score: float, job: Hash) -> str:
    return f"<+{_seconds(int(score) // _DELAYED_STEP - int(job.get('timestamp', 0)))} s>"


def _seconds(ms: int) -> int:
    """Return whole seconds: a scenario uses whole ones, and takes far less than half of one."""
    return round(ms / 1_000)


def _with_drawn_ids_named(seen: Dump) -> Dump:
    story = msgspec.json.encode(seen.get("events", [])).decode()
    text = msgspec.json.encode(seen).decode()
    drawn = set(_DRAWN_ID.findall(text))
    for number, id in enumerate(sorted(drawn, key=story.find), start=1):
        text = text.replace(id, f"<id {number}>")
    named: Dump = msgspec.json.decode(text)
    return dict(sorted(named.items()))
