"""Where a queue that Stoker wrote may differ from one that BullMQ wrote, and why it does."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from tests.wire.dump import Dump


class Difference(NamedTuple):
    """A field that is left out of the comparison."""

    key: str
    """A pattern for the key's name."""
    field: str
    """A pattern for the name of a field of that hash, or of that stream's entries; ``opts.…`` is
    one of the options."""
    why: str


DIFFERENCES = (
    Difference(
        "events", "stoker", "says which of Stoker's verbs it was, where BullMQ has one for several"
    ),
    Difference(
        "parent", "stacktrace", "a parent that fails with its child was not run: it has no trace"
    ),
    Difference("*", "opts.stoker", "what BullMQ has no option for, such as a longest backoff"),
    Difference("*", "stoker.*", "what BullMQ has no place for, such as the times of log lines"),
)
EXTRA_EVENTS = {
    "updated": "BullMQ tells nobody of new data, or of another priority",
    "cancelled": "BullMQ has no such verb",
}
"""Kinds of events that BullMQ does not send, each with the reason that Stoker does."""


def without(dump: Dump) -> Dump:
    """Return the dump less what may differ.

    The counter behind equal priorities starts again when their line is empty, which BullMQ notices
    at the next claim and Stoker at once.
    """
    idle = {"pc"} if "prioritized" not in dump else set[str]()
    return {key: _less(key, value) for key, value in dump.items() if key not in idle}


def _less(key: str, value: Any) -> Any:
    if key == "events":
        return [_fields(key, event) for event in value if event["event"] not in EXTRA_EVENTS]
    return _fields(key, value) if isinstance(value, dict) else value


def _fields(key: str, fields: dict[str, Any], within: str = "") -> dict[str, Any]:
    patterns = [each.field for each in DIFFERENCES if fnmatchcase(key, each.key)]
    return {
        name: _fields(key, value, "opts.") if name == "opts" else value
        for name, value in fields.items()
        if not any(fnmatchcase(f"{within}{name}", pattern) for pattern in patterns)
    }
