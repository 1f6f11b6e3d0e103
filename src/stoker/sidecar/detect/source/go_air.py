"""Air, which builds a program of Go anew when a file changes, and starts it: what it is told to."""

from __future__ import annotations

import posixpath
import re
import shlex
import tomllib
from collections.abc import Sequence
from typing import Any

from stoker.sidecar.detect.manifests import strings, table
from stoker.sidecar.detect.source.go_packages import built_by
from stoker.sidecar.project import Project

_USUAL = ".air.toml"


def started_by_air(
    project: Project, words: Sequence[str], dir: str
) -> tuple[str, tuple[str, ...]] | None:
    """Return what ``air -c FILE …`` builds, and the arguments that it is started with."""
    rest = list(words[1:])
    file = _USUAL
    while rest and rest[0].startswith("-"):
        flag, _, value = rest.pop(0).partition("=")
        if flag in ("-c", "--c"):
            file = value or (rest.pop(0) if rest else _USUAL)
    build = table(_settings(project, posixpath.normpath(posixpath.join(dir, file))), "build")
    built = [target for targets in built_by(_line(build.get("cmd"))).values() for target in targets]
    if not built:
        return None
    started = strings(build.get("entrypoint")) or _split(_line(build.get("full_bin")))
    told = [word for word in started if not re.match(r"\w+=", word)][1:]
    return built[0], (*told, *strings(build.get("args_bin")), *rest)


def _settings(project: Project, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(project.text(path))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}  # a file for one's own desk: nobody asked what is wrong with it


def _line(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return []
