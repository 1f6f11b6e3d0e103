"""What a setting of Python is by default: ``name = Field("mail")``, or ``getenv("N", "mail")``."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from stoker.sidecar.detect.source.python_imports import imported
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_written import as_source

_READS = frozenset({"getenv", "get", "env", "config", "str"})
"""What is given the name of a variable, and then what holds without it."""
_HOLDS = frozenset({"Field", "Queue"})
"""What is given its default, or its own name, first."""


def setting(source: PythonSource, path: str, name: str) -> str:
    """Return the default of an attribute of the settings that a file imports; nothing if unknown.

    Settings are the attributes of a class, or the names of a module.
    """
    files = dict.fromkeys([path, *(file for file, _, _ in imported(source, path))])
    modules = [module for file in files if (module := source.module(file))]
    bodies = [module.tree.body for module in modules]
    bodies += [node.body for module in modules for node in module.tree.body
               if isinstance(node, ast.ClassDef)]  # fmt: skip
    found = {default(value) for body in bodies for value in _assigned(body, name)}
    return found.pop() if len(found) == 1 else ""


def default(value: ast.expr) -> str:
    """Return the text that a value is, if nothing from outside says otherwise."""
    match value:
        case ast.Constant(str(text)):
            return text
        case ast.Call(_, args, keywords):
            called = _called(value)
            named = [each.value for each in keywords if each.arg in ("default", "name")]
            given = named or (
                args[1:2] if called in _READS else args[:1] if called in _HOLDS else []
            )
            return default(given[0]) if given and isinstance(given[0], ast.Constant) else ""
        case _:
            return ""


def variables_in(nodes: Iterable[ast.AST]) -> set[ast.expr]:
    """Return what names the variables that are read, and is no value of theirs."""
    calls = (node for node in nodes if isinstance(node, ast.Call) and node.args)
    return {each.args[0] for each in calls if _called(each) in _READS}


def _called(call: ast.Call) -> str:
    return as_source(call.func).rpartition(".")[2]


def _assigned(body: list[ast.stmt], name: str) -> list[ast.expr]:
    found: list[ast.expr] = []
    for node in body:
        match node:
            case ast.AnnAssign(ast.Name(target), value=ast.expr() as value) if target == name:
                found.append(value)
            case ast.Assign([ast.Name(target)], value) if target == name:
                found.append(value)
            case _:
                pass
    return found
