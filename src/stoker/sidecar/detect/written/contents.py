"""What each stage of a Dockerfile has of a project, by its ``COPY`` and ``WORKDIR``."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from stoker.sidecar.detect.manifests import directory
from stoker.sidecar.detect.written import binaries, joined_lines
from stoker.sidecar.detect.written.dockerfiles import defaults
from stoker.sidecar.inside import Inside, is_below
from stoker.sidecar.interpolation import filled
from stoker.sidecar.project import Project

_WORD = re.compile(r"[^\s,\[\]\"']+")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_MANY = re.compile(r"[*?]")
_MODE = re.compile(r"\bRAILS_ENV[= ][\"']?(\w{1,40})")
_PRUNES = re.compile(
    r"\b(?:npm|pnpm|yarn|bun)\b[^|;&]{0,200}"
    r"(?:--prod(?:uction)?\b|--omit[= ]dev\b|--only[= ]prod|\sprune\b)"
)
_MOST = 100
"""Stages of a Dockerfile, and places of a stage: more than anybody writes."""
Named = tuple[str, Inside]


def insides(project: Project, path: str) -> dict[str, Inside]:
    """Return what each stage has: ``PATH#STAGE``, by its number where it has no name.

    What the last one has, which is what is built, is that of ``PATH`` as well.
    """
    return project.once(path, _insides)


def _insides(project: Project, path: str) -> dict[str, Inside]:
    if path not in project.files:
        return {}
    known = defaults(project.text(path))
    found: list[Named] = []
    for _, line in joined_lines(project, path):
        word, _, rest = line.strip().partition(" ")
        rest = filled(rest.strip(), known)
        if word.upper() == "FROM" and len(found) < _MOST:
            found.append(_from(rest, found))
        elif word.upper() == "WORKDIR" and found:
            name, inside = found[-1]
            workdir = _absolute(inside.workdir, rest.strip("\"'"))
            found[-1] = (name, msgspec.structs.replace(inside, workdir=workdir))
        elif word.upper() == "RUN" and found:
            name, inside = found[-1]
            found[-1] = (name, _after(rest, inside))
        elif word.upper() == "ENV" and found and (mode := _MODE.search(rest)):
            name, inside = found[-1]
            found[-1] = (name, msgspec.structs.replace(inside, mode=mode[1]))
        elif word.upper() in ("COPY", "ADD") and found:
            name, inside = found[-1]
            found[-1] = (name, _copied(project, directory(path), rest, inside, found[:-1]))
    made = {f"{path}#{name}": inside for name, inside in found}
    return made | ({path: found[-1][1]} if found else {})


def started_in(
    project: Project, dockerfile: str, stage: str, context: str, workdir: str = ""
) -> str:
    """Return the directory of the project in which a stage starts what it does, if it is one.

    With ``workdir``, which its container is told, that is meant.
    """
    inside = insides(project, dockerfile).get(f"{dockerfile}#{stage}" if stage else dockerfile)
    place = inside.started_in(workdir) if inside else ""
    found = posixpath.normpath(posixpath.join(context, place)) if place else ""
    return found if found in project.dirs else ""


def _from(rest: str, above: Sequence[Named]) -> Named:
    words = [word for word in rest.split() if not word.startswith("--")]
    named = words[2].lower() if len(words) > 2 and words[1].lower() == "as" else ""
    image = words[0] if words else ""
    base = next((inside for name, inside in above if name == image.lower()), None)
    made = msgspec.structs.replace(base, base=image.lower()) if base else Inside(image=image)
    return named if _NAME.fullmatch(named) else str(len(above)), made


def _after(line: str, inside: Inside) -> Inside:
    """Return what a stage has after something was run in it."""
    pruned = inside.pruned or _PRUNES.search(line) is not None
    made = dict(binaries.built(line, inside.workdir))
    return msgspec.structs.replace(
        inside,
        pruned=pruned,
        made=_first(inside.made | made),
        makes_others=inside.makes_others or binaries.makes_others(line),
    )


def _first(known: Mapping[str, str]) -> dict[str, str]:
    return dict(itertools.islice(known.items(), _MOST))


def _copied(
    project: Project, home: str, rest: str, inside: Inside, above: Sequence[Named]
) -> Inside:
    """Return what a stage has after something more was copied into it."""
    words = _WORD.findall(rest)
    *sources, to = [each for each in words if not each.startswith("--")] or [""]
    at = _absolute(inside.workdir, to)
    stage = next((each.removeprefix("--from=") for each in words if "--from=" in each), "")
    found: Mapping[str, str]
    made, others = inside.made, inside.makes_others
    pruned = inside.pruned
    if stage:
        numbered = {str(number): other for number, (_, other) in enumerate(above)}
        other = (numbered | dict(above)).get(stage.lower(), Inside())
        found = {place: where for each in sources for place, where in _out_of(other, each, at)}
        pruned = pruned or other.pruned
        made = made | dict(binaries.copied(other, sources, to, inside))
        others = others or binaries.copies_others(other, sources)
    else:
        places = [posixpath.normpath(each.lstrip("/") or ".") for each in sources]
        whole = (each for each in places if not _MANY.search(each))
        found = dict.fromkeys((each for each in whole if not _is_file(project, home, each)), at)
    unclear = inside.unclear or any("$" in each for each in sources)
    return msgspec.structs.replace(
        inside,
        places=_first({**inside.places, **found}),
        made=_first(made),
        makes_others=others,
        unclear=unclear,
        pruned=pruned,
    )


def _out_of(stage: Inside, source: str, at: str) -> Iterator[tuple[str, str]]:
    """Yield what of the context is copied out of another stage, and where to."""
    for place, home in stage.places.items():
        if home and is_below(source, home):
            yield posixpath.normpath(posixpath.join(place, posixpath.relpath(source, home))), at
        elif home and is_below(home, source):
            inside = posixpath.relpath(home, source)
            yield place, posixpath.normpath(posixpath.join(at, inside)) if at else ""


def _is_file(project: Project, home: str, place: str) -> bool:
    """Tell if it is one file, such as a manifest, which shows of no package that it is there.

    It is relative to the context, which another file says: mostly the root, or the Dockerfile's.
    """
    return place in project.files or posixpath.normpath(f"{home}/{place}") in project.files


def _absolute(workdir: str, to: str) -> str:
    """Return a place as one of an image's, if it is known."""
    joined = posixpath.normpath(posixpath.join(workdir, to))
    return joined if joined.startswith("/") and "$" not in joined else ""
