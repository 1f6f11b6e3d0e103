"""AdonisJS: its own command, ``node ace``, has the jobs worked on, or the app does so itself."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

import msgspec

from stoker.sidecar import bull
from stoker.sidecar.detect.grammar import Launch, listed, options
from stoker.sidecar.detect.manifests import Dependency, Manifests
from stoker.sidecar.detect.source import Inferred, Sources
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
_ACE = ("ace", "ace.js", "adonis")
_JOB = re.compile(r"(^|/)jobs?/", re.IGNORECASE)


def ace_program(manifests: Manifests, words: Sequence[str], dir: str) -> Launch | None:
    """Return what a command of ``ace`` starts, if it has jobs worked on."""
    at = next((at for at, word in enumerate(words[:3]) if posixpath.basename(word) in _ACE), None)
    if at is None or len(words) < at + 2:
        return None
    home = manifests.package_of(dir, "node")
    for each, queues in _brought(manifests):
        if words[at + 1] == queues.command and (home is None or home.dir == each.dir):
            named = listed(options(tuple(words), "-q", "--queue"))
            return Launch(queues.framework, "worker", tuple(words), "", named)
    return None


def infer(project: Project, manifests: Manifests) -> Sources:
    """Return the worker of each app of AdonisJS that has jobs: in its own process, or beside it."""
    found = Sources()
    for each, queues in _brought(manifests):
        ace = any(posixpath.normpath(f"{each.dir}/{name}") in project.files for name in _ACE[:2])
        own = list(_of_package(project, manifests, each.dir))
        if not ace or not any(map(_JOB.search, own)):
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


def _brought(manifests: Manifests) -> Iterator[tuple[Dependency, _Queues]]:
    for each in manifests.dependencies:
        if each.direct and each.name in _PACKAGES:
            yield each, _PACKAGES[each.name]


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
