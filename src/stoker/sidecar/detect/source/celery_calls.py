"""The queues of Celery that a job is sent to by hand: ``apply_async(queue=…)`` and its like."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import msgspec

from stoker.sidecar.detect.source.celery_settings import is_queue
from stoker.sidecar.detect.source.python_constants import text_of
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_parsing import Module

_OF_TASKS = frozenset({"apply_async", "retry", "set"})
_BY_NAME = frozenset({"send_task", "Signature", "signature", "subtask"})
"""Given a task, or only its name: it may be another project's, whose worker has the queue."""


class Sent(msgspec.Struct, frozen=True):
    """A queue that a job is sent to."""

    node: ast.expr
    queue: str = ""
    task: str | None = ""
    """Its name, where only that is given: ``None`` for one that is not known here."""


def sent(source: PythonSource, module: Module) -> Iterator[Sent]:
    """Yield the queues that the calls of a file name, and the entries of a beat's schedule."""
    for each in _sent(module):
        queue = text_of(source, module, each.node)
        if is_queue(queue):
            yield msgspec.structs.replace(each, queue=queue)


def _sent(module: Module) -> Iterator[Sent]:
    for full, call in module.calls:
        method = full.rpartition(".")[2]
        if method in _OF_TASKS or method in _BY_NAME:
            named = _task(call) if method in _BY_NAME else ""
            for given in (each.value for each in call.keywords if each.arg == "queue"):
                yield Sent(given, task=named)
    for node in module.nodes:
        if isinstance(node, ast.Dict):
            yield from _scheduled(_entries(node))


def _task(call: ast.Call) -> str | None:
    given = [*call.args[:1], *(each.value for each in call.keywords if each.arg == "name")]
    match given:
        case [ast.Constant(value=str(name)), *_]:
            return name
        case [ast.Name() | ast.JoinedStr() | ast.BinOp(), *_]:
            return None
        case _:
            return ""  # a task's own method, or a task by its module


def _scheduled(entry: dict[str, ast.expr]) -> Iterator[Sent]:
    task, options = entry.get("task"), entry.get("options")
    if isinstance(task, ast.Constant) and isinstance(options, ast.Dict):
        for given in (value for key, value in _entries(options).items() if key == "queue"):
            yield Sent(given, task=str(task.value))


def _entries(node: ast.Dict) -> dict[str, ast.expr]:
    pairs = zip(node.keys, node.values, strict=True)
    return {str(key.value): value for key, value in pairs if isinstance(key, ast.Constant)}
