"""One file of Python, by its own grammar (``ast``): what it imports, calls and makes."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec

from stoker.sidecar.detection import Evidence
from stoker.sidecar.project import Project

_RUNS = re.compile(r"(?:asyncio|anyio)\.run|.*\.run_until_complete")
_FLASK_EXTENSION = re.compile(r"^flask\.ext\.")
"""How extensions of Flask were imported before 1.0: ``flask.ext.rq`` is ``flask_rq``."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Assigned(msgspec.Struct, frozen=True):
    """A name of a module that holds an object of a framework."""

    path: str
    line: int
    name: str
    call: str
    """What made it: ``Celery``, ``rq.Worker``, ``create_celery``."""
    text: str

    def evidence(self, note: str) -> tuple[Evidence, ...]:
        """Return the place."""
        return (Evidence(self.path, self.line, self.text, note),)


class Module(msgspec.Struct):
    """One file."""

    path: str
    tree: ast.Module
    nodes: list[ast.AST]
    """All of the tree: it is walked once."""
    names: dict[str, str]
    """Local name → what it was imported as: ``Celery`` → ``celery.Celery``."""
    calls: list[tuple[str, ast.Call]] = []
    """Each with the full name of what is called."""
    defined: dict[str, Definition] = {}
    assigned: list[Assigned] = []
    functions: set[str] = set()
    """Those that it defines itself."""
    factories: set[str] = set()
    """Those of them that make a Celery app inside."""
    hueys: set[str] = set()
    """And those that make a Huey."""
    brokers: set[str] = set()
    """And those that make a broker of taskiq, or have it made."""


def parse(project: Project, path: str, text: str) -> Module | None:
    """Return a file of the project's, unless it is not to be parsed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # of another version of Python, or a template: no fault of the project
    nodes = _walk(tree)
    module = Module(path, tree, nodes, dict(_local_names(nodes)))
    module.calls = [
        (full_name(module, node.func), node) for node in nodes if isinstance(node, ast.Call)
    ]
    module.defined = {node.name: node for node in nodes if isinstance(node, Definition)}
    last = ((name.rpartition(".")[2], call) for name, call in module.calls)
    making: dict[ast.AST, str] = {
        call: name for name, call in last if name == "Celery" or name.endswith("Huey")
    }
    _collect(project, module, tree.body, making)
    module.brokers = _brokers(module) if "taskiq" in text else set()
    return module


def returning(module: Module, makers: set[str]) -> set[str]:
    """Return the functions of a file that return what one of ``makers`` makes."""
    made = {call for full, call in module.calls if full.rpartition(".")[2] in makers}
    found: set[str] = set()
    for function in module.tree.body if made else ():
        if not isinstance(function, ast.FunctionDef):
            continue
        nodes = list(ast.walk(function))
        held = {
            target.id
            for node in nodes
            if isinstance(node, ast.Assign) and _call_in(node.value) in made
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        given = (node.value for node in nodes if isinstance(node, ast.Return) and node.value)
        if any(_call_in(each) in made or (isinstance(each, ast.Name) and each.id in held)
               for each in given):  # fmt: skip
            found.add(function.name)
    return found


def _brokers(module: Module) -> set[str]:
    """Return the functions that make a broker of taskiq, themselves or by one that does."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    inside = {
        node.name: {full for full, call in module.calls if node.lineno <= call.lineno <= end}
        for node in module.tree.body
        if isinstance(node, functions) and (end := node.end_lineno)
    }
    made = {f for f, _ in module.calls if re.fullmatch(r"taskiq.*(?<!InMemory)Broker", f)}
    found: set[str] = set()
    while more := {name for name in inside.keys() - found if inside[name] & (made | found)}:
        found |= more
    return found


def _walk(tree: ast.AST) -> list[ast.AST]:
    """Return all nodes in the order of ``ast.walk``, in half of its time."""
    nodes = [tree]
    for node in nodes:  # it grows meanwhile
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                nodes.append(value)
            elif isinstance(value, list):
                nodes += [each for each in cast(list[Any], value) if isinstance(each, ast.AST)]
    return nodes


def _local_names(nodes: Sequence[ast.AST]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            home = _FLASK_EXTENSION.sub("flask_", node.module)
            for alias in node.names:
                yield alias.asname or alias.name, f"{home}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                yield alias.asname or first, alias.name if alias.asname else first


def _collect(
    project: Project, module: Module, body: Sequence[ast.stmt], making: Mapping[ast.AST, str]
) -> None:
    """Note what the statements of a module assign and define; those of its branches, too.

    ``making``: the calls that make an app of Celery, or a Huey.
    """
    for node in body:
        if isinstance(node, ast.Assign):
            module.assigned += _assigned(project, module, node.targets, node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            module.assigned += _assigned(project, module, [node.target], node.value)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            module.functions.add(node.name)
            made = {making[each] for each in ast.walk(node) if each in making} if making else ()
            if "Celery" in made:
                module.factories.add(node.name)
            if any(name.endswith("Huey") for name in made):
                module.hueys.add(node.name)
        elif isinstance(node, ast.If | ast.Try | ast.With):
            _collect(project, module, node.body, making)
            if isinstance(node, ast.If):
                _collect(project, module, node.orelse, making)


def _assigned(
    project: Project, module: Module, targets: Sequence[ast.expr], value: ast.expr
) -> Iterator[Assigned]:
    call = _call_in(value)
    made = full_name(module, call.func) if call else ""
    if call and call.args and isinstance(call.args[0], ast.Call) and _RUNS.fullmatch(made):
        made = full_name(module, call.args[0].func)  # what the coroutine returns
    if _is_extension(value):
        made = "celery.Celery"
    for target in targets:
        if isinstance(target, ast.Name):
            text = project.line(module.path, target.lineno)
            yield Assigned(module.path, target.lineno, target.id, made, text)


def _is_extension(value: ast.expr) -> bool:
    """Tell if it is Flask's way to keep Celery's app: ``app.extensions["celery"]``."""
    return (
        isinstance(value, ast.Subscript)
        and isinstance(value.value, ast.Attribute)
        and value.value.attr == "extensions"
        and isinstance(value.slice, ast.Constant)
        and value.slice.value == "celery"
    )


def _call_in(value: ast.expr) -> ast.Call | None:
    """Return the call that makes a value; of a chain (``Broker(…).with_backend(…)``) the first."""
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        inner = value.func.value
        if not isinstance(inner, ast.Call):
            break
        value = inner
    if isinstance(value, ast.IfExp):
        return _call_in(value.body)
    return value if isinstance(value, ast.Call) else None


def full_name(module: Module, node: ast.expr) -> str:
    """Return what a name of a file is in full, as it was imported."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ".".join(["?", *reversed(parts)]) if parts else ""
    parts.append(module.names.get(node.id, node.id))
    return ".".join(reversed(parts))


def strings_in(node: ast.expr) -> Iterator[str]:
    """Yield all texts that are written in an expression."""
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value
