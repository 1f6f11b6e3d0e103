"""What git leaves out, by the lines of its ``.gitignore`` files: a clone has none of that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import NamedTuple

NAME = ".gitignore"
_MOST_ABOVE = 40
_LONGEST = 1_024
_ANY = "**"
"""Of the parts of a line: any number of folders."""


class Rule(NamedTuple):
    """One line of such a file."""

    folder: str
    """Where the file lies, with ``/`` at its end."""
    parts: tuple[str, ...]
    """A pattern for each part of a path, as ``fnmatch`` has them."""
    folders_only: bool
    takes_back: bool


def rules(text: str, folder: str = "") -> Iterator[Rule]:
    """Yield the rules of a file, the weakest first."""
    for written in text.splitlines():
        line = re.sub(r"(?<!\\)[ \t]+\Z", "", written)
        if line.startswith("#") or len(line) > _LONGEST:
            continue
        pattern = line.removeprefix("!")
        body = pattern.rstrip("/")
        if body:
            first = () if "/" in body else (_ANY,)
            parts = (*first, *map(_as_fnmatch, body.removeprefix("/").split("/")))
            yield Rule(folder, parts, pattern != body, pattern != line)


def is_ignored(path: str, known: Sequence[Rule]) -> bool:
    """Tell if a file is left out: by the last line that fits it, or a folder that it is in.

    Of a folder that is left out no line takes anything back.
    """
    parts = path.split("/")
    folders = ("/".join(parts[:end]) for end in range(1, len(parts)))
    return any(_is_left_out(each, known, folder=True) for each in folders) or _is_left_out(
        path, known, folder=False
    )


def above(root: Path) -> tuple[str, list[Rule]]:
    """Return where a folder lies in its repository, with ``/``, and the rules on the way there."""
    way = [root, *root.parents][:_MOST_ABOVE]
    top = next((each for each in way if (each / ".git").exists()), root)
    there = [each for each in reversed(way) if each.is_relative_to(top) and each != root]
    found = [rule for each in there for rule in rules(_text(each / NAME), _within(each, top))]
    return _within(root, top), found


def left_out(root: Path, paths: Sequence[str]) -> list[str]:
    """Return those files of a folder, there or not, that a clone will not have."""
    place, known = above(root)
    folders = {parent.as_posix() for path in paths for parent in PurePosixPath(path).parents}
    for folder in sorted(folders, key=lambda folder: (folder != ".", folder.count("/"))):
        inner = "" if folder == "." else f"{folder}/"
        known += rules(_text(root / inner / NAME), f"{place}{inner}")
    return [path for path in paths if is_ignored(f"{place}{path}", known)]


def _within(folder: Path, top: Path) -> str:
    place = folder.relative_to(top).as_posix()
    return "" if place == "." else f"{place}/"


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace") if file.is_file() else ""
    except OSError:
        return ""


def _is_left_out(path: str, known: Iterable[Rule], *, folder: bool) -> bool:
    fitting = [each for each in known if (folder or not each.folders_only) and _fits(path, each)]
    return bool(fitting) and not fitting[-1].takes_back


def _fits(path: str, rule: Rule) -> bool:
    if not path.startswith(rule.folder):
        return False
    parts = path[len(rule.folder) :].split("/")
    reached = {0}
    for at, pattern in enumerate(rule.parts, 1):
        if pattern == _ANY:
            least = int(at == len(rule.parts))  # a/** is what is in a, and not a itself
            reached = {end for start in reached for end in range(start + least, len(parts) + 1)}
        else:
            here = (start for start in reached if start < len(parts))
            reached = {start + 1 for start in here if fnmatchcase(parts[start], pattern)}
    return len(parts) in reached


def _as_fnmatch(pattern: str) -> str:
    """Return a part of a line as Python has it, which knows no other escape than a set of one."""
    return re.sub(r"\\(.)", r"[\1]", pattern).replace("[^", "[!")
