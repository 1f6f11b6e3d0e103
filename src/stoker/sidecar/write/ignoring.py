"""What a person has in an image on purpose stays in it, whatever is left out after that."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase


def exceptions(theirs: Sequence[str], ours: Sequence[str]) -> list[str]:
    """Return those exceptions of a person's that lines below them would undo, to be said again.

    The last line that fits decides. ``!.env.production`` names what is meant; ``!src`` does not
    mean the ``.env`` in there.
    """
    left_out = [_name(line) for line in ours if not line.startswith("!")]
    return [
        line.strip()
        for line in dict.fromkeys(theirs)
        if line.startswith("!") and any(fnmatchcase(_name(line), name) for name in left_out)
    ]


def _name(line: str) -> str:
    return line.strip().rstrip("/").rpartition("/")[2].removeprefix("!")
