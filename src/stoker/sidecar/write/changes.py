"""What has to change on disk, decided from what is there and what shall be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from stoker.sidecar.render.files import File
from stoker.sidecar.write import lines, services
from stoker.sidecar.write.marks import marked, owner

Action = Literal["create", "update", "delete", "unchanged", "keep"]
"""``keep``: it should change, and it is a person's."""


class Change(msgspec.Struct, frozen=True):
    """What happens to one file."""

    path: str
    action: Action
    before: str | None
    """Its contents now; ``None``: it is not there."""
    after: str | None
    """Its contents then; ``None``: it will not be there."""
    notes: tuple[str, ...] = ()
    """What was left alone, with its line."""


def decide(files: Mapping[str, File], present: Mapping[str, str], *, force: bool) -> list[Change]:
    """Return a change for each file. ``present`` has the contents of those that are there.

    Raises ``ConfigError`` for a file of a person's that cannot be read, with its line.
    """
    return [_decide(file, present.get(path), force) for path, file in sorted(files.items())]


def decide_removal(present: Mapping[str, str], *, force: bool) -> list[Change]:
    """Return what takes out of these files all that Stoker wrote."""
    changes = [_remove(path, text, force) for path, text in sorted(present.items())]
    return [change for change in changes if change.action != "unchanged"]


def _decide(file: File, before: str | None, force: bool) -> Change:
    whole = marked(file.text, file.comment)
    if before is None:
        return Change(file.path, "create", None, whole)
    match owner(before):
        case "stoker":
            return _changed(file.path, before, whole)
        case "edited" if force:
            return _changed(file.path, before, whole)
        case "edited":
            return _keep(file.path, before, whole, "Stoker wrote it, and it was changed since")
        case "person":
            return _join(file, before, whole, force)


def _join(file: File, before: str, whole: str, force: bool) -> Change:
    match file.join:
        case "services":
            after, notes = services.merge(file.path, before, file.text, force=force)
            return _changed(file.path, before, after, notes)
        case "lines":
            after, notes = lines.merge(before, file.text, force=force)
            return _changed(file.path, before, after, notes)
        case "whole" if force:
            return _changed(file.path, before, whole)
        case "whole":
            return _keep(file.path, before, whole, "it is not Stoker's")


def _remove(path: str, before: str, force: bool) -> Change:
    match owner(before):
        case "stoker":
            return Change(path, "delete", before, None)
        case "edited" if force:
            return Change(path, "delete", before, None)
        case "edited":
            return _keep(path, before, None, "Stoker wrote it, and it was changed since")
        case "person" if path.endswith((".yaml", ".yml")):
            return _changed(path, before, *services.remove(path, before, force=force))
        case "person":
            return _changed(path, before, *lines.remove(before, force=force))


def _changed(path: str, before: str, after: str, notes: tuple[str, ...] = ()) -> Change:
    same = before.replace("\r\n", "\n") == after.replace("\r\n", "\n")
    if same:
        return Change(path, "keep" if notes else "unchanged", before, before, notes)
    return Change(path, "update", before, after, notes)


def _keep(path: str, before: str, after: str | None, why: str) -> Change:
    if after is not None and before == after:
        return Change(path, "unchanged", before, before)
    return Change(path, "keep", before, before, (f"{why}: left alone",))
