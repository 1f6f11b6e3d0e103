"""A person's ``kustomization.yaml``: our manifests are among its resources, and no more changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from stoker.sidecar.write import lines
from stoker.sidecar.write.document import Document, read
from stoker.sidecar.write.marks import block

_ITEM = re.compile(r"( *)- ")


def merge(path: str, before: str, wanted: str, *, force: bool) -> tuple[str, tuple[str, ...]]:
    """Return the file with our resources, and notes on what was left alone."""
    plain, notes = lines.remove(before, force=force)
    if notes:
        return before, notes
    theirs = _resources(read(path, plain))
    missing = [name for name in _resources(read(path, wanted)) if name not in theirs]
    made = _with(plain, missing, listed=bool(theirs))
    if made is None or _resources(read(path, made)) != [*theirs, *missing]:
        return plain, (f"its resources are in brackets, without {', '.join(missing)}: left alone",)
    return made, ()


def _resources(document: Document) -> list[str]:
    found = document.plain().get("resources")
    items = cast(list[Any], found) if isinstance(found, list) else []
    return [str(item) for item in items]


def _with(text: str, names: Sequence[str], *, listed: bool) -> str | None:
    """Return the text with these at the end of the list; ``None`` if that is not in lines."""
    if not names:
        return text
    present = text.split("\n")
    start = next((at for at, line in enumerate(present) if _is_empty_list(line)), None)
    if start is None:
        made, _ = lines.merge(text, _listed("", names), each=False, force=False)
        return None if listed else made
    end, indent = _end(present, start)
    ends = "\r" if "\r\n" in text else ""
    ours = [line + ends for line in block(_listed(indent, names).split("\n")[1:])]
    return "\n".join([*present[:end], *ours, *present[end:]])


def _is_empty_list(line: str) -> bool:
    """Tell if a list begins, whose items have lines of their own."""
    return re.match(r"resources:\s*(#.*)?\Z", line) is not None


def _listed(indent: str, names: Sequence[str]) -> str:
    return "\n".join(["resources:", *(f"{indent}- {name}" for name in names)])


def _end(present: Sequence[str], start: int) -> tuple[int, str]:
    """Return where the last item ends, and how far items are indented."""
    end, indent = start + 1, "  "
    for at in range(start + 1, len(present)):
        line = present[at]
        if item := _ITEM.match(line):
            end, indent = at + 1, item[1]
        elif line.strip() and not line.lstrip().startswith("#"):
            break
    return end, indent
