"""Prisma: a client that is no package, but made of the project's own schema."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from stoker.sidecar.detect.manifests import table
from stoker.sidecar.project import Project

_TOOL = "prisma"
_CONFIG = re.compile(r"prisma\.config\.[cm]?[jt]s|\.config/prisma\.[cm]?[jt]s")
_USUAL = ("prisma/schema.prisma", "schema.prisma", "prisma/schema", "prisma")


def schema(project: Project, dir: str, manifest: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return the schema of a package that has Prisma's own program, and all the files of it.

    The first is what ``prisma generate`` is given, and empty where a file of settings says it.
    """
    if not any(_TOOL in table(manifest, kind) for kind in ("dependencies", "devDependencies")):
        return "", ()
    prefix = "" if dir == "." else f"{dir}/"
    own = [path for path in project.ordered if path.startswith(prefix)]
    settings = [path for path in own if _CONFIG.fullmatch(path.removeprefix(prefix))]
    every = [path for path in own if path.endswith(".prisma") and not project.is_aside(path)]
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
