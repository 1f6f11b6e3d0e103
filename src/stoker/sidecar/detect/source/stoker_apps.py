"""Stoker's own apps: the module that a worker loads, and the scripts that run a worker."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import msgspec

from stoker.sidecar.detect.source import Inferred
from stoker.sidecar.detect.source.python_imports import imported
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_parsing import Assigned, full_name
from stoker.sidecar.detect.source.python_scripts import is_web, runs, script
from stoker.sidecar.detect.source.python_sites import script_sites

_MOST = 300
"""How many files are followed from one."""


def infer(source: PythonSource) -> list[Inferred]:
    """Return the project's own scripts that work, and a worker for each other app with tasks."""
    apps = Apps(source)
    scripts = list(_scripts(source))
    reached = {path: apps.loaded(path) for path, _ in scripts}
    found = [each for _, each in scripts]
    for each, worker in apps.workers():
        by = [at for at, (path, _) in enumerate(scripts) if each.path in reached[path]]
        for at in by:
            known = found[at]
            found[at] = msgspec.structs.replace(
                known, alternatives=(*known.alternatives, worker.words)
            )
        if not by:
            found.append(worker)
    return found


def _scripts(source: PythonSource) -> Iterator[tuple[str, Inferred]]:
    for path in source.modules if source.stokers else ():
        sites = [site for site in script_sites(source, path) if site.framework == "stoker"]
        if sites and not is_web(source, path) and (runs(source, path) or _calls_run(source, path)):
            yield path, script(source, "stoker", path, sites)


def _calls_run(source: PythonSource, path: str) -> bool:
    """Tell if a file runs something when it is run: ``asyncio.run(main())``."""
    module = source.modules[path]
    return any(
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and full_name(module, node.value.func).endswith(".run")
        for node in module.tree.body
    )


class Apps:
    """The apps of a project, the files that import them, and where their tasks are."""

    def __init__(self, source: PythonSource) -> None:
        self.source = source
        self.made = [
            each for each in source.made_by("Stoker") if "stoker" in source.project.text(each.path)
        ]
        self._imports: dict[str, frozenset[str]] = {}

    def workers(self) -> Iterator[tuple[Assigned, Inferred]]:
        """Yield the apps that have tasks, each with its worker; without any the likeliest one."""
        every = [(each, self.tasks(each)) for each in self.made]
        able = [(each, tasks) for each, tasks in every if tasks]
        found = [(each, self._worker(each, tasks)) for each, tasks in able or every]
        found = [(each, worker) for each, worker in found if _is_importable(worker)]
        found.sort(key=lambda pair: -pair[1].confidence)
        if len(able) < 2:
            yield from found[:1]
            return
        for each, worker in found:
            name = f"{worker.app.partition(':')[0]}-worker"
            yield each, msgspec.structs.replace(worker, name=name)

    def loaded(self, path: str) -> frozenset[str]:
        """Return the files that are loaded with one: itself, and what it imports."""
        seen: dict[str, None] = {path: None}
        waiting = [path]
        while waiting and len(seen) < _MOST:
            new = self._imported(waiting.pop()) - seen.keys()
            seen |= dict.fromkeys(sorted(new))
            waiting += sorted(new)
        return frozenset(seen)

    def _imported(self, path: str) -> frozenset[str]:
        if path not in self._imports:
            self._imports[path] = frozenset(file for file, _, _ in imported(self.source, path))
        return self._imports[path]

    def names(self, each: Assigned) -> dict[str, str]:
        """Return the files in which an app has a name, and which: its own, and its importers."""
        stem = each.path.removesuffix("/__init__.py").removesuffix(".py").rpartition("/")[2]
        found = {each.path: each.name}
        for path in self.source.speaking_of(stem):
            if path != each.path and b"import" in self.source.project.data(path):
                for file, member, name in imported(self.source, path):
                    if (file, member) == (each.path, each.name):
                        found[path] = name
                    elif (file, member) == (each.path, ""):
                        found.setdefault(path, f"{name}.{each.name}")
        return found

    def tasks(self, each: Assigned) -> frozenset[str]:
        """Return the files that define tasks of an app."""
        return frozenset(
            path for path, name in self.names(each).items()
            if re.search(
                rf"(?<![\w.]){re.escape(name)}\.(task|processor)\b", self.source.project.text(path)
            )
        )  # fmt: skip

    def _only_imports(self, path: str) -> bool:
        module = self.source.module(path)
        return module is not None and not module.defined and not is_web(self.source, path)

    def _worker(self, each: Assigned, tasks: frozenset[str]) -> Inferred:
        """Return the worker that knows the most tasks: of the app's own module, if it does.

        Else of one that is there to import them, or of what loads the least. An app without tasks
        so far has them where something is there to import them.
        """
        ways = [
            (
                len(tasks & (loaded := self.loaded(path))),
                not tasks and path != each.path and self._only_imports(path),
                path == each.path,
                self._only_imports(path),
                -len(loaded),
                path,
                name,
            )
            for path, name in self.names(each).items()
            if "." not in name
        ]
        *_, path, name = max(ways)
        module, dir = self.source.module_name(path)
        app = f"{module}:{name}"
        uses = self.source.imports.get(self.source.module_name(each.path)[0], 0)
        evidence = each.evidence(f"made by {each.call}")
        return Inferred(
            "stoker", "worker", ("stoker", "worker", app), dir, "python", evidence, app,
            confidence=0.6 + min(uses, 9) / 100,
        )  # fmt: skip


def _is_importable(worker: Inferred) -> bool:
    """Tell if a worker's module can be imported: it is no copy with a number, say."""
    return all(part.isidentifier() for part in worker.app.partition(":")[0].split("."))
