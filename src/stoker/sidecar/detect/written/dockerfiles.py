"""Dockerfiles: what their last stage, or a named one, starts, and where."""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from collections.abc import Iterator
from typing import Any

import msgspec

from stoker.sidecar.detect.manifests import directory
from stoker.sidecar.detect.written import joined_lines
from stoker.sidecar.project import Project


class Stage(msgspec.Struct):
    """One ``FROM`` of a Dockerfile."""

    name: str = ""
    base: str = ""
    entrypoint: str = ""
    command: str = ""
    line: int = 0
    workdir: str = ""
    environment: dict[str, str] = msgspec.field(default_factory=dict[str, str])


def dockerfiles(project: Project) -> list[str]:
    """Return all of them."""
    found = project.matching(r"dockerfile([._-][\w.-]+)?|[\w.-]+\.dockerfile|containerfile")
    return [path for path in found if not path.endswith((".dockerignore", ".md", ".sh", ".py"))]


def stages(project: Project, path: str) -> list[Stage]:
    """Return the stages of a Dockerfile, each with what it inherits from the ones above it."""
    found: list[Stage] = []
    for number, line in joined_lines(project, path):
        word, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        match word.upper():
            case "FROM":
                found.append(_from(rest, found))
            case "ENTRYPOINT" if found:
                found[-1].entrypoint, found[-1].command = _command(rest), ""
                found[-1].line = number
            case "CMD" if found:
                found[-1].command, found[-1].line = _command(rest), number
            case "WORKDIR" if found:
                found[-1].workdir = posixpath.join(found[-1].workdir, rest)
            case "ENV" if found:
                found[-1].environment |= _environment(rest)
            case _:
                pass
    return found


def defaults(text: str) -> dict[str, str]:
    """Return what a Dockerfile's ``ARG`` are if nobody gives them anything else."""
    pairs = re.findall(
        r"""^[ \t]*ARG[ \t]+(\w+)=["']?([^\s"']*)""", text, re.MULTILINE | re.IGNORECASE
    )
    return dict(pairs)


def exposed(project: Project, path: str) -> Iterator[int]:
    """Yield the ports that a Dockerfile speaks of, the last stage's first."""
    for _, line in reversed(joined_lines(project, path)):
        found = re.match(r"\s*EXPOSE\s+(\d{2,5})\b", line, re.IGNORECASE)
        if found and 0 < int(found[1]) < 65_536:
            yield int(found[1])


def copied(project: Project, path: str) -> Iterator[str]:
    """Yield what a Dockerfile copies out of the directory it is in; what is put in may be any."""
    for _, line in joined_lines(project, path):
        word, _, rest = line.strip().partition(" ")
        if word.upper() not in ("COPY", "ADD") or "--from=" in rest:
            continue
        words = re.findall(r"[^\s,\[\]\"']+", rest)
        for source in [each for each in words if not each.startswith("--")][:-1]:
            place = re.sub(r"\$\{[^{}]*\}|\$\w+", "*", source)
            yield posixpath.normpath(posixpath.join(directory(path), place.lstrip("/")))


def _from(rest: str, above: list[Stage]) -> Stage:
    words = [word for word in rest.split() if not word.startswith("--")]
    name = words[2] if len(words) > 2 and words[1].lower() == "as" else ""
    base = next((stage for stage in above if words[:1] == [stage.name] and stage.name), None)
    made = Stage(name=name, base=words[0] if words else "")
    if base is not None:
        made.entrypoint, made.command, made.line = base.entrypoint, base.command, base.line
        made.workdir, made.environment = base.workdir, dict(base.environment)
    return made


def _command(rest: str) -> str:
    if rest.startswith("["):
        try:
            words: Any = json.loads(rest)
            return shlex.join(str(word) for word in words)
        except (ValueError, RecursionError, TypeError):
            return rest.strip("[]").replace('"', "").replace(",", " ")
    return rest


def _environment(rest: str) -> dict[str, str]:
    pairs = re.findall(r"""(\w+)=("[^"]*"|'[^']*'|\S*)""", rest)
    if pairs:
        return {name: value.strip("\"'") for name, value in pairs}
    name, _, value = rest.partition(" ")
    return {name: value} if value else {}


def starts(stage: Stage) -> tuple[str, ...]:
    """Return the lines that a stage may start."""
    both = f"{stage.entrypoint} {stage.command}".strip()
    return tuple(dict.fromkeys(line for line in (stage.command, both) if line))
