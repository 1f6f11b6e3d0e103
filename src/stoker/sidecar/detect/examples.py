"""What was left out where nothing was found: examples that have workers of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stoker.sidecar.detect.manifests import Dependency, Manifests, directory, reader_of
from stoker.sidecar.frameworks import FRAMEWORKS
from stoker.sidecar.project import Project

_EXAMPLES = re.compile(r"(?:^|.*?/)(examples?|samples?|demos?)/", re.IGNORECASE)
_MOST = 40
"""How many manifests of them are read."""
_FRAMEWORKS = {
    (language, package): framework.name
    for framework in FRAMEWORKS.values()
    for language, packages in framework.packages.items()
    for package in packages
}


def left_out(project: Project) -> Iterator[str]:
    """Yield a note for each folder of examples whose manifests name a framework of workers."""
    found: dict[str, list[tuple[str, Dependency]]] = {}
    for folder, path in _manifests(project):
        for framework, dependency in _named(project, path):
            found.setdefault(folder, []).append((framework, dependency))
    for folder, every in found.items():
        first = every[0][1]
        names = ", ".join(dict.fromkeys(framework for framework, _ in every))
        yield (
            f"{first.path}:{first.line}: {folder} is left out, and names {names}: "
            f"stoker sidecar detect {directory(first.path)} looks at it"
        )


def _manifests(project: Project) -> Iterator[tuple[str, str]]:
    count = 0
    for path in project.ordered:
        name = path.rpartition("/")[2]
        if count < _MOST and reader_of(name, path) and project.is_aside(path):
            folder = _EXAMPLES.match(path)
            around = (path[: folder.start(1)], path[folder.end() :]) if folder else ()
            if folder and not any(map(project.is_aside, around)):  # no test's, say
                count += 1
                yield folder[0], path


def _named(project: Project, path: str) -> Iterator[tuple[str, Dependency]]:
    read = reader_of(path.rpartition("/")[2], path)
    manifests, notes = Manifests([], [], {}, {}), dict(project.notes)
    if read is not None:
        read(project, path, manifests)
    project.notes = notes  # nobody asked what is wrong with an example
    for each in manifests.dependencies:
        framework = _FRAMEWORKS.get((each.language, each.name))
        if framework is not None and not each.dev:
            yield framework, each
