"""What would change, as a diff that ``git apply`` and ``patch -p1`` take."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from stoker.sidecar.write.changes import Change


def difference(change: Change) -> str:
    """Return the unified diff of a change; empty if nothing changes."""
    before, after = change.before, change.after
    if before == after:
        return ""
    return "".join(
        _lines(
            difflib.unified_diff(
                (before or "").splitlines(keepends=True),
                (after or "").splitlines(keepends=True),
                "/dev/null" if before is None else f"a/{change.path}",
                "/dev/null" if after is None else f"b/{change.path}",
            )
        )
    )


def _lines(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
