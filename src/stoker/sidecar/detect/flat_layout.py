"""What setuptools refuses: several packages side by side, with nobody to say which ones it is."""

from __future__ import annotations

import re
from typing import Any

from stoker.sidecar.detect.manifests import strings, table
from stoker.sidecar.project import Project

_NONE_OF_IT = re.compile(
    r"[_.].*|ci|bin|debian|docs?|documentation|manpages|news|newsfragments|changelog|tests?"
    r"|unit_?tests?|examples?|scripts|tools|utils?|python|build|benchmarks?|exercises?|htmlcov"
)
"""Directories that setuptools takes for no package of the project's."""


def side_by_side(project: Project, dir: str, manifest: dict[str, Any]) -> tuple[str, ...]:
    """Return the packages that setuptools finds in a directory, where it refuses to choose.

    None where it does not have to: one package, a ``src``, or a manifest that names them.
    """
    prefix = "" if dir == "." else f"{dir}/"
    own = table(manifest, "project")
    backend = table(manifest, "build-system").get("build-backend", "setuptools")
    named = table(manifest, "tool", "setuptools").keys() & {"packages", "py-modules", "package-dir"}
    elsewhere = any(f"{prefix}{name}" in project.files for name in ("setup.py", "setup.cfg"))
    if not own or named or elsewhere or not str(backend).startswith("setuptools"):
        return ()
    if f"{prefix}src" in project.dirs or "dependencies" in strings(own.get("dynamic")):
        return ()
    names = (each.removeprefix(prefix) for each in project.dirs if each.startswith(prefix))
    found = {name for name in names if name.isidentifier() and not _NONE_OF_IT.fullmatch(name)}
    return tuple(sorted(found)) if len(found) > 1 else ()
