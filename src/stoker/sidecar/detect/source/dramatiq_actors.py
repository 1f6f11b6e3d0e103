"""Dramatiq's actors: functions with its decorator, and objects of its classes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_parsing import Module, full_name
from stoker.sidecar.detect.source.python_written import as_source

_DECORATED = re.compile(
    r"^[ \t]*@(?:\w+\.)*actor\b|^\w+\s*(?::[^=\n]+)?=\s*(?:\w+\.)*actor\(", re.MULTILINE
)
_TAKEN_AS = re.compile(r"^[ \t]*from\s+dramatiq[\w.]*\s+import\s[^#\n]*\bactor as (\w+)", re.M)
_ACTOR = frozenset({"dramatiq.Actor", "dramatiq.actor.Actor"})
_GENERIC = frozenset({"dramatiq.GenericActor", "dramatiq.generic.GenericActor"})
"""Of each class that extends it an actor is made, if it does not say that it is abstract."""
_FURTHEST = 4
"""Classes that extend each other: more than anybody has."""


def actors(source: PythonSource) -> dict[str, int]:
    """Return the files that make actors when they are imported, each with the first one's line."""
    found: dict[str, int] = {}
    for path, line in (*_decorated(source), *_of_classes(source)):
        found[path] = min(line, found.get(path, line))
    return {path: found[path] for path in source.paths if path in found}


def _decorated(source: PythonSource) -> Iterator[tuple[str, int]]:
    for path in source.speaking_of("dramatiq"):
        text = source.project.text(path)
        taken = _TAKEN_AS.search(text)
        at = _DECORATED.search(text) or (
            re.search(rf"^[ \t]*@{taken[1]}\b", text, re.MULTILINE) if taken else None
        )
        if at:
            yield path, text.count("\n", 0, at.start()) + 1


def _of_classes(source: PythonSource) -> Iterator[tuple[str, int]]:
    """Yield the files that make an object of ``Actor``, or of a class that extends it."""
    if not any(source.speaking_of("dramatiq")):
        return
    made: dict[str, bool] = {}
    """The project's own classes of actors, and whether each makes one by itself."""
    modules: list[Module] = []
    for _ in range(_FURTHEST):
        spoken = re.compile(rf"\b(?:{'|'.join(['(?:Generic)?Actor', *made])})\b".encode())
        found = map(source.module, source.project.telling(source.paths, spoken))
        modules = [module for module in found if module is not None]
        more = dict(each for module in modules for each in _extending(module, made))
        if more.keys() <= made.keys():
            break
        made |= more
    yield from (each for module in modules for each in _made(module, made))


def _extending(module: Module, made: dict[str, bool]) -> Iterator[tuple[str, bool]]:
    for node in _classes(module):
        kinds = [kind for base in node.bases if (kind := _kind(module, base, made)) is not None]
        if kinds:
            yield node.name, any(kinds)


def _made(module: Module, made: dict[str, bool]) -> Iterator[tuple[str, int]]:
    """Yield where a file makes an actor: a class that is one by itself, or an object."""
    for node in _classes(module):
        kinds = [_kind(module, base, made) for base in node.bases]
        if True in kinds and not _is_abstract(node):
            yield module.path, node.lineno
    for node in module.tree.body:
        match node:
            case (
                ast.Assign(value=ast.Call(func=called))
                | ast.AnnAssign(value=ast.Call(func=called))
                | ast.Expr(value=ast.Call(func=called))
            ) if _kind(module, called, made) is not None:
                yield module.path, node.lineno
            case _:
                pass


def _kind(module: Module, node: ast.expr, made: dict[str, bool]) -> bool | None:
    """Return whether a class of actors makes one by itself; ``None`` if it is none of actors."""
    plain = node.value if isinstance(node, ast.Subscript) else node
    full = full_name(module, plain)
    if full in _ACTOR or full in _GENERIC:
        return full in _GENERIC
    return made.get(full.rpartition(".")[2])


def _classes(module: Module) -> Iterator[ast.ClassDef]:
    return (node for node in module.tree.body if isinstance(node, ast.ClassDef))


def _is_abstract(node: ast.ClassDef) -> bool:
    metas = [each for each in node.body if isinstance(each, ast.ClassDef) and each.name == "Meta"]
    return any("abstract = True" in as_source(each) for each in metas)
