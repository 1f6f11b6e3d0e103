"""AdonisJS: its own command, ``node ace``, has the jobs worked on, or the app does so itself."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

import msgspec

from stoker.sidecar import bull
from stoker.sidecar.detect.grammar import Launch, listed, options
from stoker.sidecar.detect.manifests import Dependency, Manifests
from stoker.sidecar.detect.source import (
    DEDICATED,
    Inferred,
    Sources,
    merged_concurrency,
    merged_queues,
)
from stoker.sidecar.detect.source.node_files import NodeSource
from stoker.sidecar.detect.source.node_imports import SUFFIXES
from stoker.sidecar.detection import Embedded, Evidence
from stoker.sidecar.project import Project


class _Queues(msgspec.Struct, frozen=True):
    """What a package for AdonisJS brings along."""

    framework: str
    command: str
    """The one of ``ace`` that works."""
    inside: str
    """What has the app's own process work."""


_EXECUTES = r"""\bace\.exec\(\s*["'`]{0}["'`]"""
_INSIDE = {"bullmq": _EXECUTES, "bull": rf"\bBull\.process\(|{_EXECUTES}"}
_PACKAGES = {
    name: _Queues(framework, command, _INSIDE[framework].format(command))
    for framework, each in bull.PACKAGES.items()
    for name, command in each.adonis.items()
}
_ROCKETSEATS = _PACKAGES["@rocketseat/adonis-bull"]
_FORK = "/adonis-bull"
"""What Rocketseat's is called by whoever published it once more."""
_SCHEDULERS = {
    "adonisjs-scheduler": ("scheduler:run", "scheduler:work", "schedule:run", "schedule:work"),
    "adonis-scheduler": ("run:scheduler",),
}
"""What brings a clock along, and the commands of ``ace`` that are it."""
_ACE = ("ace", "ace.js", "adonis")
_JOB = re.compile(r"(^|/)jobs?/", re.IGNORECASE)
_COMMAND = re.compile(
    r"""\bstatic\s+(?:override\s+|readonly\s+)*commandName\s*(?::\s*string\s*)?=\s*["'`]([\w:.-]+)["'`]"""
)
"""What a command of the app's own is called."""
_LOADED = re.compile(r"(^|/)(start|providers|config|contracts)/|(^|/)adonisrc\.[cm]?[jt]s$")
"""What the app loads, and what says what that is: nobody starts it."""


def ace_program(source: NodeSource, words: Sequence[str], dir: str) -> Launch | None:
    """Return what a command of ``ace`` starts, if it has jobs worked on, or is a clock."""
    at = next((at for at, word in enumerate(words[:3]) if posixpath.basename(word) in _ACE), None)
    if at is None or len(words) < at + 2:
        return None
    manifests, command = source.manifests, words[at + 1]
    home = manifests.package_of(dir, "node")
    for each, queues in _brought(manifests):
        if command == queues.command and (home is None or home.dir == each.dir):
            named = listed(options(tuple(words), "-q", "--queue"))
            return Launch(queues.framework, "worker", tuple(words), "", named)
    for path in source.paths:
        if command != own_command(source, path) or (
            home is not None and home != manifests.package_of(path, "node")
        ):
            continue
        sites = source.works(path)
        if sites and (path in source.sites or DEDICATED.search(command)):
            return Launch(
                sites[0].framework, "worker", tuple(words), path, merged_queues(sites),
                merged_concurrency(sites),
            )  # fmt: skip
    if any(
        command in _SCHEDULERS.get(each.name, ()) and (home is None or home.dir == each.dir)
        for each in manifests.dependencies if each.direct
    ):  # fmt: skip
        return Launch("", "scheduler", tuple(words), command)
    return None


def own_command(source: NodeSource, path: str) -> str:
    """Return what a command of ``ace`` is called that a file declares; else nothing."""
    if "/commands/" not in f"/{path}" or not is_app(source, path):
        return ""
    found = _COMMAND.search(source.project.text(path))
    return found[1] if found else ""


def is_loaded(source: NodeSource, path: str) -> bool:
    """Tell if a file is one that an app of AdonisJS loads when it starts."""
    return _LOADED.search(path) is not None and is_app(source, path)


def is_app(source: NodeSource, path: str) -> bool:
    """Tell if a file belongs to an app of AdonisJS, which has ``ace`` for its commands."""
    package = source.manifests.package_of(path, "node")
    home = package.dir if package else "."
    return _has_ace(source.project, home)


def infer(project: Project, manifests: Manifests) -> Sources:
    """Return the worker of each app of AdonisJS that has jobs: in its own process, or beside it."""
    found = Sources()
    for each, queues in _brought(manifests):
        own = list(_of_package(project, manifests, each.dir))
        if not _has_ace(project, each.dir) or not any(map(_JOB.search, own)):
            continue
        inside = _inside(project, own, queues)
        if inside is not None:
            reason = "the app has its jobs worked on in its own process"
            found.embedded.append(Embedded(queues.framework, each.dir, reason, (inside,)))
        else:
            words = ("node", "ace", queues.command)
            found.inferred.append(
                Inferred(queues.framework, "worker", words, each.dir, "node", (each.evidence,))
            )
    return found


def _has_ace(project: Project, dir: str) -> bool:
    return any(posixpath.normpath(f"{dir}/{name}") in project.files for name in _ACE[:2])


def _brought(manifests: Manifests) -> Iterator[tuple[Dependency, _Queues]]:
    for each in manifests.dependencies:
        known = _PACKAGES.get(each.name) or (_ROCKETSEATS if each.name.endswith(_FORK) else None)
        if each.direct and known:
            yield each, known


def _of_package(project: Project, manifests: Manifests, dir: str) -> Iterator[str]:
    for path in project.suffixed(*SUFFIXES):
        package = manifests.package_of(path, "node")
        if package is not None and package.dir == dir and not project.is_aside(path):
            yield path


def _inside(project: Project, paths: Sequence[str], queues: _Queues) -> Evidence | None:
    """Return where the app has its jobs worked on when it is loaded: a preload, or a provider."""
    works = re.compile(queues.inside)
    for path in project.telling(paths, re.compile(queues.inside.encode())):
        found = works.search(project.text(path))
        if found:
            line = project.text(path).count("\n", 0, found.start()) + 1
            return Evidence(path, line, project.line(path, line), "makes a worker")
    return None
