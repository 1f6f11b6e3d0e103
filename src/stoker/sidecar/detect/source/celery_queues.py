"""Celery's queues: which the source names, and which of them no worker would take jobs of.

Without ``-Q`` a worker takes the default queue, or those of ``task_queues``: what only a route, a
task or a call names waits for ever.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import msgspec

from stoker.sidecar.detect.manifests import directory
from stoker.sidecar.detect.source.celery_apps import NOTE
from stoker.sidecar.detect.source.celery_calls import sent
from stoker.sidecar.detect.source.celery_settings import Kind, is_queue, queues_of
from stoker.sidecar.detect.source.python_constants import text_of
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_parsing import Module, full_name
from stoker.sidecar.detect.spotting import sieve
from stoker.sidecar.detection import Evidence, Unit

_SPOKEN_OF = sieve(
    "task_routes", "TASK_ROUTES", "task_queues", "TASK_QUEUES", "default_queue", "DEFAULT_QUEUE",
    "CELERY_ROUTES", "CELERY_QUEUES", "beat_schedule", "BEAT_SCHEDULE",
    followed={"queue": r"\s*=\s*(?:[\"']|(?:\w+\.)*[A-Z][A-Z0-9_]*\b)"},
)  # fmt: skip
"""What makes it worth while to parse a file."""
_DEFAULT = "celery"


class Named(NamedTuple):
    """A queue, where the source names it."""

    kind: Kind
    name: str
    path: str
    line: int


class CeleryQueues:
    """The queues of all apps of Celery in a project."""

    def __init__(self, source: PythonSource) -> None:
        self.source = source

    def served(self, units: Sequence[Unit]) -> list[Unit]:
        """Return the units: a worker whose command nobody wrote takes what the source names."""
        return [self._served(unit, units) if _is_ours(unit) else unit for unit in units]

    def unserved(self, units: Sequence[Unit]) -> Iterator[str]:
        """Yield a note for each queue that is named, and that no worker takes: of any package."""
        workers = [unit for unit in units if _is_worker(unit)]
        told = {queue for unit in workers for queue in unit.queues}
        for home in dict.fromkeys(self._home(unit.dir) for unit in workers):
            near = [unit for unit in workers if self._home(unit.dir) == home]
            if not all(map(_is_plain, near)):
                continue  # its queues are nobody's to know before it starts
            named = [each for each in self._named if self._home(each.path) == home]
            taken = told | {""}
            usual = _by_itself(named)
            if not all(map(_chooses, near)):
                if any(each.kind == "declared" and not each.name for each in named):
                    continue
                taken |= set(usual)
            for each in _first(each for each in named if each.kind != "default"):
                if each.name not in taken:
                    queues = ",".join(dict.fromkeys([*filter(None, usual), each.name]))
                    yield (
                        f"{each.path}:{each.line}: no worker takes jobs of the queue "
                        f"{each.name!r}: start one with -Q {queues}"
                    )

    def _served(self, unit: Unit, units: Sequence[Unit]) -> Unit:
        home = self._home(unit.dir)
        named = [each for each in self._named if self._home(each.path) == home]
        if sum(_is_ours(other) and self._home(other.dir) == home for other in units) > 1:
            own = f"{directory(unit.evidence[0].path)}/"  # the others name queues of their own
            named = [each for each in named if each.path.startswith(own)]
        default = {each.name for each in named if each.kind == "default"} or {_DEFAULT}
        if not named or len(default) > 1 or not all(each.name for each in named):
            return unit  # told of queues, it would take no others, and not all are known
        others = (each.name for each in named if each.kind != "default")
        queues = tuple(dict.fromkeys([*default, *others]))
        shown = map(self._evidence, _first(named))
        return msgspec.structs.replace(
            unit,
            command=(*unit.command, "-Q", ",".join(queues)) if queues[1:] else unit.command,
            queues=queues,
            evidence=(*unit.evidence, *shown)[:8],
        )

    def _evidence(self, each: Named) -> Evidence:
        text = self.source.project.line(each.path, each.line).strip()
        return Evidence(each.path, each.line, text, f"names the queue {each.name}")

    def _home(self, path: str) -> str:
        package = self.source.manifests.package_of(path, "python")
        return package.dir if package else "."

    @cached_property
    def _named(self) -> list[Named]:
        """All queues, those of the settings before those of tasks."""
        spoken_of = self.source.project.telling(self.source.paths, _SPOKEN_OF)
        found = [each for path in spoken_of for each in self._of_file(path)]
        order: tuple[Kind, ...] = ("default", "declared", "routed")
        return sorted(found, key=lambda each: order.index(each.kind))

    def _of_file(self, path: str) -> Iterator[Named]:
        module = self.source.module(path)
        if module is None:
            return
        text = self.source.project.text(path)
        if "celery" in f"{path}\n{text}".lower():
            for kind, node, name in queues_of(module):
                yield Named(kind, name, path, node.lineno)
        for node, name in self._of_tasks(module):
            yield Named("routed", name, path, node.lineno)
        for each in sent(self.source, module):
            if each.task == "" or (each.task and self._has(each.task, self._home(path))):
                yield Named("routed", each.queue, path, each.node.lineno)

    def _has(self, task: str, home: str) -> bool:
        """Tell if a package has the task of a name: its function, or a task that is called so."""
        module, _, function = task.rpartition(".")
        place = f"/{module.replace('.', '/')}"
        ends = (f"{place}.py", f"{place}/__init__.py")
        called = re.compile(rf"""\bname\s*=\s*["']{re.escape(task)}["']""")
        for path in self.source.paths:
            text = self.source.project.text(path)
            found = bool(module) and f"/{path}".endswith(ends) and f"def {function}(" in text
            if (found or (task in text and called.search(text))) and self._home(path) == home:
                return True
        return False

    def _of_tasks(self, module: Module) -> Iterator[tuple[ast.expr, str]]:
        """Yield the queues that decorators of tasks are given."""
        for node in module.nodes:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for call in node.decorator_list:
                if not isinstance(call, ast.Call):
                    continue
                given = [each.value for each in call.keywords if each.arg == "queue"]
                if given and self._is_task(module, full_name(module, call.func)):
                    name = text_of(self.source, module, given[0])
                    yield from [(given[0], name)] if is_queue(name) else []

    def _is_task(self, module: Module, name: str) -> bool:
        if name in ("celery.shared_task", "celery.task", "celery.decorators.task"):
            return True
        app, _, last = name.rpartition(".")
        if last != "task":
            return False
        local = f"{self.source.module_name(module.path)[0]}.{app}"
        return app in self._apps or local in self._apps

    @cached_property
    def _apps(self) -> frozenset[str]:
        """The full names of apps, and those that a package passes on of its ``celery.py``."""
        found: set[str] = set()
        for each in self.source.made_by("Celery", *self.source.factories):
            module = self.source.module_name(each.path)[0]
            found |= {f"{module}.{each.name}", f"{module.rpartition('.')[0]}.{each.name}"}
        return frozenset(found)


def _is_worker(unit: Unit) -> bool:
    return unit.framework == "celery" and unit.role == "worker"


def _is_ours(unit: Unit) -> bool:
    """Tell if nobody wrote a worker's command down."""
    return _is_worker(unit) and unit.evidence[0].note == NOTE and not unit.queues


def _is_plain(unit: Unit) -> bool:
    """Tell if a command says itself which queues it takes, or that it takes the usual."""
    line = " ".join(unit.command)
    known = bool(unit.queues) or not _chooses(unit)
    return known and "celery" in line and " worker" in line and "$" not in line


def _chooses(unit: Unit) -> bool:
    line = " ".join(unit.command)
    return re.search(r"\s(-Q|--queues|-X|--exclude-queues)", line) is not None


def _by_itself(named: Iterable[Named]) -> list[str]:
    """Return the queues that a worker takes which is told of none."""
    of: dict[Kind, list[str]] = {"default": [], "declared": [], "routed": []}
    for each in named:
        of[each.kind].append(each.name)
    return list(dict.fromkeys(of["declared"] or of["default"][:1] or [_DEFAULT]))


def _first(named: Iterable[Named]) -> list[Named]:
    """Return the first place of each queue."""
    found: dict[str, Named] = {}
    for each in named:
        found.setdefault(each.name, each)
    return list(found.values())
