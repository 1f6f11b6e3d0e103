"""Which stage of a Dockerfile of the project's own a worker is started from, and where in it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

import msgspec

from stoker.sidecar.detection import COMPILED, Build, Detection, Package, Unit
from stoker.sidecar.inside import Inside
from stoker.sidecar.plan import Image, Variant

_WORKER = re.compile(r"(?:\A|[._-])workers?\Z")
_TO_BUILD = re.compile(r"(?:\A|[._-])(?:build\w*|deps|dependencies|install\w*|prun\w+|test\w*)")
"""Stages that only bring about what others have."""

_ON_PATH = frozenset({
    "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
})  # fmt: skip


def with_stage(detection: Detection, unit: Unit, package: Package, build: Build) -> Build | None:
    """Return a build with the stage that has the unit; ``None`` where none of them has it.

    One that is called after it is its own, whichever is built. Else it is in that one, as the app
    is, unless it has another member of the workspace only: a program that is not in there cannot
    be started.
    """
    stages = dict(_named(detection, build.dockerfile))
    if own := _called(unit, package, stages):
        return msgspec.structs.replace(build, target=own)
    if package.workspace in ("", package.dir):
        return build
    place = posixpath.relpath(package.dir, build.context)
    built = _stage(detection, build.dockerfile, build.target)
    if built is None or built.has(place) or not built.places:
        return build
    having = [
        name for name, stage in stages.items() if stage.has(place) and not _TO_BUILD.search(name)
    ]
    return msgspec.structs.replace(build, target=having[-1]) if having else None


def started_by(detection: Detection, unit: Unit, path: str) -> str:
    """Return which stage of a Dockerfile starts a unit that was found in it; empty: the last."""
    stages = dict(_named(detection, path))
    last = next(reversed(stages), "")
    starting = {last, *_ancestors(stages, last)}
    return unit.name if unit.name in stages.keys() - starting else ""


def path_of(image: Image) -> str:
    """Return where an image's Dockerfile is."""
    return image.outside or posixpath.normpath(posixpath.join(image.context, image.dockerfile))


def place_in(detection: Detection, unit: Unit, image: Image, variant: Variant | None = None) -> str:
    """Return where in an image of the project's own a unit is started, if that has to be said.

    What its Dockerfile or a compose file starts is started where these do it, and a compiled
    program is started from anywhere.
    """
    target = variant.target if variant else image.target
    stage = _stage(detection, path_of(image), target)
    note = unit.evidence[0].note if unit.evidence else ""
    known = note in ("compose", "Dockerfile") or unit.language in COMPILED
    if not image.existing or stage is None or known:
        return ""
    place = stage.where(posixpath.relpath(unit.dir, image.context))
    return place if stage.workdir and place != stage.workdir else ""


def program_in(detection: Detection, image: Image, built: str) -> str:
    """Return how a compiled program is started in an image of the project's own, if that is known.

    By its name where every image has its programs, else by its path.
    """
    stage = _stage(detection, path_of(image), image.target)
    at = _made(stage, built) if stage else ""
    return posixpath.basename(at) if posixpath.dirname(at) in _ON_PATH else at


def lacks(detection: Detection, dockerfile: str, target: str, built: str) -> bool:
    """Tell if a compiled program is none of those in an image of the project's own.

    Only where it is plain how the one came there that the image starts: the others came likewise.
    """
    stage = _stage(detection, dockerfile, target)
    if dockerfile in detection.choices:  # what is in it is as it is built
        return False
    if stage is None or not stage.shows_programs or _made(stage, built):
        return False
    started = detection.programs.get(f"{dockerfile}#{target}" if target else dockerfile, ())
    paths = {posixpath.join(stage.workdir, word) for word in started}
    names = {posixpath.basename(at) for at in stage.made.values()}
    return any(posixpath.normpath(path) in stage.made.values() for path in paths) or any(
        word in names for word in started
    )


def _made(stage: Inside, built: str) -> str:
    """Return where a program is, by what builds it or by its name."""
    name = posixpath.normpath(built)
    alike = (at for made, at in stage.made.items() if made.endswith(f"/{name}"))
    return stage.made.get(name) or next(alike, stage.made.get(posixpath.basename(name), ""))


def scratch_in(detection: Detection, unit: Unit, image: Image) -> str:
    """Return where an image of the project's own has the ``tmp`` of a unit of Ruby, if known.

    Rails has its processes' ids, sockets and Bootsnap's cache there, and does not start without.
    """
    stage = _stage(detection, path_of(image), image.target)
    if unit.language != "ruby" or not image.existing or stage is None:
        return ""
    home = stage.where(posixpath.relpath(unit.dir, image.context)) or stage.workdir
    return posixpath.join(home, "tmp") if home not in ("", "/") else ""


def is_pruned(detection: Detection, image: Image) -> bool:
    """Tell if an image of the project's own has no packages that are only for development."""
    stage = _stage(detection, path_of(image), image.target)
    return image.existing and stage is not None and stage.pruned


def as_in_production(detection: Detection) -> Iterator[str]:
    """Yield where an image has Rails in production, and no compose file says anything else."""
    units = [*detection.units, *([detection.web] if detection.web else [])]
    if not any(unit.language == "ruby" for unit in detection.units):
        return
    if any("RAILS_ENV" in each.environment for unit in units for each in unit.given):
        return
    for path, stage in detection.stages.items():
        if "#" not in path and stage.mode == "production":
            yield (
                f"{path}: it says RAILS_ENV=production, so that workers have production's settings "
                "and databases in development, too; say RAILS_ENV there in the compose file, or "
                "start them beside the app, outside of containers"
            )


def is_last(detection: Detection, build: Build) -> bool:
    """Tell if a stage is the one that is built where none is named."""
    return [name for name, _ in _named(detection, build.dockerfile)][-1:] == [build.target]


def with_shell(detection: Detection, build: Build) -> str:
    """Return the stage that a person can work in, where what is built has nothing but a program."""
    stage = _stage(detection, build.dockerfile, build.target)
    if stage is None or stage.has_shell:
        return ""
    found = [name for name, each in _named(detection, build.dockerfile) if each.has_shell]
    return found[-1] if found else ""


def _stage(detection: Detection, path: str, target: str) -> Inside | None:
    return detection.stages.get(f"{path}#{target}" if target else path)


def _named(detection: Detection, path: str) -> Iterator[tuple[str, Inside]]:
    for key, stage in detection.stages.items():
        if key.startswith(f"{path}#"):
            yield key.removeprefix(f"{path}#"), stage


def _ancestors(stages: dict[str, Inside], name: str) -> Iterator[str]:
    """Yield the stages that one is made from: what these start, it starts as well."""
    seen: set[str] = set()
    while name in stages and name not in seen:
        seen.add(name)
        name = stages[name].base
        yield name


def _called(unit: Unit, package: Package, stages: dict[str, Inside]) -> str:
    """Return the stage that is called after a worker; its own name tells more than that it is one.

    Where only one fits: of two the project's own words decide, or nobody.
    """
    if unit.role == "other":
        return ""
    member = posixpath.basename(package.dir) if package.workspace else ""
    names = [name for name in stages if not _TO_BUILD.search(name.lower())]
    own = [name for name in names if name.lower() in {unit.name.lower(), unit.framework, member}]
    usual = [name for name in names if unit.role == "worker" and _WORKER.search(name.lower())]
    best = own or usual
    return best[0] if len(best) == 1 else ""
