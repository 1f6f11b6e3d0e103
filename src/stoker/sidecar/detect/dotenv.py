"""Files of variables, ``.env`` and those that a compose file names: read as Compose reads them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from itertools import islice

from stoker.sidecar.interpolation import filled
from stoker.sidecar.project import Project
from stoker.sidecar.values import Given

DOTENV = ".env"
_MOST = 200
_HERE = re.compile(
    r"(?:\w+://(?:[^/@]*@)?)?(?:localhost|127\.[0-9.]+|0\.0\.0\.0|\[::1?\]|::1)(?:[:/].*)?"
)
"""What leads to this machine: in a container, to the container itself."""
_EXAMPLES = (".env.example", ".env.sample", ".env.template", ".env.dist")
_EXAMPLE = (
    r"\.env\.(example|sample|template|dist|development|dev|docker)|"
    r"(env|example|sample)\.(env|example|sample|template)"
)
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]{0,127})\s*=\s*(.*)")
_QUOTED = re.compile(r"""(["'])(.*?)(?<!\\)\1""")
_LONGEST = 2_048


def read_variables(project: Project, path: str) -> Iterator[tuple[str, str]]:
    """Yield the variables of a file; none if it is not there, or git leaves it out."""
    if project.is_ignored(path):
        return iter(())
    return ((name, value) for name, value, _ in placed_variables(project, path))


def placed_variables(project: Project, path: str) -> Iterator[tuple[str, str, int]]:
    """Yield the variables of a file, each with the line that says it in the end."""
    known: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(project.lines(path), 1):
        found = _LINE.match(line) if len(line) <= _LONGEST else None
        if found is not None:
            quoted = _QUOTED.match(found[2])
            text = quoted[2] if quoted else re.split(r"\s#", found[2])[0].strip()
            known[found[1]] = text if quoted and quoted[1] == "'" else filled(text, known)
            lines[found[1]] = number
    yield from ((name, value, lines[name]) for name, value in known.items())


def examples(project: Project) -> list[str]:
    """Return the files that show what people write into their ``.env``, the nearest first."""
    paths = [path for path in project.matching(_EXAMPLE) if not project.is_aside(path)]
    return sorted(paths, key=lambda path: path.count("/"))


def exampled(project: Project, read: Collection[str]) -> tuple[str, ...]:
    """Return those of some variables that these name, but for what leads to this machine."""
    every = (each for path in examples(project) for each in placed_variables(project, path))
    known = (name for name, value, _ in every if name in read and not _HERE.fullmatch(value))
    return tuple(islice(dict.fromkeys(known), _MOST))


def said(project: Project, given: Given) -> dict[str, tuple[str, ...]]:
    """Return what a service's files of variables say: those that all have, and what holds there."""
    found: dict[str, tuple[str, ...]] = {}
    for place, path in placed_files(project, given):
        if path in project.files and not project.is_ignored(path):
            every = read_variables(project, path)
            names = (name for name, value in every if value and not _HERE.fullmatch(value))
            found[place] = tuple(islice(names, _MOST))
    return found


def placed_files(project: Project, given: Given) -> Iterator[tuple[str, str]]:
    """Yield a service's files of variables as they are named, and where they are."""
    folder, known = posixpath.dirname(given.path), beside(project, given.path)
    for place in given.env_file:
        yield place, posixpath.normpath(posixpath.join(folder, filled(place, known)))


def expected(project: Project, path: str) -> dict[str, str]:
    """Return what is most likely put in: what people are told to write into that ``.env``, too."""
    folder = posixpath.dirname(path)
    examples = [posixpath.join(folder, name) for name in _EXAMPLES]
    there = next((each for each in examples if each in project.files), "")
    told = {name: value for name, value, _ in placed_variables(project, there) if value}
    return told | beside(project, path)


def beside(project: Project, path: str) -> dict[str, str]:
    """Return what Compose puts into a file of its own: the variables of the ``.env`` beside it."""
    return dict(read_variables(project, posixpath.join(posixpath.dirname(path), DOTENV)))
