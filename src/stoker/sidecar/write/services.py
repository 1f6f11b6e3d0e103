"""Services and volumes in a compose file of a person's: put in, renewed, taken out.

The person's text is not written anew: ours goes in between its lines, so that comments, order,
quotes and anchors stay to the letter. What comes out is read again and compared with the intent;
a file that is written in another way (``services: {…}``) is refused.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from stoker.errors import ConfigError
from stoker.sidecar.render.yaml import dump
from stoker.sidecar.write.document import Document, Values, fingerprint, mapping, read
from stoker.sidecar.write.marks import Owner, checksum
from stoker.sidecar.write.splice import put, take

MARK = "x-stoker"
_SECTIONS = ("services", "volumes")


class _Edit(NamedTuple):
    section: str
    name: str
    value: Values | None
    """``None``: taken out."""


def merge(path: str, before: str, wanted: str, *, force: bool) -> tuple[str, tuple[str, ...]]:
    """Return the file with our services in it, and notes on what was left alone."""
    ours = read(path, wanted)
    theirs = read(path, before)
    edits: list[_Edit] = []
    notes: list[str] = []
    for section in _SECTIONS:
        present = theirs.section(section)
        wanted_here = ours.section(section)
        for name, value in wanted_here.items():
            new = _marked(_connected(mapping(value), theirs.section("services")))
            whose = _owner(present[name]) if name in present else "stoker"
            if whose == "stoker" or force:
                edits.append(_Edit(section, name, new))
            elif _checksum(mapping(present[name])) != _checksum(new):
                notes.append(_note(theirs, section, name, whose))
        gone = [name for name in present if name not in wanted_here]
        edits += [_Edit(section, name, None) for name in gone if _owner(present[name]) == "stoker"]
    return _edited(theirs, edits), tuple(notes)


def remove(path: str, before: str, *, force: bool) -> tuple[str, tuple[str, ...]]:
    """Return the file without our services, and notes on what was left alone."""
    if MARK not in before:
        return before, ()
    theirs = read(path, before)
    edits: list[_Edit] = []
    notes: list[str] = []
    for section in _SECTIONS:
        for name, value in theirs.section(section).items():
            match _owner(value):
                case "edited" if not force:
                    notes.append(_note(theirs, section, name, "edited"))
                case "stoker" | "edited":
                    edits.append(_Edit(section, name, None))
                case "person":
                    pass
    return _edited(theirs, edits), tuple(notes)


def _owner(value: Any) -> Owner:
    values = mapping(value)
    if MARK not in values:
        return "person"
    return "stoker" if values[MARK] == _checksum(values) else "edited"


def _marked(value: Values) -> dict[str, Any]:
    return {**value, MARK: _checksum(value)}


def _checksum(value: Values) -> str:
    rest = {key: item for key, item in value.items() if key != MARK}
    try:
        return checksum(json.dumps(rest, sort_keys=True, default=str))
    except (ValueError, RecursionError):  # it refers to itself, so it is nothing of ours
        return ""


def _connected(value: Values, present: Values) -> Values:
    """Put a worker on the networks of what it needs: off the default one nobody finds it."""
    found: dict[str, None] = {}
    for need in mapping(value.get("depends_on")):
        networks = mapping(present.get(need)).get("networks") or ()
        found |= dict.fromkeys(str(network) for network in networks)
    return {**value, "networks": list(found)} if found else value


def _note(document: Document, section: str, name: str, whose: Owner) -> str:
    line = document.line(section, name)
    why = "was changed since Stoker wrote it" if whose == "edited" else "is not Stoker's"
    return f"line {line}: {section.removesuffix('s')} {name!r} {why}: left alone"


def _edited(document: Document, edits: list[_Edit]) -> str:
    """Return the text with the edits in it. Raises ``ConfigError`` where that cannot be done."""
    lines = document.text.split("\n")
    intent = document.plain()
    for section, name, value in edits:
        entries: dict[str, Any] = dict(mapping(intent.get(section)))
        if value is None:
            lines = take(lines, section, name)
            del entries[name]
        elif entries.get(name) != value:
            lines = put(lines, section, name, dump({name: value}).rstrip("\n").split("\n"))
            entries[name] = value
        intent[section] = entries
    text = "\n".join(lines)
    _compare(document.path, text, intent)
    return document.restored(text)


def _compare(path: str, text: str, intent: Values) -> None:
    try:
        made = read(path, text).plain()
    except ConfigError:
        made = {}
    if fingerprint(_filled(made)) != fingerprint(_filled(intent)):
        raise ConfigError(
            f"{path}: nothing can be added here without writing a person's part anew",
            hint="write services and volumes as blocks, not in braces, or move the file aside",
        )


def _filled(values: Values) -> Values:
    """An empty section and none at all are the same."""
    return {key: value for key, value in values.items() if value or key not in _SECTIONS}
