"""Whose values are the operator's: secrets, and what only the shell of a command asks for."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from stoker.sidecar.detection import Detection, Unit
from stoker.sidecar.planning.services import given, is_planned
from stoker.sidecar.secrets import is_secret_name
from stoker.sidecar.values import Given

MOST = 40
_DOTENV = ".env"
_PUT_IN = re.compile(r"(?<![\\$])\$(?:\{(?=\w+\}))?([A-Za-z_]\w*)")
"""What a shell puts in, if it has no default for it."""
_SET = re.compile(r"(?<![\w$])([A-Za-z_]\w*)=|\bfor\s+(\w+)\s+in\b|\bread\s+(\w+)")
_OF_A_SHELL = frozenset({
    "HOME", "HOSTNAME", "PATH", "PWD", "OLDPWD", "USER", "SHELL", "TERM", "LANG", "RANDOM", "UID",
    "EUID", "SECONDS", "LINENO", "PPID", "IFS", "TMPDIR", "VIRTUAL_ENV",
})  # fmt: skip


def asked_for(detection: Detection) -> tuple[str, ...]:
    """Return the variables of the source, and of commands, whose values are the operator's."""
    every = (*detection.uses, *detection.beside)
    own = {name for use in every if not use.outside for name in use.variables}
    asked = [name for use in every for name in use.asked]
    asked += [name for use in detection.beside if use.engine for name in use.variables]
    found = [name for name in detection.variables if is_secret_name(name) and name not in own]
    return tuple(dict.fromkeys([*_of_shells(detection), *asked, *found][:MOST]))


def _of_shells(detection: Detection) -> Iterator[str]:
    """Yield the variables that only a shell of a command asks for, and nothing tells it."""
    for unit in [*detection.units, *([detection.web] if detection.web else [])]:
        if unit.role != "other" or unit is detection.web:
            yield from of_shell(unit)


def of_shell(unit: Unit) -> Iterator[str]:
    """Yield those that only a shell of this one's commands asks for."""
    told = {*unit.environment, *(name for each in unit.given for name in each.environment)}
    for words in (unit.command, unit.dev_command):
        line = words[2] if words[:2] == ("sh", "-c") and len(words) > 2 else ""
        own = {*(n for each in _SET.findall(line) for n in each), *told, *_OF_A_SHELL}
        yield from (name for name in _PUT_IN.findall(line) if name not in own)


def in_files(detection: Detection) -> Iterator[str]:
    """Yield what is to be said in files of variables, where ``.env`` reaches no container."""
    names = asked_for(detection)
    found = {
        (each.service, *each.env_file): each
        for unit in filter(is_planned, detection.units)
        for each in _reading(unit, detection)
    }
    for each in found.values():
        known = each.in_files | each.environment.keys()
        if missing := [name for name in names if name not in known]:
            files = " and ".join(each.env_file)
            yield (
                f"{each.path}: {each.service} has its variables from {files}, and so have the "
                f"workers: {', '.join(missing)} must be said there, as in .env they reach none"
            )


def _reading(unit: Unit, detection: Detection) -> Iterator[Given]:
    """Yield what compose files give a unit with files of variables that are not ``.env``."""
    for each in given(unit, detection):
        if each.env_file and not any(_is_dotenv(place, each) for place in each.env_file):
            yield each


def _is_dotenv(place: str, given: Given) -> bool:
    """Tell if it is the file that Compose reads by itself: there, or for a file at the root."""
    folder = posixpath.dirname(given.path)
    path = posixpath.normpath(posixpath.join(folder, place))
    return path in (_DOTENV, posixpath.join(folder, _DOTENV))
