"""What has to change on disk, decided from what is there and what shall be."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from stoker.sidecar.ours import is_dockerfile
from stoker.sidecar.render.files import File
from stoker.sidecar.write import devcontainer, jsonc, kustomization, lines, services
from stoker.sidecar.write.marks import marked, owner

_STAGE = re.compile(r"^FROM\s+\S+\s+AS\s+(\S+)\s*$", re.IGNORECASE | re.MULTILINE)
_OF_PYTHON = re.compile(r"^FROM\s+(?:\S*/)?python:", re.IGNORECASE | re.MULTILINE)
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
    gone: tuple[str, ...] = ()
    """What of Stoker's own was taken out, as nothing needs it any more."""


def decide(files: Mapping[str, File], present: Mapping[str, str], *, force: bool) -> list[Change]:
    """Return a change for each file. ``present`` has the contents of those that are there.

    Raises ``ConfigError`` for a file of a person's that cannot be read, with its line.
    """
    wanted = files if force else devcontainer.without_mounts(files, present)
    return [_decide(file, present.get(path), force) for path, file in sorted(wanted.items())]


def decide_removal(present: Mapping[str, str], *, force: bool) -> list[Change]:
    """Return what takes out of these files all that Stoker wrote."""
    composed = {path: text for path, text in present.items() if path.endswith((".yaml", ".yml"))}
    changed = {path: services.changed(path, text) for path, text in composed.items()}
    changes: list[Change] = []
    for path, text in sorted(present.items()):
        elsewhere = (names for other, names in changed.items() if other != path and not force)
        changes.append(_remove(path, text, force, set[str]().union(*elsewhere)))
    return [change for change in changes if change.action != "unchanged"]


def without_ours(path: str, text: str, *, force: bool) -> str | None:
    """Return what a person wrote of a file; ``None``: nothing of it.

    Other than after a removal, it may refer to what is not in there: ``force`` leaves out also
    the services that were changed since. Raises as ``decide`` does.

    A Dockerfile of ours that was changed, and still has the stages that our services are built
    from, is no image of the project's own: that would have these built and started another way.
    """
    if owner(text) == "edited" and _has_stages(path, text):
        return None
    changes = decide_removal({path: text}, force=False)
    rest = changes[0].after if changes else text
    if rest is None or not path.endswith((".yaml", ".yml")):
        return rest
    return services.apart(path, rest, force=force)


def _has_stages(path: str, text: str) -> bool:
    """Tell if a Dockerfile has our stages; that of Python has none for development alone."""
    named = {name.lower() for name in _STAGE.findall(text)} if is_dockerfile(path) else set[str]()
    return "worker" in named and ("dev" in named or _OF_PYTHON.search(text) is not None)


def _decide(file: File, before: str | None, force: bool) -> Change:
    if file.join in ("lines", "block"):
        alone = file.join == "lines"
        after, notes = lines.merge(before or "", file.text, each=alone, force=force)
        return _changed(file.path, before, after, notes)
    whole = marked(file.text, file.comment)
    if before is None or owner(before) == "stoker" or (force and file.join != "services"):
        return _changed(file.path, before, whole)
    if file.join == "services":
        made = services.merge(file.path, before, file.text, force=force)
        change = _changed(file.path, before, made.text, made.kept)
        return msgspec.structs.replace(change, gone=made.gone)
    if file.join == "resources" and owner(before) == "person":
        after, notes = kustomization.merge(file.path, before, file.text, force=force)
        return _changed(file.path, before, after, notes)
    if file.join == "devcontainer" and owner(before) == "person":
        after, notes = devcontainer.merge(file.path, before, file.text)
        return _changed(file.path, before, after, notes)
    return _keep(file.path, before, whole)


def _remove(path: str, before: str, force: bool, staying: Collection[str]) -> Change:
    whose = owner(before)
    if whose == "stoker" or (whose == "edited" and force):
        return _changed(path, before, None)
    if path.endswith((".yaml", ".yml")):
        rest, edited = lines.remove(before, force=force)
        after, notes = services.remove(path, rest, force=force, staying=staying)
        change = _changed(path, before, after, (*edited, *notes))
        silent = whose == "edited" and change.action == "unchanged"
        return _keep(path, before, None) if silent else change
    if path.endswith("devcontainer.json") and whose == "person":
        return _changed(path, before, jsonc.take(before))
    if whose == "edited":
        return _keep(path, before, None)
    after, notes = lines.remove(before, force=force)
    return _changed(path, before, after or None, notes)


def _changed(
    path: str, before: str | None, after: str | None, notes: tuple[str, ...] = ()
) -> Change:
    if before is None:
        return Change(path, "create", None, after, notes)
    if after is None:
        return Change(path, "delete", before, None, notes)
    if before == after:
        return Change(path, "keep" if notes else "unchanged", before, before, notes)
    return Change(path, "update", before, after, notes)


def _keep(path: str, before: str, after: str | None) -> Change:
    if before == after:
        return Change(path, "unchanged", before, before)
    changed = owner(before) == "edited"
    why = "it was changed since Stoker wrote it" if changed else "it is not Stoker's"
    return Change(path, "keep", before, before, (f"{why}: left alone",))
