"""Where an object is made that a command names: modules pass it on under names of their own."""

from __future__ import annotations

import ast
import re

from stoker.sidecar.detect.source.python_imports import imported
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_parsing import Module

_FURTHEST = 6
"""Modules that pass an object on to each other: more than anybody has, unless they go round."""


def origin(source: PythonSource, app: str, dir: str) -> str:
    """Return the file and the name of the object of ``package.module:name``, if both are known."""
    parts = re.split(r"[.:]", app)
    found = source.find(app, dir)
    if found is None or _length(*found) == len(parts):
        return ""  # it names a module: which of its objects is meant is the framework's to say
    path, name = found[0], parts[-1]
    for _ in range(_FURTHEST):
        module = source.module(path)
        if module is None:
            return ""
        name = _renamed(module, name)
        given = next((each for each in imported(source, path) if each[1] and each[2] == name), None)
        if given is None:
            return f"{path}:{name}"
        path, name = given[:2]
    return ""


def _length(path: str, root: str) -> int:
    """Return of how many names a module's own consists, seen from where imports start."""
    module = path.removesuffix(".py").removesuffix("/__init__")
    return len(module.split("/")) - (0 if root == "." else len(root.split("/")))


def _renamed(module: Module, name: str) -> str:
    """Return what a name of a module was called before: ``app = shared_app``."""
    for node in module.tree.body:
        match node:
            case ast.Assign([ast.Name(target)], ast.Name(value)) if target == name:
                return value
            case _:
                pass
    return name
