"""What a person has in an image on purpose stays in it, and what they leave out stays out."""

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


def without_taking_back(theirs: Sequence[str], ours: Sequence[str]) -> list[str]:
    """Return our lines, but for exceptions to what a person's lines leave out."""
    return [line for line in ours if not (line.startswith("!") and _leave_out(theirs, line))]


def _leave_out(theirs: Sequence[str], line: str) -> bool:
    fitting = [
        each
        for each in map(str.strip, theirs)
        if _is_anywhere(each) and fnmatchcase(_name(line), _name(each))
    ]
    return bool(fitting) and not fitting[-1].startswith("!")


def _is_anywhere(line: str) -> bool:
    """Tell if a line is about a name, and not about what is in some folder."""
    return "/" not in line.removeprefix("!").removeprefix("/").removeprefix("**/").rstrip("/")


def _name(line: str) -> str:
    return line.strip().rstrip("/").rpartition("/")[2].removeprefix("!")
