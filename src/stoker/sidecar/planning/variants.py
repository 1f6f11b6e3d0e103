"""How an image of the project's own is built in each of its compose files, as its app is there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

import msgspec

from stoker.sidecar.detection import Build, Detection, Package, Unit
from stoker.sidecar.plan import NEW_FOR_PRODUCTION, Variant, own_files
from stoker.sidecar.planning import members, stages

_FOR_A_DESK = re.compile(r"(?:\A|[._-])(?:dev|devel|develop|development|local|debug|watch)\Z")


def as_the_app(detection: Detection, package: Package, build: Build) -> Build:
    """Return how the app is built, if it is from the same file, with the unit's own name in it.

    ``APP: api`` is ``APP: jobs`` for another member of the workspace.
    """
    web = detection.web
    if web is None or web.build is None or not _is_same(web.build, build):
        return build
    return _fitted(detection, package, web.build)


def variants(
    detection: Detection, unit: Unit, package: Package, build: Build
) -> dict[str, Variant]:
    """Return the compose files in which it is built another way than where people develop.

    What they build in a stage for that alone, is the Dockerfile's last stage in production.
    """
    usual = Variant(build.target, build.args)
    found = dict(_by_file(detection, unit, package, build))
    if not own_files(detection.files.get("compose", ()), production=True):
        deployed = _deployed(detection, package, build)
        found |= (
            {NEW_FOR_PRODUCTION: Variant(deployed, build.args)} if deployed != build.target else {}
        )
    return {path: each for path, each in found.items() if each != usual}


def _by_file(
    detection: Detection, unit: Unit, package: Package, build: Build
) -> Iterator[tuple[str, Variant]]:
    web = detection.web
    origin = unit if unit.build else web
    for path, other in origin.builds.items() if origin else ():
        if not _is_same(other, build):
            continue
        made: Build | None = other
        if origin is web and web is not None:
            other = _fitted(detection, package, other)
            made = stages.with_stage(detection, unit, package, other)
        if made is not None:
            yield path, Variant(made.target, made.args)


def _deployed(detection: Detection, package: Package, build: Build) -> str:
    """Return the stage that is deployed, where a build has one that is only for development."""
    if not _FOR_A_DESK.search(build.target.lower()):
        return build.target
    place = posixpath.relpath(package.dir, build.context)
    last = detection.stages.get(build.dockerfile)
    if last is None or not last.has(place) or stages.is_last(detection, build):
        return build.target
    return ""


def _is_same(build: Build, other: Build) -> bool:
    return (build.context, build.dockerfile) == (other.context, other.dockerfile)


def _fitted(detection: Detection, package: Package, build: Build) -> Build:
    args = members.arguments(detection, package, build.args)
    return msgspec.structs.replace(build, args=args)
