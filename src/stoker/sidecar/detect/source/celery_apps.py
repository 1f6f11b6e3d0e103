"""Celery's apps: which of them a project's workers run, and under which name they are found."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from stoker.sidecar.detect.manifests import directory
from stoker.sidecar.detect.source import Inferred
from stoker.sidecar.detect.source.celery_declared import MAY_BE, without_declared
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_parsing import Assigned, Module
from stoker.sidecar.detect.source.python_tasks import loading_module
from stoker.sidecar.detect.spotting import sieve

_SCHEDULE = sieve(
    "beat_schedule", "CELERYBEAT_SCHEDULE", "CELERY_BEAT_SCHED", "add_periodic_task",
    "django_celery_beat",
)  # fmt: skip

_SENDS = sieve(
    ".send_task", ".signature(", ".subtask(", "AsyncResult(", ".control.", "events.Receiver(",
)  # fmt: skip
_TAKES = re.compile(
    rb"^[ \t]*from\s+celery[\w.]*\s+import\s+(?:\([^)]*?|[^\n]*?)"
    rb"\b(?:[Ss]ignature|subtask|send_task)\b",
    re.MULTILINE,
)
"""What sends a task by its name without an app, whatever it is called there."""
_SPEAKS_OF_TASKS = sieve(
    "task(", ".task", "shared_task", "autodiscover_tasks", "include", "imports", "IMPORTS", "Task)",
)  # fmt: skip
_REGISTERS = re.compile(
    r"@(?:[\w.]+\.)?(?:shared_|periodic_)?task\b|\bshared_task\b|\.task\(|autodiscover_tasks"
    r"|register_task|\.tasks\.register\("
    r"|\binclude\b\W{0,3}=(?!\s*\[\])|\b(?:CELERY_)?IMPORTS\b|\bimports\b\W{0,3}[=:]"
    r"|\bclass \w+\([^)]*Task\)"
)
_TAKEN = re.compile(r"^(\w+)\s*=\s*\w+\.(?:celery|celery_app)[ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*#.*", re.MULTILINE)
_STAND_IN = re.compile(r"(^|[/_])(dummy|fake|mock|stub)[_./]")
"""How what others' workers are replaced by for a trial is called."""
_SENDER = re.compile(r"client|producer|publisher|sender", re.IGNORECASE)
"""How an app is called that only sends, beside the one that the workers run."""

NOTE = "the Celery app"
"""What shows a worker whose command nobody wrote down."""


def infer(source: PythonSource) -> list[Inferred]:
    """Return a worker for each app that has tasks of its own, and beat if there is a schedule."""
    packages: dict[str, list[Assigned]] = {}
    made = [each for each in source.made_by("Celery", *source.factories)
            if _makes_celery(source, each)]  # fmt: skip
    for each in made or _held(source):
        packages.setdefault(_home(source, each.path), []).append(each)
    found: list[Inferred] = []
    for package in _working(source, packages):
        paths = _paths(source, package if len(packages) > 1 else None)
        workers = [_worker(source, each) for each in _chosen(source, packages[package])]
        found += workers
        if any(source.project.telling(paths, _SCHEDULE)):
            found += map(_beat, workers)
    return found


def _home(source: PythonSource, path: str) -> str:
    package = source.manifests.package_of(path, "python")
    return package.dir if package else "."


def _paths(source: PythonSource, package: str | None) -> list[str]:
    """Return the files of a package; all, if it is none of several."""
    return [path for path in source.paths if package in (None, _home(source, path))]


def _working(source: PythonSource, packages: Iterable[str]) -> list[str]:
    """Return the packages that have tasks, where others only send them; none, if all only send."""
    if _only_sends(source, source.paths):
        return []
    every = list(packages)
    working = [each for each in every if not _only_sends(source, _paths(source, each))]
    return working or every


def _only_sends(source: PythonSource, paths: Sequence[str]) -> bool:
    """Tell if tasks are only sent by their names, or asked after: others' workers run them."""
    sends = (source.project.telling(paths, each) for each in (_SENDS, _TAKES, MAY_BE))
    return any(map(any, sends)) and not _has_a_task(source, paths)


def _has_a_task(source: PythonSource, paths: Sequence[str]) -> bool:
    """Tell if files register a task, or say where some are."""
    return any(
        _REGISTERS.search(_COMMENT.sub("", without_declared(source.project.text(path))))
        for path in source.project.telling(paths, _SPEAKS_OF_TASKS)
    )


def _makes_celery(source: PythonSource, each: Assigned) -> bool:
    """Tell if it is Celery's app, and not that of a function which is called the same."""
    home, _, name = each.call.rpartition(".")
    if name == "Celery":
        return True
    dir = directory(each.path)
    found = source.find(home, dir) if home else None
    near = (each.path, f"{dir}/__init__.py".removeprefix("./"))
    modules = [source.modules.get(path) for path in ((found[0],) if found else near)]
    defining = [module for module in modules if module and name in module.functions]
    return not defining or name in defining[0].factories


def _held(source: PythonSource) -> Iterator[Assigned]:
    """Yield the apps that a module takes from an object which has made one: ``ext.celery``.

    An object of a class of the project's own, or of Flask's extension for it.
    """
    if not any(map(_keeps_celery, source.modules.values())):
        return
    for path in source.speaking_of(".celery"):
        text = source.project.text(path)
        for at in _TAKEN.finditer(text):
            line = text.count("\n", 0, at.start()) + 1
            yield Assigned(path, line, at[1], "celery.Celery", source.project.line(path, line))


def _keeps_celery(module: Module) -> bool:
    """Tell if a file has a class that makes an app for its objects, or makes the extension."""
    classes = [node for node in module.tree.body if isinstance(node, ast.ClassDef)]
    for full, call in module.calls:
        name = full.rpartition(".")[2]
        if name == "FlaskCeleryExt":
            return True
        if name == "Celery" and any(
            node.lineno <= call.lineno <= (node.end_lineno or 0) for node in classes
        ):
            return True
    return False


def _chosen(source: PythonSource, apps: list[Assigned]) -> list[Assigned]:
    """Return the apps that have tasks of their own beside them; the likeliest, if not several."""
    apps = [each for each in apps if not _STAND_IN.search(each.path)] or apps
    best: dict[str, Assigned] = {}
    for each in sorted(apps, key=lambda each: _score(source, each)):
        best[directory(each.path)] = each
    alone = [
        each
        for dir, each in best.items()
        if not any(f"{other}/".startswith(f"{dir}/") for other in best if other != dir)
        and _has_tasks(source, each)
    ]
    return alone if len(alone) > 1 else [max(apps, key=lambda each: _score(source, each))]


def _has_tasks(source: PythonSource, each: Assigned) -> bool:
    """Tell if a file in the directory of an app registers a task with it."""
    prefix = f"{directory(each.path)}/".removeprefix("./")
    registers = re.compile(rf"@(\w+\.)*{re.escape(each.name)}\.task\b")
    return any(
        path.startswith(prefix) and registers.search(source.project.text(path))
        for path in source.speaking_of(f"{each.name}.task")
    )


def _score(source: PythonSource, each: Assigned) -> tuple[int, ...]:
    module, _ = source.module_name(each.path)
    uses = source.imports.get(module, 0) + source.imports.get(f"{module}.{each.name}", 0)
    late = f"{each.name}.autodiscover_tasks" in source.project.text(each.path)
    file = each.path.rpartition("/")[2]
    return (
        0 if _SENDER.search(f"{file} {each.name}") else 1,
        1 if re.search(r"celery|worker", file) else 0,
        1 if each.call.rpartition(".")[2] != "Celery" else 0,
        uses,
        int(late),
        -each.path.count("/"),
    )


def _worker(source: PythonSource, each: Assigned) -> Inferred:
    path = loading_module(source, each)
    module, dir = source.module_name(path)
    own = path.rpartition("/")[2] == "celery.py" and "." in module
    app = module.removesuffix(".celery") if own else f"{module}.{each.name}"
    words = ("celery", "-A", app, "worker", "--loglevel=info")
    return Inferred("celery", "worker", words, dir, "python", each.evidence(NOTE), app)


def _beat(worker: Inferred) -> Inferred:
    words = ("celery", "-A", worker.app, "beat", "--loglevel=info")
    return msgspec.structs.replace(worker, role="scheduler", words=words)
