"""What a compose file gives a service beside its command, to the letter.

What no file of Compose's can mean is left out: a plan that holds it could not be written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from stoker.sidecar.detect.yaml import Table
from stoker.sidecar.ours import MARK
from stoker.sidecar.secrets import is_secret
from stoker.sidecar.values import PARTS, Given

_MOST = 200
"""Entries of one kind: more than anybody writes."""
_LONGEST = 8_192
_NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_STARTED = "service_started"


def given(path: str, name: str, service: Table) -> Given:
    """Return what a service is given."""
    return Given(
        path=path,
        service=name if _is_text(name) else "",
        image=_image(service),
        env_file=dict(_env_files(service.get("env_file"))),
        environment=_environment(service),
        depends_on=dict(_awaited(service.get("depends_on"))),
        networks=tuple(_networks(service.get("networks"))),
        volumes=tuple(_volumes(service.get("volumes"))),
        restart=_restart(service),
        logging=_logging(service.table("logging")),
        replaced=dict(_replaced(service)),
        ours=MARK in service,
    )


def _environment(service: Table) -> dict[str, str | None]:
    """Return its variables; what Stoker asks the operator for says nothing of the project."""
    found = dict(_variables(service.get("environment")))
    ours = MARK in service
    return {name: text for name, text in found.items() if not (ours and text is None)}


def _image(service: Table) -> str:
    image = service.get("image")
    if isinstance(image, str) and _is_text(image) and "build" not in service:
        return image
    return ""


def _restart(service: Table) -> str:
    text = service.get("restart")
    return text if isinstance(text, str) and _is_text(text) else ""


def _logging(table: Table) -> dict[str, str | dict[str, str]]:
    """Return where its output goes; nothing of it where a secret stands in there."""
    driver, options = table.get("driver"), list(table.table("options").items())[:_MOST]
    pairs = [(name, text) for name, text in options if _is_text(name) and _is_text(text)]
    if any("$" not in text and is_secret(name, text) for name, text in pairs):
        return {}
    found: dict[str, str | dict[str, str]] = {}
    if isinstance(driver, str) and driver and _is_text(driver):
        found["driver"] = driver
    if pairs:
        found["options"] = dict(pairs)
    return found


def _replaced(service: Table) -> Iterator[tuple[str, tuple[str, ...]]]:
    for part in PARTS:
        entries = service.table(part).replaced
        if part in service.replaced:
            yield part, ()
        elif entries:
            yield part, tuple(sorted(filter(_is_text, entries)))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST and not _NO_TEXT.search(value)


def _is_false(value: Any) -> bool:
    return isinstance(value, str) and value.lower() == "false"


def _each(value: Any) -> list[Any]:
    listed = cast(list[Any], value)[:_MOST] if isinstance(value, list) else []
    return [each for each in listed if each is not None]


def _env_files(value: Any) -> Iterator[tuple[str, bool]]:
    for each in [value] if isinstance(value, str) else _each(value):
        place = each.get("path") if isinstance(each, Table) else each
        if _is_text(place) and place:
            optional = isinstance(each, Table) and _is_false(each.get("required"))
            yield place, not optional


def _variables(value: Any) -> Iterator[tuple[str, str | None]]:
    pairs: list[tuple[Any, Any]] = []
    if isinstance(value, Table):
        pairs = list(value.items())[:_MOST]
    for each in _each(value):
        name, equals, rest = str(each).partition("=")
        pairs.append((name.strip(), rest if equals else None))
    for name, text in pairs:
        if _VARIABLE.fullmatch(name) and (text is None or _is_text(text)):
            yield name, text


def _awaited(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Table):
        for name, each in list(value.items())[:_MOST]:
            condition = each.get("condition") if isinstance(each, Table) else None
            if _is_text(name):
                yield name, condition if condition and _is_text(condition) else _STARTED
    yield from ((name, _STARTED) for name in _each(value) if _is_text(name))


def _networks(value: Any) -> Iterator[str]:
    yield from filter(_is_text, list(value)[:_MOST] if isinstance(value, Table) else _each(value))


def _volumes(value: Any) -> Iterator[str]:
    for each in _each(value):
        if isinstance(each, Table):
            parts = [each.get("source") or "", each.get("target") or ""]
            if each.get("type") in ("bind", "volume") and all(map(_is_text, parts)):
                ending = ":ro" if each.get("read_only") == "true" else ""
                yield ":".join(filter(None, parts)) + ending
        elif _is_text(each):
            yield each
