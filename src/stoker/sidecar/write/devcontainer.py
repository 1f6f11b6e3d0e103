"""A person's ``devcontainer.json``: the workers start beside the editor, and no more is changed."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any, cast

from stoker.sidecar.render.files import File
from stoker.sidecar.write import jsonc
from stoker.sidecar.write.document import mapping
from stoker.sidecar.write.marks import owner

Notes = tuple[str, ...]
_SERVICES = "runServices"


def without_mounts(files: Mapping[str, File], present: Mapping[str, str]) -> dict[str, File]:
    """Leave out what only an editor of ours needs, where a person has their own."""
    joined = [path for path, file in files.items() if file.join == "devcontainer"]
    own = any(path in present and owner(present[path]) == "person" for path in joined)
    return {path: file for path, file in files.items() if not own or file.join != "mount"}


def merge(path: str, before: str, wanted: str) -> tuple[str, Notes]:
    """Return the file with our services in the list of those that start, and notes."""
    theirs = mapping(jsonc.read(path, before))
    ours = mapping(jsonc.read(path, wanted))
    plain = jsonc.take(before)
    used = _strings(theirs.get("dockerComposeFile"))
    [*_, wants, _] = _strings(ours.get("dockerComposeFile"))
    if posixpath.normpath(wants) not in map(posixpath.normpath, used):
        line = jsonc.line_of(before, "dockerComposeFile")
        what = f"it does not use {wants}, where the workers are" if used else "it uses no Compose"
        return plain, (f"line {line}: {what}: left alone",)
    present = _strings(mapping(jsonc.read(path, plain)).get(_SERVICES))
    names = [name for name in _strings(ours.get(_SERVICES)) if name not in present]
    return jsonc.put(plain, _SERVICES, names), ()


def _strings(value: Any) -> list[str]:
    """Return one string or a list of them as a list."""
    values = cast(list[Any], value) if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, str)]
