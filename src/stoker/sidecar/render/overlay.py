"""What a file has to say on top of another one, so that both together say the whole. Pure.

By Compose's rules mappings are merged and lists grow: only what is other is said, what is beneath
and not meant is taken away, and a list of which something goes is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from stoker.sidecar.tags import OVERRIDE, RESET, Tagged

_REPLACED = frozenset({"command", "entrypoint", "test"})
"""Lists that Compose never puts together."""


def overlay(whole: Mapping[str, Any], beneath: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes the ``whole`` of what is ``beneath``."""
    made: dict[str, Any] = {key: Tagged(RESET) for key in beneath if key not in whole}
    for key, value in whole.items():
        if key not in beneath:
            made[key] = value
        elif value != beneath[key]:
            made[key] = _on(key, value, beneath[key])
    return made


def _on(key: str, value: Any, beneath: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(beneath, Mapping):
        whole, below = cast(Mapping[str, Any], value), cast(Mapping[str, Any], beneath)
        if key == "logging" and whole.get("driver") != below.get("driver"):
            return dict(whole)  # Compose takes nothing over of another driver's
        return overlay(whole, below)
    if isinstance(value, list) and isinstance(beneath, list) and key not in _REPLACED:
        items, below = cast(list[Any], value), cast(list[Any], beneath)
        added = [each for each in items if each not in below]
        return added if [*below, *added] == items else Tagged(OVERRIDE, items)
    return cast(Any, value)
