"""Which Dockerfile of the project's own is a worker's, by what it is called and where it lies."""

from __future__ import annotations

import posixpath
import re

from stoker.sidecar.detection import Detection, Package, Unit

_CALLED = re.compile(
    r"(?:docker|container)file[._-](?P<after>[\w.-]+)|(?P<before>[\w.-]+?)[._-](?:docker|container)file"
)
_PLACES = re.compile(
    r"(?:(?:\.?docker|dockerfiles?|containers?|deploy(?:ment)?|build|infra|ops|configs?)(?:/|\Z))*"
)
"""Directories that people keep such files in, below what is built."""


def own_file(detection: Detection, unit: Unit, package: Package) -> str:
    """Return the Dockerfile of a worker and what belongs to it, if it is clear which one it is.

    ``docker/worker.Dockerfile``, ``Dockerfile.worker``, ``docker/worker/Dockerfile``: another one
    beside it would be one too many. The worker's own name tells more than that it is a worker.
    That of a workspace's member is built at the root, as what it is installed by lies there.
    """
    if unit is detection.web or unit.role == "other":
        return ""
    dockerfiles = detection.files.get("dockerfile", ())
    of_member = posixpath.join(package.dir, "Dockerfile")
    if package.workspace not in ("", package.dir) and of_member in dockerfiles:
        return of_member
    named = {word for word in (unit.name.lower(), unit.framework) if word}
    found = [
        (path, called)
        for path in dockerfiles
        for home in {package.workspace or package.dir, package.dir}
        if (called := _called(path, home))
    ]
    own = {path for path, called in found if called in named}
    usual = {path for path, called in found if re.search(r"(?:\A|[._-])workers?\Z", called)}
    best = own or usual
    return next(iter(best)) if len(best) == 1 else ""


def _called(path: str, home: str) -> str:
    """Return whose a Dockerfile below a directory is, by its name or by that of its directory."""
    inside = posixpath.relpath(path, home)
    place, name = posixpath.split(inside.lower())
    found = _CALLED.fullmatch(name)
    if found is None and name == "dockerfile" and "/" in place:
        place, called = posixpath.split(place)  # docker/worker/Dockerfile
    else:
        called = (found["after"] or found["before"]) if found else ""
    return called if not inside.startswith("..") and _PLACES.fullmatch(place) else ""
