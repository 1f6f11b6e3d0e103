"""What a compose file says of the files beneath: ``!reset`` takes away, ``!override`` replaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

RESET = "!reset"
OVERRIDE = "!override"


class Tagged(NamedTuple):
    """A value with one of these tags; what is reset has none."""

    tag: str
    value: Any = None


def tag_of(value: Any) -> str:
    """Return the tag of a value, of ours or as it was read; nothing if it has none of these."""
    tag = value.tag if isinstance(value, Tagged) else getattr(value, "tag", None)
    name = getattr(tag, "value", tag)
    return name if name in (RESET, OVERRIDE) else ""


def as_plain(value: Any) -> Any:
    """Return a value, what is tagged as a mapping: equal where they mean the same."""
    tag = tag_of(value)
    if tag == RESET:
        return {RESET: None}
    if isinstance(value, Tagged):
        return {OVERRIDE: as_plain(value.value)}
    made = value
    if isinstance(value, Mapping):
        entries = cast(Mapping[str, Any], value)
        made = {key: as_plain(each) for key, each in entries.items()}
    elif isinstance(value, list | tuple):
        made = [as_plain(each) for each in cast(list[Any], value)]
    return {OVERRIDE: made} if tag else made
