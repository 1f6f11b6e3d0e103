"""How a worker in TypeScript is run in development: from its source, which nobody builds there."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import msgspec

from stoker.sidecar.detect.shell import DEV_FLAGS, steps
from stoker.sidecar.detect.source.node_files import NodeSource
from stoker.sidecar.detection import Package, Unit

_SOURCE = (".ts", ".mts", ".cts", ".tsx")
_RUNNERS = frozenset({"tsx", "ts-node", "ts-node-dev", "tsnd", "bun"})
_ALONE: dict[str, tuple[str, ...]] = {
    "tsx": ("tsx",),
    "ts-node-dev": ("ts-node-dev", "--respawn"),
    "ts-node": ("ts-node",),
}
"""What a runner is called with, where none of the project's scripts shows it."""


def from_source(source: NodeSource, unit: Unit) -> Unit:
    """Return a unit that starts what was built with the command that runs its source, if any."""
    package = source.manifests.package_of(unit.dir, "node")
    built = unit.role == "worker" and unit.language == "node" and unit.command[:1] == ("node",)
    if not built or unit.dev_command or package is None or package.dir != unit.dir:
        return unit
    if any(posixpath.normpath(f"{dir}/Dockerfile") in source.project.files
           for dir in (package.dir, package.workspace or package.dir)):  # fmt: skip
        return unit  # nobody knows if its image has the source and what runs it
    path = source.entry(unit.command, unit.dir)
    if not path.endswith(_SOURCE):
        return unit
    words = _runner(source, package)
    if not words:
        return unit
    relative = posixpath.relpath(path, unit.dir)
    return msgspec.structs.replace(unit, dev_command=(*words, relative, *unit.command[2:]))


def _runner(source: NodeSource, package: Package) -> tuple[str, ...]:
    """Return what the project's own scripts run TypeScript by, or one of its dependencies."""
    shown = list(_shown(source, package))
    watching = [words for words in shown if DEV_FLAGS & set(words)]
    if shown:
        return (watching or shown)[0]
    if package.manager == "bun":
        return ("bun",)
    near = {package.dir, package.workspace or package.dir}
    installed = {each.name for each in source.manifests.dependencies if each.dir in near}
    table = source.manifests.tables.get(posixpath.normpath(f"{package.dir}/package.json"), {})
    if table.get("type") == "module":
        installed -= {"ts-node", "ts-node-dev"}  # these need settings there
    return next((words for name, words in _ALONE.items() if name in installed), ())


def _shown(source: NodeSource, package: Package) -> Iterator[tuple[str, ...]]:
    """Yield the beginnings of scripts that run a file of TypeScript, up to the file."""
    path = posixpath.normpath(f"{package.dir}/package.json")
    for line in source.manifests.scripts.get(path, {}).values():
        for step in steps(line):
            words = step.words[1:] if step.words[:1] == ("npx",) else step.words
            at = next((at for at, word in enumerate(words) if word.endswith(_SOURCE)), 0)
            file = posixpath.normpath(f"{package.dir}/{words[at]}") if at else ""
            if at and words[0] in _RUNNERS and file in source.project.files:
                yield words[:at]
