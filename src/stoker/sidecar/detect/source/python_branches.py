"""What a Python program runs for its first argument: the branch, and the functions that it calls.

``python manage.py worker`` and ``python main.py api`` are one file, and two processes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from stoker.sidecar.detect.source.python_parsing import Module
from stoker.sidecar.detect.source.python_written import as_source

Functions = dict[str, ast.FunctionDef | ast.AsyncFunctionDef]


def reached(module: Module, arguments: Sequence[str], function: str = "") -> list[ast.stmt] | None:
    """Return the statements that run for ``arguments``; ``None`` if the program does not ask.

    With a ``function``, as console scripts name it, what this runs.
    """
    functions = _functions(module)
    for argument in arguments:
        body = _branch(module, functions, argument)
        if body is not None:
            return _with_called(body, functions)
    if function in functions:
        return _with_called(functions[function].body, functions)
    return None


def for_others(module: Module) -> list[ast.stmt]:
    """Return the statements that a program runs for one argument or another, but not without.

    Those of its commands as well, where it has several: ``run`` is none of what ``work`` does.
    """
    found: list[ast.stmt] = []
    commands = [f for f in _functions(module).values() if any(map(_command, f.decorator_list))]
    if len(commands) > 1:
        found += [statement for function in commands for statement in function.body]
    for node in module.nodes:
        if isinstance(node, ast.If) and _asks(node.test) and any(_compared(node.test)):
            found += node.body
        elif isinstance(node, ast.Match) and _asks(node.subject):
            found += [s for case in node.cases if any(_constants(case.pattern)) for s in case.body]
    return _with_called(found, _functions(module))


def _asks(node: ast.expr) -> bool:
    return re.search(r"argv|arg|cmd|command|mode|role|action", as_source(node)) is not None


def names_in(statements: Sequence[ast.stmt]) -> set[str]:
    """Return the names that statements use."""
    return {
        node.id
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Name)
    }


def _functions(module: Module) -> Functions:
    return {
        node.name: node
        for node in module.nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def _branch(module: Module, functions: Functions, argument: str) -> list[ast.stmt] | None:
    for node in module.nodes:
        if isinstance(node, ast.If) and argument in _compared(node.test):
            return node.body
        if isinstance(node, ast.match_case) and argument in _constants(node.pattern):
            return node.body
    for function in functions.values():
        if any(_is_command(each, function.name, argument) for each in function.decorator_list):
            return function.body
    return None


def _compared(test: ast.expr) -> Iterator[str]:
    for node in ast.walk(test):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.In):
            yield from _constants(node)


def _constants(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def _is_command(decorator: ast.expr, name: str, argument: str) -> bool:
    """Tell if a decorator of click or typer makes a function the command of this name."""
    if not _command(decorator):
        return False
    given = list(_constants(decorator))[:1] if isinstance(decorator, ast.Call) else []
    return argument in (given or [name, name.replace("_", "-")])


def command_around(module: Module, line: int) -> tuple[str, ...]:
    """Return the words after a program for the command of a group that a line belongs to.

    Click, Typer and Flask name a command after its function, with dashes; Flask-Script as it is.
    A function that is the whole program (``@click.command()``) needs none.
    """
    for function in module.nodes:
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not function.lineno <= line <= (function.end_lineno or 0):
            continue
        for decorator in filter(_command, function.decorator_list):
            call = decorator.func if isinstance(decorator, ast.Call) else decorator
            group = call.value if isinstance(call, ast.Attribute) else call
            if isinstance(group, ast.Name) and group.id == "click":
                continue
            given = list(_constants(decorator))[:1] if isinstance(decorator, ast.Call) else []
            dashed = isinstance(decorator, ast.Call)
            return tuple(given) or (function.name.replace("_", "-") if dashed else function.name,)
    return ()


def _command(decorator: ast.expr) -> bool:
    call = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(call, ast.Attribute) and call.attr == "command"


def _with_called(body: Sequence[ast.stmt], functions: Functions) -> list[ast.stmt]:
    """Return statements and those of the functions of the same file that they use."""
    found = list(body)
    seen: set[str] = set()
    waiting = names_in(body)
    while waiting:
        name = waiting.pop()
        if name in functions and name not in seen:
            seen.add(name)
            found += functions[name].body
            waiting |= names_in(functions[name].body)
    return found
