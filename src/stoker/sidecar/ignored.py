"""What git leaves out, by the lines of its ``.gitignore`` files: a clone has none of that.

What was added to it all the same, it has. Git itself is not run: it need not be there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple

NAME = ".gitignore"
_MOST_ABOVE = 40
_LARGEST = 64 * 1024 * 1024
"""Bytes of git's index."""
_LONGEST = 1_024
_MOST_LINES = 1_000
_MOST_RULES = 4_000
"""Of a file, and of all: more than anybody writes, and few enough to be asked for every path."""
_MOST_PARTS = 40
"""Of a line: no path that is looked at has more."""
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
    for written in text.splitlines()[:_MOST_LINES]:
        line = re.sub(r"(?<!\\)[ \t]+\Z", "", written)
        if line.startswith("#") or len(line) > _LONGEST:
            continue
        pattern = line.removeprefix("!")
        body = pattern.rstrip("/")
        if body:
            first = () if "/" in body else (_ANY,)
            parts = (*first, *map(_as_fnmatch, body.removeprefix("/").split("/")))
            if len(parts) <= _MOST_PARTS:
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


def is_tracked(path: str, index: bytes) -> bool:
    """Tell if git has a file in its index, as its versions 2 and 3 have it: length, name, zero."""
    name = path.encode("utf-8", "surrogateescape")
    return len(name).to_bytes(4, "big")[2:] + name + b"\0" in index


class Repository:
    """The one that a folder lies in, as far as it says which of its files a clone will have."""

    def __init__(self, root: Path, ignoring: Iterable[tuple[str, str]]) -> None:
        """``ignoring``: the folders below the root with such a file, and its text."""
        way = [root, *root.parents][:_MOST_ABOVE]
        self.top = next((each for each in way if (each / ".git").exists()), root)
        self.place = _within(root, self.top)
        above = [each for each in way[1:] if each.is_relative_to(self.top)]
        texts = [(_within(each, self.top), _text(each / NAME)) for each in reversed(above)]
        below = sorted(ignoring, key=lambda each: each[0].count("/"))
        texts += [(f"{self.place}{folder}", text) for folder, text in below]
        found = (rule for folder, text in texts for rule in rules(text, folder))
        self.rules = list(islice(found, _MOST_RULES))

    def leaves_out(self, path: str) -> bool:
        """Tell if a clone has not a file, relative to the root, whether it is there or not."""
        place = f"{self.place}{path}"
        return is_ignored(place, self.rules) and not is_tracked(place, self._index)

    @cached_property
    def _index(self) -> bytes:
        git = self.top / ".git"
        elsewhere = _text(git).partition("gitdir:")[2].strip()  # of a worktree, a submodule
        return _data(self.top / (elsewhere or git) / "index")


def left_out(root: Path, paths: Sequence[str]) -> list[str]:
    """Return those files of a folder, there or not, that a clone will not have."""
    parents = {parent.as_posix() for path in paths for parent in PurePosixPath(path).parents}
    folders = ("" if each == "." else f"{each}/" for each in parents)
    repository = Repository(root, [(each, _text(root / each / NAME)) for each in folders])
    return [path for path in paths if repository.leaves_out(path)]


def _within(folder: Path, top: Path) -> str:
    place = folder.relative_to(top).as_posix()
    return "" if place == "." else f"{place}/"


def _text(file: Path) -> str:
    return _data(file).decode("utf-8", "replace")


def _data(file: Path) -> bytes:
    """Return what a file has; nothing where there is none, or something else."""
    try:
        if not file.is_file():
            return b""
        with file.open("rb") as opened:
            return opened.read(_LARGEST)
    except (OSError, ValueError):  # a name with a NUL in it
        return b""


def _is_left_out(path: str, known: Sequence[Rule], *, folder: bool) -> bool:
    """Tell it by the last line that fits."""
    asked = (each for each in reversed(known) if folder or not each.folders_only)
    last = next((each for each in asked if _fits(path, each)), None)
    return last is not None and not last.takes_back


def _fits(path: str, rule: Rule) -> bool:
    if not path.startswith(rule.folder):
        return False
    parts = path[len(rule.folder) :].split("/")
    reached = {0}
    for at, pattern in enumerate(rule.parts, 1):
        if pattern == _ANY:
            least = int(at == len(rule.parts))  # a/** is what is in a, and not a itself
            reached = set(range(min(reached) + least, len(parts) + 1))
        else:
            here = (start for start in reached if start < len(parts))
            reached = {start + 1 for start in here if fnmatchcase(parts[start], pattern)}
        if not reached:
            return False
    return len(parts) in reached


def _as_fnmatch(pattern: str) -> str:
    """Return a part of a line as Python has it, which knows no other escape than a set of one."""
    return re.sub(r"\\(.)", r"[\1]", pattern).replace("[^", "[!")
