"""What a file of Node loads without naming it: all that lies in a directory, or fits a pattern."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterable, Iterator

from stoker.sidecar.project import Project

_LOOKS = (b"glob", b"readdir", b"require.context")
_CALLS = (b"import(", b"require(", b"import.meta.glob", b"require.context")
_LOADS = re.compile(rb"""\b(?:import|require)\(\s*[^"'\s)]|\bimport\.meta\.glob|require\.context""")
"""What looks through a directory, and what loads a file that has no name in the text."""
_HERE = r"(?:__dirname|import\.meta\.dirname)"
_TEXT = r"""["'`]([^"'`$\n]+)["'`]"""
_FROM_HERE = re.compile(
    rf"""(?:join|resolve)\(\s*{_HERE}\s*((?:,\s*["'`][^"'`$\n]+["'`]\s*)+)|"""
    rf"(?:import\.meta\.glob|require\.context)(?:<[^>]*>)?\(\s*{_TEXT}"
)
_FROM_ROOT = re.compile(
    rf"(?:glob\w*|globby|fg|sync|stream|readdir(?:Sync)?)(?:<[^>]*>)?\(\s*{_TEXT}"
)
_OWN = re.compile(rf"readdir(?:Sync)?\(\s*{_HERE}")
_GLOB = re.compile(r"[*?\[{]")
_SUFFIX = re.compile(r"\.(?:\*|[cm]?[jt]sx?|\{[^}]*\}|[@+]?\([^)]*\))$")
_OF_WORK = re.compile(r"worker|consumer|processor|queue|job|task", re.IGNORECASE)
"""What is looked through for workers; routes and models say nothing of who works."""
_MOST = 300
"""Files that are loaded so."""
_MOST_PATTERNS = 30


def loads_unnamed(data: bytes) -> bool:
    """Tell if a file may load others in this way."""
    looks = any(word in data for word in _LOOKS)
    return looks and any(word in data for word in _CALLS) and _LOADS.search(data) is not None


def unnamed(project: Project, path: str, home: str, paths: Iterable[str]) -> Iterator[str]:
    """Yield the files of ``paths`` that one loads so; ``home`` is where its package lies."""
    text = project.text(path)
    patterns = {posixpath.normpath(f"{home}/{found[1]}") for found in _FROM_ROOT.finditer(text)}
    here = posixpath.dirname(path) or "."
    for found in _FROM_HERE.finditer(text):
        names = re.findall(_TEXT, found[1]) if found[1] else [found[2]]
        patterns.add(posixpath.normpath("/".join([here, *names])))
    patterns |= {here} if _OWN.search(text) else set()
    for pattern in sorted(filter(_OF_WORK.search, patterns))[:_MOST_PATTERNS]:
        yield from (each for each in _fitting(pattern, paths) if each != path)


def _fitting(pattern: str, paths: Iterable[str]) -> list[str]:
    parts = pattern.split("/")
    at = next((at for at, part in enumerate(parts) if _GLOB.search(part)), len(parts))
    start = "".join(f"{part}/" for part in parts[:at])
    rest = _SUFFIX.sub("", "/".join(parts[at:])).replace("**/", "*") if at < len(parts) else ""
    below = (path for path in paths if path.startswith(start)) if start else ()
    found = [
        path for path in below
        if (fnmatch.fnmatchcase(_SUFFIX.sub("", path.removeprefix(start)), rest) if rest
            else "/" not in path.removeprefix(start))
    ]  # fmt: skip
    return found[:_MOST]
