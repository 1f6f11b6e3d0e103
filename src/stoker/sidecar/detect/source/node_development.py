"""How a worker in TypeScript is run in development: from its source, which nobody builds there."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator

import msgspec

from stoker.sidecar.detect.shell import Step, split, steps
from stoker.sidecar.detect.source.node_files import NodeSource
from stoker.sidecar.detect.unwrapping import unwrap
from stoker.sidecar.detect.watchers import DEV_FLAGS, DEV_RUNNERS
from stoker.sidecar.detection import Package, Unit

_SOURCE = (".ts", ".mts", ".cts", ".tsx")
_RUNNERS = frozenset({"tsx", "ts-node", "ts-node-dev", "tsnd", "bun"})
_EXECUTE = ("--exec", "-x")
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
    if not built or package is None or package.dir != unit.dir:
        return unit
    if any(posixpath.normpath(f"{dir}/Dockerfile") in source.project.files
           for dir in (package.dir, package.workspace or package.dir)):  # fmt: skip
        return unit  # nobody knows if its image has the source and what runs it
    if unit.dev_command:
        return _as_written(source, unit, package)
    path = source.entry(unit.command, unit.dir)
    if not path.endswith(_SOURCE):
        return unit
    runner = _runner(source, package)
    if runner is None:
        return unit
    relative = posixpath.relpath(path, unit.dir)
    return msgspec.structs.replace(unit, dev_command=runner.of(relative, *unit.command[2:]))


def _as_written(source: NodeSource, unit: Unit, package: Package) -> Unit:
    """Return a unit with what starts its source anew, where a script of its own has that."""
    if not any(word.endswith(_SOURCE) for word in unit.dev_command):
        return unit
    for step in _steps(source, package):
        if step.words[0] in DEV_RUNNERS and unit.dev_command in (e.words for e in unwrap(step)):
            return msgspec.structs.replace(unit, dev_command=step.words)
    return unit


def _steps(source: NodeSource, package: Package) -> Iterator[Step]:
    """Yield what the package's scripts run."""
    path = posixpath.normpath(f"{package.dir}/package.json")
    for line in source.manifests.scripts.get(path, {}).values():
        yield from steps(line)


class _Runner(msgspec.Struct, frozen=True):
    """What runs a file of TypeScript."""

    words: tuple[str, ...]
    watcher: tuple[str, ...] = ()
    """What runs that as one line, and anew when a file changes: ``nodemon --exec``."""

    @property
    def watches(self) -> bool:
        return bool(self.watcher) or not DEV_FLAGS.isdisjoint(self.words)

    def of(self, *rest: str) -> tuple[str, ...]:
        """Return the command that runs a file with its arguments."""
        words = (*self.words, *rest)
        return (*self.watcher, shlex.join(words)) if self.watcher else words


def _runner(source: NodeSource, package: Package) -> _Runner | None:
    """Return what the project's own scripts run TypeScript by, or one of its dependencies."""
    shown = list(_shown(source, package))
    watching = [runner for runner in shown if runner.watches]
    if shown:
        return (watching or shown)[0]
    if package.manager == "bun":
        return _Runner(("bun",))
    near = {package.dir, package.workspace or package.dir}
    installed = {each.name for each in source.manifests.dependencies if each.dir in near}
    table = source.manifests.tables.get(posixpath.normpath(f"{package.dir}/package.json"), {})
    if table.get("type") == "module":
        installed -= {"ts-node", "ts-node-dev"}  # these need settings there
    return next((_Runner(words) for name, words in _ALONE.items() if name in installed), None)


def _shown(source: NodeSource, package: Package) -> Iterator[_Runner]:
    """Yield what scripts run a file of TypeScript by, each up to the file."""
    for step in _steps(source, package):
        words, watcher = _executed(_plain(step.words))
        at = next((at for at, word in enumerate(words) if word.endswith(_SOURCE)), 0)
        file = posixpath.normpath(f"{package.dir}/{words[at]}") if at else ""
        if at and words[0] in _RUNNERS and file in source.project.files:
            yield _Runner(words[:at], watcher)


def _plain(words: tuple[str, ...]) -> tuple[str, ...]:
    return words[1:] if words[:1] == ("npx",) else words


def _executed(words: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what ``nodemon --exec`` starts, as one word or as the rest, and what stands before it.

    Its line may begin with variables, which only a shell would set: that is no beginning of ours.
    """
    at = next((at for at, word in enumerate(words) if word in _EXECUTE), 0)
    if not at or words[0] != "nodemon":
        return words, ()
    line = " ".join(words[at + 1 :])
    return _plain(tuple(split(line))), words[: at + 1]
