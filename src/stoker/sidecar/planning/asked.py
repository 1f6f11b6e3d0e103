"""Whose values are the operator's: secrets, and what only the shell of a command asks for."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from stoker.sidecar.detection import BrokerUse, Detection, Unit
from stoker.sidecar.plan import own_files
from stoker.sidecar.planning.services import given, is_planned
from stoker.sidecar.planning.stores import names_of
from stoker.sidecar.secrets import is_secret_name
from stoker.sidecar.values import Given

MOST = 40
_DOTENV = ".env"
_PUT_IN = re.compile(r"(?<![\\$])\$(?:\{(?=\w+\}))?([A-Za-z_]\w*)")
"""What a shell puts in, if it has no default for it."""
_OF_ITSELF = re.compile(
    r"(?:(?:APP|WEB|HTTP|API|SERVER)_)?(?:PORT|HOST|BIND|LISTEN_ADDR(?:ESS)?)"
    r"|(?:RAILS|RACK|NODE|FLASK|APP|GO|RUST)_ENV|ENV|ENVIRONMENT|COMPOSE_\w+|DOCKER_\w+"
)
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


def settings(detection: Detection) -> tuple[str, ...]:
    """Return what else of the source is to be said in ``.env``: what an example of it names.

    No secret, and nothing that says where a broker is: workers are told that. What a server
    listens on is the app's own, and which environment it is, the container's.
    """
    told = names_of(detection) | {*asked_for(detection)}
    found = (n for n in detection.exampled if n not in told and not _OF_ITSELF.fullmatch(n))
    return tuple(found)[:MOST]


def elsewhere(detection: Detection) -> tuple[str, ...]:
    """Return the variables that say where a database is for which no container is written.

    One that is told, and leads to no service, leads there in production as well.
    """
    near = (use for use in _unwritten(detection) if use.service or use.left)
    found = (name for use in near for name in _finding(use))
    return tuple(dict.fromkeys(found))


def unwritten(detection: Detection) -> Iterator[str]:
    """Yield what the operator has to say of databases for which no container is written."""
    new = not own_files(detection.files.get("compose", ()), production=True)
    for use in _unwritten(detection):
        names = " and ".join(_finding(use))
        if use.service and new:
            yield (
                f"{use.files[0]}: {use.service} is not in the file for production, nor in "
                f"Kubernetes: {names} has to be said in .env there"
            )
        elif not use.service and not _is_told(detection, _finding(use)):
            seen = use.evidence[0]
            yield (
                f"{seen.path}:{seen.line}: {names} leads to a database for which no container is "
                "written: where it is, .env has to say"
            )


def _is_told(detection: Detection, names: list[str]) -> bool:
    """Tell if a compose file tells the app or a worker, itself or by files of variables."""
    units = [*detection.units, *([detection.web] if detection.web else [])]
    known = [each for unit in units for each in unit.given]
    return any(each.env_file or each.environment.keys() & names for each in known)


def _unwritten(detection: Detection) -> list[BrokerUse]:
    return [use for use in detection.beside if use.engine == "other"]


def _finding(use: BrokerUse) -> list[str]:
    return [name for name, part in use.variables.items() if part in ("url", "host", "address")]


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
