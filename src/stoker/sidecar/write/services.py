"""Services and volumes in a compose file of a person's: put in, renewed, taken out.

The person's text is not written anew: ours goes in between its lines, so that comments, order,
quotes and anchors stay to the letter. What comes out is read again and compared with the intent;
a file that is written in another way (``services: {…}``) is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple, cast

from stoker.errors import ConfigError
from stoker.sidecar.ours import MARK
from stoker.sidecar.render.seal import checksum_of, sealed
from stoker.sidecar.render.yaml import Commented, dump
from stoker.sidecar.tags import Tagged, tag_of
from stoker.sidecar.write.document import Document, Values, fingerprint, mapping, read
from stoker.sidecar.write.marks import Owner
from stoker.sidecar.write.splice import comments, put, take

_SECTIONS = ("services", "volumes")
_DEFAULT = "default"
"""The network of a service that names none."""


class Merged(NamedTuple):
    """A file with our services in it."""

    text: str
    kept: tuple[str, ...]
    """Notes on what was left alone."""
    gone: tuple[str, ...]
    """Notes on what was taken out."""


class _Edit(NamedTuple):
    section: str
    name: str
    value: Values | None
    """``None``: taken out."""
    comments: Mapping[str, str] = {}
    """What stands above its keys."""


def merge(path: str, before: str, wanted: str, *, force: bool) -> Merged:
    """Return the file with our services in it, and without those that are no longer wanted."""
    ours = read(path, wanted)
    theirs = read(path, before)
    edits: list[_Edit] = []
    notes: list[str] = []
    there = {**ours.section("services"), **theirs.section("services")}
    for section in _SECTIONS:
        present = theirs.section(section)
        wanted_here = ours.section(section)
        for name, value in wanted_here.items():
            new = sealed(_connected(mapping(value), there))
            whose = _owner(present[name]) if name in present else "stoker"
            if whose == "stoker" or force:
                above = comments(ours.text.split("\n"), section, name)
                edits.append(_Edit(section, name, new, above))
            elif checksum_of(mapping(present[name])) != checksum_of(new):
                notes.append(_note(theirs, section, name, whose))
        for name in [name for name in present if name not in wanted_here]:
            match _owner(present[name]):
                case "stoker":
                    edits.append(_Edit(section, name, None))
                case "edited":  # it counts as a person's, so that no plan asks for it
                    notes.append(_note(theirs, section, name, "edited"))
                case "person":
                    pass
    edits = _unneeded(theirs, edits)
    gone = (_gone(theirs, each.section, each.name) for each in edits if each.value is None)
    return Merged(_edited(theirs, edits), tuple(notes), tuple(gone))


def remove(
    path: str, before: str, *, force: bool, staying: Collection[str] = ()
) -> tuple[str, tuple[str, ...]]:
    """Return the file without our services, and notes on what was left alone.

    ``staying``: those that stay in another file, as a person changed them there. What is put on
    them here stays as well: without it production would start them as development does.
    """
    if MARK not in before:
        return before, ()
    theirs = read(path, before)
    edits, notes = _removal(theirs, force=force, staying=staying)
    return _edited(theirs, _unneeded(theirs, edits)), notes


def apart(path: str, before: str, *, force: bool) -> str:
    """Return the file without our services, whatever of a person's refers to them."""
    if MARK not in before:
        return before
    theirs = read(path, before)
    edits, _ = _removal(theirs, force=force)
    return _edited(theirs, edits)


def changed(path: str, text: str) -> set[str]:
    """Return our services that a person changed."""
    if MARK not in text:
        return set()
    known = read(path, text).section("services").items()
    return {name for name, value in known if _owner(value) == "edited"}


def _removal(
    theirs: Document, *, force: bool, staying: Collection[str] = ()
) -> tuple[list[_Edit], tuple[str, ...]]:
    """Return what takes our services out, and notes on what a person changed."""
    edits: list[_Edit] = []
    notes: list[str] = []
    for section in _SECTIONS:
        for name, value in theirs.section(section).items():
            match _owner(value):
                case "edited" if not force:
                    notes.append(_note(theirs, section, name, "edited"))
                case "stoker" if name in staying and _is_part(value):
                    notes.append(_part_note(theirs, name))
                case "stoker" | "edited":
                    edits.append(_Edit(section, name, None))
                case "person":
                    pass
    return edits, tuple(notes)


def has(path: str, text: str, name: str) -> bool:
    """Tell if a compose file has this service from Stoker, changed since or not."""
    return MARK in text and _owner(read(path, text).section("services").get(name)) != "person"


def _unneeded(document: Document, edits: list[_Edit]) -> list[_Edit]:
    """Take out nothing that a service which stays refers to."""
    gone = {edit.name for edit in edits if edit.section == "services" and edit.value is None}
    while True:
        staying = [
            mapping(value)
            for name, value in document.section("services").items()
            if name not in gone
        ]
        needed = {need for service in staying for need in _entries(service, "depends_on")}
        if not gone & needed:
            break
        gone -= needed
    mounts = [str(volume) for service in staying for volume in _entries(service, "volumes")]
    volumes = {mount.partition(":")[0] for mount in mounts}
    kept = {"services": gone, "volumes": document.section("volumes").keys() - volumes}
    return [edit for edit in edits if edit.value is not None or edit.name in kept[edit.section]]


def _entries(service: Values, part: str) -> Iterable[Any]:
    """Return what a part of a service lists; of one that is reset, nothing."""
    value = service.get(part)
    value = value.value if isinstance(value, Tagged) else value
    return cast(Iterable[Any], value) if isinstance(value, (Mapping, list)) else ()


def _owner(value: Any) -> Owner:
    values = mapping(value)
    if MARK not in values:
        return "person"
    return "stoker" if values[MARK] == checksum_of(values) else "edited"


def _connected(value: Values, present: Values) -> Values:
    """Put a worker on the networks of what it needs: off these nobody finds it.

    And let it wait until what can tell that it is healthy is so. On which ones that is which only a
    file beneath starts, that one says.
    """
    if tag_of(value.get("networks")) or tag_of(value.get("depends_on")):
        return value  # it takes something back of what is beneath
    found = dict.fromkeys(_entries(value, "networks"))
    needs = dict(mapping(value.get("depends_on")))
    for need, how in needs.items():
        there = mapping(present.get(need))
        usual = (_DEFAULT,) if {"image", "build", "extends"} & there.keys() else ()
        found |= dict.fromkeys(map(str, _entries(there, "networks") or usual))
        if "test" in mapping(there.get("healthcheck")):
            needs[need] = {**mapping(how), "condition": "service_healthy"}
    made = {**value, "depends_on": needs} if needs else value
    return {**made, "networks": list(found)} if found.keys() - {_DEFAULT} else made


def _is_part(value: Any) -> bool:
    """Tell if another file says what a service is started from."""
    values = mapping(value)
    return "image" not in values and "context" not in mapping(values.get("build"))


def _part_note(document: Document, name: str) -> str:
    line = document.line("services", name)
    return f"line {line}: service {name!r} is put on one that was changed elsewhere: left alone"


def _note(document: Document, section: str, name: str, whose: Owner) -> str:
    line = document.line(section, name)
    why = "was changed since Stoker wrote it" if whose == "edited" else "is not Stoker's"
    return f"line {line}: {section.removesuffix('s')} {name!r} {why}: left alone"


def _gone(document: Document, section: str, name: str) -> str:
    line = document.line(section, name)
    return f"line {line}: {section.removesuffix('s')} {name!r}: nothing needs it here: taken out"


def _edited(document: Document, edits: list[_Edit]) -> str:
    """Return the text with the edits in it. Raises ``ConfigError`` where that cannot be done."""
    lines = document.text.split("\n")
    intent = document.plain()
    for section, name, value, above in edits:
        entries: dict[str, Any] = dict(mapping(intent.get(section)))
        if value is None:
            lines = take(lines, section, name)
            del entries[name]
        elif entries.get(name) != value:
            body = dump({name: Commented(value, above)}).rstrip("\n").split("\n")
            lines = put(lines, section, name, body)
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
