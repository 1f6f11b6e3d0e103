"""Which broker a framework of Python is told, where its address is a setting: by its name.

``broker_url = settings.REDIS_URL``: what it holds nobody knows before it runs, but not which kind.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from stoker.sidecar.detect.broker_lines import Vote
from stoker.sidecar.detect.source.celery_settings import settings
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_parsing import Module
from stoker.sidecar.detect.source.python_written import as_source
from stoker.sidecar.detect.spotting import sieve
from stoker.sidecar.detection import BrokerKind, Evidence
from stoker.sidecar.schemes import IN_A_SETTING

_WEIGHT = 500
"""More than all that only speaks of brokers, less than what a worker's own service waits for."""
_NAMES: tuple[tuple[str, BrokerKind], ...] = (
    (r"AMQP|RABBIT", "rabbitmq"),
    (r"REDIS|VALKEY", "redis"),
    (r"POSTGRES|(?<![A-Z])PG_|DATABASE|(?<![A-Z])DB_(?:URL|DSN)", "postgres"),
)
_SETTINGS = ("broker_url", "celery_broker_url")
_QUEUES = frozenset(
    f"saq.{made}" for each in ("Queue", "queue.Queue") for made in (each, f"{each}.from_url")
)
_TELLING = {
    "celery": sieve("Celery", "broker_url", "BROKER_URL"),
    "saq": sieve("saq"),
}  # fmt: skip
_FURTHEST = 4
"""Names of a file that stand for each other: more than anybody has, unless they go round."""


def votes(source: PythonSource, framework: str) -> Iterator[Vote]:
    """Yield the kinds of broker that the settings of a framework are named after.

    Those of the addresses that are written there as well, if it is told nothing else.
    """
    named: list[Vote] = []
    written: list[Vote] = []
    unknown = False
    pattern = _TELLING.get(framework)
    for path in source.project.telling(source.paths, pattern) if pattern else ():
        module = source.module(path)
        for value in _told(module, framework) if module else ():
            meant = _meant(value, _assigned(module)) if module else value
            if isinstance(meant, ast.Constant) and not meant.value:
                continue  # it is told later, or elsewhere
            line = source.project.line(path, value.lineno)
            evidence = Evidence(path, value.lineno, line, "names the broker")
            if kind := _written(meant):
                written.append((_WEIGHT, kind, evidence))
            elif kind := _named(meant):
                named.append((_WEIGHT, kind, evidence))
            else:
                unknown = True
    yield from named
    yield from () if unknown else written


def _told(module: Module, framework: str) -> Iterator[ast.expr]:
    """Yield what a framework is given as the address of its broker."""
    if framework == "saq":
        for full, call in module.calls:
            if full in _QUEUES and call.args:
                yield call.args[0]
        return
    for name, value in settings(module):
        if name.lower() in _SETTINGS:
            yield value
    for full, call in module.calls:
        if full.rpartition(".")[2] == "Celery":
            yield from (each.value for each in call.keywords if each.arg == "broker")
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef) and node.name.lower() in _SETTINGS:
            returned = (each.value for each in ast.walk(node) if isinstance(each, ast.Return))
            yield from (value for value in returned if value is not None)


def _meant(value: ast.expr, assigned: Mapping[str, ast.expr]) -> ast.expr:
    """Return a value, or what its name stands for, if the name itself says nothing."""
    for _ in range(_FURTHEST):
        if not isinstance(value, ast.Name) or _named(value) or value.id not in assigned:
            break
        value = assigned[value.id]
    return value


def _named(value: ast.expr) -> BrokerKind | None:
    """Return the one kind that a value names, if it has no address in it, as a default has."""
    text = as_source(value)
    if any(re.search(pattern, text) for pattern, _ in IN_A_SETTING):
        return None
    kinds: set[BrokerKind] = {k for pattern, k in _NAMES if re.search(pattern, text.upper())}
    return kinds.pop() if len(kinds) == 1 else None


def _written(value: ast.expr) -> BrokerKind | None:
    """Return the kind of an address that is written as one, whatever it has put in."""
    match value:
        case (
            ast.Constant(value=str(text))
            | ast.JoinedStr(values=[ast.Constant(value=str(text)), *_])
        ):
            return next((kind for pattern, kind in IN_A_SETTING if re.match(pattern, text)), None)
        case _:
            return None


def _assigned(module: Module) -> dict[str, ast.expr]:
    """Return what the names of a module stand for, where that is one thing."""
    found: dict[str, list[ast.expr]] = {}
    for node in module.nodes:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                found.setdefault(name, []).append(value)
            case _:
                pass
    return {name: values[0] for name, values in found.items() if len(values) == 1}
