"""Celery's tasks that are only declared here, so that they can be sent: others run them.

A task is called by its name. Who gives the name of another project's task to a function that does
nothing can call ``.delay`` on it; the worker that has the work registers the same name.
"""

from __future__ import annotations

import ast
import re
import warnings

from stoker.sidecar.detect.source.python_written import as_source

MAY_BE = re.compile(rb"task\([^)]*\bname\s*=")
"""What makes it worth while to parse a file."""
_REGISTERING = frozenset({"task", "shared_task"})
_LOGGING = re.compile(r"(?:\w*_)?(?:logging|logger|log)\.\w+")


def without_declared(text: str) -> str:
    """Return the text of a module without the tasks that it only declares."""
    if MAY_BE.search(text.encode()) is None:
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text
    lines = text.splitlines(keepends=True)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_declared(node):
            first = min(each.lineno for each in node.decorator_list)
            last = node.end_lineno or node.lineno
            lines[first - 1 : last] = "\n" * (last - first + 1)
    return "".join(lines)


def _is_declared(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(map(_is_named, node.decorator_list)) and all(map(_is_nothing, node.body))


def _is_named(decorator: ast.expr) -> bool:
    """Tell if a decorator registers a task by a name that it is given."""
    return (
        isinstance(decorator, ast.Call)
        and as_source(decorator.func).rpartition(".")[2] in _REGISTERING
        and any(each.arg == "name" for each in decorator.keywords)
    )


def _is_nothing(statement: ast.stmt) -> bool:
    """Tell if a statement does no work: a docstring, ``pass``, a line of a log, ``return True``."""
    match statement:
        case ast.Pass() | ast.Expr(ast.Constant()) | ast.Return(None | ast.Constant()):
            return True
        case ast.Expr(ast.Call(func)):
            return _LOGGING.fullmatch(as_source(func)) is not None
        case ast.Raise(ast.Name("NotImplementedError") | ast.Call(ast.Name("NotImplementedError"))):
            return True
        case _:
            return False
