"""The text that a name of Python stands for, where it is one that never changes."""

from __future__ import annotations

import ast

from stoker.sidecar.detect.source.python_imports import imported
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_parsing import Module

_FURTHEST = 4
"""Files that pass a constant on to each other: more than anybody has, unless they go round."""


def text_of(source: PythonSource, module: Module, node: ast.expr) -> str:
    """Return a text: as it stands there, or a constant of a module; nothing if it is neither."""
    return _text_of(source, module, node, 0)


def _text_of(source: PythonSource, module: Module, node: ast.expr, steps: int) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            own = _assigned(module, name)
            if own:
                return _text_of(source, module, own[0], steps + 1) if _is_one(own, steps) else ""
            return _imported(source, module, name, "", steps)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            return _imported(source, module, name, attribute, steps)
        case _:
            return ""


def _is_one(values: list[ast.expr], steps: int) -> bool:
    return len(values) == 1 and steps < _FURTHEST


def _assigned(module: Module, name: str) -> list[ast.expr]:
    """Return what the statements of a module assign to a name."""
    found: list[ast.expr] = []
    for node in module.tree.body:
        match node:
            case ast.Assign(targets=targets, value=value):
                found += [value for each in targets if _is(each, name)]
            case ast.AnnAssign(target=target, value=ast.expr() as value) if _is(target, name):
                found.append(value)
            case _:
                pass
    return found


def _is(target: ast.expr, name: str) -> bool:
    return isinstance(target, ast.Name) and target.id == name


def _imported(source: PythonSource, module: Module, name: str, attribute: str, steps: int) -> str:
    """Return the constant of another file, by its own name or by that file's."""
    if steps >= _FURTHEST or name not in {each.partition(".")[0] for each in module.names}:
        return ""
    for file, member, known in imported(source, module.path):
        if known == name and bool(member) != bool(attribute):
            other = source.module(file)
            constant = ast.Name(member or attribute)
            return _text_of(source, other, constant, steps + 1) if other else ""
    return ""
