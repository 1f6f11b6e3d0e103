"""What Compose makes of several files read one on another (``-f a -f b``), by its specification.

Mappings are merged, lists are put together, and the later value stands for the rest. Commands and
checks are replaced as a whole, and a volume by its target. ``!reset`` takes away what is beneath,
``!override`` stands in its place. Written for the tests: none of Stoker's own code is in here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import yaml


class Reset:
    """``!reset``: what is beneath is taken away."""


class Override(NamedTuple):
    """``!override``: what is beneath is replaced."""

    value: Any


class _Loader(yaml.SafeLoader):
    """Reads these two tags beside what YAML has."""


def _override(loader: Any, node: Any) -> Override:
    if isinstance(node, yaml.MappingNode):
        return Override(loader.construct_mapping(node, deep=True))
    if isinstance(node, yaml.SequenceNode):
        return Override(loader.construct_sequence(node, deep=True))
    return Override(loader.construct_scalar(node))


_Loader.add_constructor("!reset", lambda loader, node: Reset())
_Loader.add_constructor("!override", _override)


def tagged(text: str) -> Any:
    """Return the values of a compose file, its tags as ``Reset`` and ``Override``."""
    return yaml.load(text, _Loader)


def merged(*texts: str) -> dict[str, Any]:
    """Return what Compose starts with these files, the first of them beneath the others."""
    made: dict[str, Any] = {}
    for text in texts:
        made = _mapping(made, _whole(tagged(text)), ())
    return made


def _whole(file: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file's values, each service's in the long forms."""
    services = file.get("services") or {}
    return {**file, "services": {name: _service(each) for name, each in services.items()}}


def _service(service: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _long(key, value) for key, value in service.items()}


def _long(key: str, value: Any) -> Any:
    if isinstance(value, Override):
        return Override(_long(key, value.value))
    form = _FORMS.get(key)
    return form(value) if form and not isinstance(value, Reset) else value


def _variables(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    pairs = (str(each).partition("=") for each in value)
    return {name: rest if equals else None for name, equals, rest in pairs}


def _awaited(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    return {name: {"condition": "service_started"} for name in value}


def _networks(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else dict.fromkeys(value)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _build(value: Any) -> dict[str, Any]:
    table = dict(value) if isinstance(value, Mapping) else {"context": value}
    if "args" in table:
        table["args"] = _variables(table["args"])
    return table


_FORMS: dict[str, Callable[[Any], Any]] = {
    "build": _build,
    "environment": _variables,
    "labels": _variables,
    "depends_on": _awaited,
    "networks": _networks,
    "env_file": _listed,
    "tmpfs": _listed,
    "dns": _listed,
}
_REPLACED = frozenset({"command", "entrypoint", "test"})


def _mapping(below: Mapping[str, Any], above: Mapping[str, Any], at: tuple[str, ...]) -> Any:
    made = dict(below)
    for key, value in above.items():
        if isinstance(value, Reset):
            made.pop(key, None)
        elif isinstance(value, Override):
            made[key] = value.value
        else:
            made[key] = _value(made.get(key), value, (*at, key))
    return made


def _value(below: Any, above: Any, at: tuple[str, ...]) -> Any:
    if isinstance(above, Mapping):
        return _mapping(below if isinstance(below, Mapping) else {}, above, at)
    if isinstance(above, list) and at[-1] not in _REPLACED:
        every = [*(below or ()), *above]
        return list({_identity(at[-1], each): each for each in every}.values())
    return above


def _identity(key: str, value: Any) -> str:
    """Return what is there only once."""
    if key == "volumes":
        return _target(value)
    return repr(value)


def _target(volume: Any) -> str:
    if isinstance(volume, Mapping):
        return str(volume["target"])
    parts = str(volume).split(":")
    return parts[1] if len(parts) > 1 else parts[0]
