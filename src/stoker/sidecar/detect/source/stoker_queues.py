"""Apps of Stoker that take jobs from one queue, each without the tasks of the other.

Which of their workers claims a job is chance: the one that does not know its task makes it a dead
letter.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import msgspec

from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_parsing import Assigned, Definition
from stoker.sidecar.detect.source.python_written import as_source
from stoker.sidecar.detect.source.stoker_apps import Apps
from stoker.sidecar.detect.source.stoker_urls import url_of

_DEFAULT = "default"
_LISTED = 4
_HINT = (
    'give each a queue of its own (@app.task(queue="...")), or have one app that they all import'
)


class _Task(msgspec.Struct, frozen=True):
    """What an app has in a queue: a task, or a processor by its class."""

    name: str
    queue: str
    path: str
    line: int


def mixed(source: PythonSource) -> Iterator[str]:
    """Yield a note for each queue of several apps that have different tasks there."""
    apps = Apps(source)
    if len(apps.made) < 2:
        return
    found: dict[tuple[str, str], dict[str, list[_Task]]] = {}
    for each in apps.made:
        app, store = f"{source.module_name(each.path)[0]}:{each.name}", _store(source, each)
        for task in _tasks(apps, each):
            found.setdefault((store, task.queue), {}).setdefault(app, []).append(task)
    for (_, queue), by_app in found.items():
        if len({frozenset(task.name for task in tasks) for tasks in by_app.values()}) > 1:
            first = [min(tasks, key=lambda task: (task.path, task.line))
                     for tasks in by_app.values()]  # fmt: skip
            where = ", ".join(f"{each.path}:{each.line}" for each in first[:_LISTED])
            named = " and ".join(list(by_app)[:_LISTED])
            yield (
                f"{where}: {named} have different tasks in the queue {queue!r}: each one's worker "
                "takes the others' jobs, too, and makes dead letters (unknown-task) of them; "
                f"{_HINT}"
            )


def _store(source: PythonSource, each: Assigned) -> str:
    """Return where an app keeps its jobs, as it is written; nothing: where the environment says."""
    for full, call in source.modules[each.path].calls:
        if call.lineno == each.line and full.rpartition(".")[2] == "Stoker":
            given = url_of(call)
            return as_source(given) if given else ""
    return ""


def _tasks(apps: Apps, each: Assigned) -> Iterator[_Task]:
    names = apps.names(each)
    for path in sorted(apps.tasks(each)):
        module = apps.source.module(path)
        for node in module.nodes if module else ():
            if isinstance(node, Definition):
                yield from _registered(node, names[path], path)


def _registered(node: Definition, app: str, path: str) -> Iterator[_Task]:
    """Yield what decorators register; its name and queue, if they are known before it runs."""
    for decorator in node.decorator_list:
        called = isinstance(decorator, ast.Call)
        if as_source(decorator.func if called else decorator) not in (
            f"{app}.task",
            f"{app}.processor",
        ):
            continue
        given = {each.arg: each.value for each in decorator.keywords} if called else {}
        if isinstance(node, ast.ClassDef):
            given = dict(_attributes(node))
        name, queue = _text(given.get("name"), node.name), _text(given.get("queue"), _DEFAULT)
        if name and queue:
            yield _Task(name, queue, path, node.lineno)


def _attributes(node: ast.ClassDef) -> Iterator[tuple[str | None, ast.expr]]:
    for each in node.body:
        if isinstance(each, ast.Assign):
            yield from ((target.id, each.value) for target in each.targets
                        if isinstance(target, ast.Name))  # fmt: skip


def _text(value: ast.expr | None, usual: str) -> str:
    if value is None:
        return usual
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
