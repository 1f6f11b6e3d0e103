"""How Stoker knows again what it wrote: a mark with a checksum of what stood there then.

A file has it in its first line, lines that were added have it around them, and a service in a
compose file under ``x-stoker``. Where mark and contents disagree, a person was there.
"""

from __future__ import annotations

import re
from typing import Literal

from stoker.sidecar.render.seal import checksum

Owner = Literal["stoker", "edited", "person"]
"""``edited``: Stoker wrote it, and a person changed it since."""

_FIRST = re.compile(r"(?:#|//) Written by `stoker sidecar` \(([0-9a-f]{12})\)")
_TAIL = ": change it, and it is yours."
_BEGIN = re.compile(r"# >>> stoker sidecar \(([0-9a-f]{12})\)\Z")
_END = "# <<< stoker sidecar"


def marked(text: str, comment: str) -> str:
    """Return the contents of a file of Stoker's own."""
    return f"{comment} Written by `stoker sidecar` ({checksum(text)}){_TAIL}\n{text}"


def owner(text: str) -> Owner:
    """Return whose file this is."""
    first, _, rest = text.replace("\r\n", "\n").partition("\n")
    mark = _FIRST.match(first)
    if mark is None:
        return "person"
    return "stoker" if mark[1] == checksum(rest) else "edited"


def block(lines: list[str]) -> list[str]:
    """Return lines between their marks."""
    return [f"# >>> stoker sidecar ({checksum(_joined(lines))})", *lines, _END] if lines else []


def find_block(lines: list[str]) -> tuple[int, int, Owner] | None:
    """Return where Stoker's lines begin and end in a person's file, and whose they are now."""
    for start, line in enumerate(lines):
        if mark := _BEGIN.match(line):
            end = next((at for at in range(start, len(lines)) if lines[at] == _END), None)
            if end is None:
                return (start, start + 1, "edited")
            intact = mark[1] == checksum(_joined(lines[start + 1 : end]))
            return (start, end + 1, "stoker" if intact else "edited")
    return None


def _joined(lines: list[str]) -> str:
    return "\n".join(lines)
