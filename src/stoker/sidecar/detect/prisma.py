"""Prisma: a client that is no package, but made of the project's own schema."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from stoker.sidecar.detect.manifests import table
from stoker.sidecar.project import Project

_TOOL = "prisma"
_CONFIG = re.compile(r"prisma\.config\.[cm]?[jt]s|\.config/prisma\.[cm]?[jt]s")
_USUAL = ("prisma/schema.prisma", "schema.prisma", "prisma/schema", "prisma")
_SAYS = re.compile(
    r"""provider\s*=\s*"postgresql"|\b(?:url|directUrl)\s*=\s*env\("([A-Z][A-Z0-9_]{2,79})"\)"""
)


class Database(NamedTuple):
    """Where a file of a schema has its database."""

    path: str
    variables: dict[str, str]
    """Which hold its address, each with what of it."""
    is_postgres: bool


def databases(project: Project) -> Iterator[Database]:
    """Yield them for the files that ask the environment for it."""
    for path in _files(project):
        found = list(_SAYS.finditer(project.text(path)))
        names = {each[1]: "url" for each in found if each[1]}
        if names:
            yield Database(path, names, any(not each[1] for each in found))


def schema(project: Project, dir: str, manifest: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return the schema of a package that has Prisma's own program, and all the files of it.

    The first is what ``prisma generate`` is given, and empty where a file of settings says it.
    """
    if not any(_TOOL in table(manifest, kind) for kind in ("dependencies", "devDependencies")):
        return "", ()
    prefix = "" if dir == "." else f"{dir}/"
    own = [path for path in project.ordered if path.startswith(prefix)]
    settings = [path for path in own if _CONFIG.fullmatch(path.removeprefix(prefix))]
    every = [path for path in _files(project) if path.startswith(prefix)]
    said = table(manifest, _TOOL).get("schema")
    asked = [posixpath.normpath(said)] if isinstance(said, str) else _USUAL
    found = next(
        (place for each in asked for place in [prefix + each]
         if any(path == place or path.startswith(f"{place}/") for path in every)),
        "",
    )  # fmt: skip
    if not found and not (settings and every):
        return "", ()
    return ("" if settings else found), (*settings, *every)


def _files(project: Project) -> Iterator[str]:
    """Yield the files of schemas."""
    return (path for path in project.suffixed("prisma") if not project.is_aside(path))
