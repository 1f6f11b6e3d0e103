"""The settings of Celery, as one file of Python has them, and those that name queues."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Literal

from stoker.sidecar.detect.source.python_parsing import Module
from stoker.sidecar.detect.spotting import sieve

Kind = Literal["default", "declared", "routed"]
_QUEUES: dict[str, Kind] = {
    "task_default_queue": "default",
    "celery_task_default_queue": "default",
    "celery_default_queue": "default",
    "task_queues": "declared",
    "celery_task_queues": "declared",
    "celery_queues": "declared",
    "task_routes": "routed",
    "celery_task_routes": "routed",
    "celery_routes": "routed",
}
_NAME = re.compile(r"[\w.:@/-]+")
_BOUNDS = [
    f"{before}{name}" for before in ("worker_", "celeryd_")
    for name in ("concurrency", "pool", "autoscaler")
]  # fmt: skip
BOUNDS = sieve(followed=dict.fromkeys([*_BOUNDS, *map(str.upper, _BOUNDS)], r"\b"))
"""What says how many processes a worker has, or that they are none."""


def queues_of(module: Module) -> Iterator[tuple[Kind, ast.expr, str]]:
    """Yield the queues that settings name, each with where; ``""`` is one not known here.

    Which queue a route has where its name is not known does not matter, so that it is not named.
    """
    for setting, value in settings(module):
        if kind := _QUEUES.get(setting.lower()):
            for node, name in _READ[kind](_resolved(module, value)):
                yield kind, node, name


def settings(module: Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield what may be settings in a file: what is assigned, given to a call, or in a mapping."""
    for node in module.nodes:
        match node:
            case (
                ast.Assign(targets=[target], value=value)
                | ast.AnnAssign(target=target, value=ast.expr() as value)
            ):
                pairs = [(_called(target), value)]
            case ast.Call(keywords=keywords):
                pairs = [(each.arg, each.value) for each in keywords]
            case ast.Dict(keys=keys, values=values):
                pairs = [(_text(key), value) for key, value in zip(keys, values, strict=True)]
            case _:
                continue
        yield from ((name, value) for name, value in pairs if name)


def _called(target: ast.expr) -> str:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=key):
            return _text(key)
        case _:
            return ""


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _resolved(module: Module, value: ast.expr) -> ast.expr:
    """Return what a name of the module stands for."""
    if isinstance(value, ast.Name):
        for node in module.tree.body:
            if isinstance(node, ast.Assign) and value.id in map(_called, node.targets):
                return node.value
    return value


def queue_name(node: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    """Yield a queue's name, if it is one that a command line can hold."""
    if is_queue(_text(node)):
        yield node, _text(node)


def is_queue(text: str) -> bool:
    """Tell if a text can be a queue's name on a command line."""
    return _NAME.fullmatch(text) is not None


def _known(node: ast.expr) -> tuple[ast.expr, str]:
    return node, next((name for _, name in queue_name(node)), "")


def _default(value: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    yield _known(value)


def _queues(value: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    """Yield the queues of ``task_queues``: a list of them, or a mapping by their names."""
    match value:
        case ast.Constant(value=None):
            pass
        case ast.Dict(keys=keys):
            yield from (_known(key or value) for key in keys)
        case ast.List(elts=several) | ast.Tuple(elts=several) | ast.Set(elts=several):
            for each in several:
                given = each.args[:1] if isinstance(each, ast.Call) else []
                if isinstance(each, ast.Call):
                    given += [keyword.value for keyword in each.keywords if keyword.arg == "name"]
                yield _known(given[0] if given else each)
        case _:
            yield value, ""


def _routes(value: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    """Yield the queues of ``task_routes``: by mappings, pairs, or lists of either."""
    match value:
        case ast.Dict(values=routes):
            for route in routes:
                yield from _route(route)
        case ast.Tuple(elts=[ast.Constant(), (ast.Dict() | ast.Constant()) as route]):
            yield from _route(route)
        case ast.List(elts=several) | ast.Tuple(elts=several):
            for each in several:
                yield from _routes(each)
        case _:
            pass


def _route(route: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    """Yield the queue of one route: its name alone, or in a mapping."""
    if isinstance(route, ast.Dict):
        for key, value in zip(route.keys, route.values, strict=True):
            if _text(key) == "queue":
                yield from queue_name(value)
    else:
        yield from queue_name(route)


_READ = {"default": _default, "declared": _queues, "routed": _routes}
