"""What would change, as a diff that ``git apply`` and ``patch -p1`` take.

But for a person's lines with a secret: it is not shown, and so they do not find them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from stoker.sidecar.write.changes import Change
from stoker.sidecar.write.marks import owner
from stoker.sidecar.write.shown import shown_lines


def difference(change: Change) -> str:
    """Return the unified diff of a change; empty if nothing changes."""
    before, after = change.before, change.after
    if before == after:
        return ""
    lines = difflib.unified_diff(
        (before or "").splitlines(keepends=True),
        (after or "").splitlines(keepends=True),
        "/dev/null" if before is None else f"a/{change.path}",
        "/dev/null" if after is None else f"b/{change.path}",
    )
    return "".join(_lines(lines, _hidden(change)))


def _hidden(change: Change) -> dict[str, str]:
    """Return the lines that have secrets, each as it is shown. What is only Stoker's has none."""
    if change.before is None or owner(change.before) == "stoker":
        return {}
    found: dict[str, str] = {}
    for text in (change.before, change.after or ""):
        lines = zip(text.splitlines(keepends=True), shown_lines(change.path, text), strict=True)
        found |= {line: shown for line, shown in lines if line != shown}
    return found


def _lines(lines: Iterator[str], hidden: Mapping[str, str]) -> Iterator[str]:
    for each in lines:
        line = each[:1] + hidden.get(each[1:], each[1:])
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
