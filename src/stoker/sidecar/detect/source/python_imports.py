"""What the imports of Python lead to: files of the project; nothing is searched for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from stoker.sidecar.detect.manifests import directory
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_written import as_source

Import = tuple[str, str, str]
"""A file, what is imported of it (nothing: itself), and how that is called here."""


def file_of(source: PythonSource, name: str, path: str) -> tuple[str, str]:
    """Return the file of a name that ``path`` imports, and what is imported of it."""
    parts = name.split(".")
    for base in dict.fromkeys((source.module_name(path)[1], directory(path), ".")):
        for length in range(len(parts), 0, -1):
            start = (
                "/".join(parts[:length]) if base == "." else f"{base}/{'/'.join(parts[:length])}"
            )
            for each in (f"{start}.py", f"{start}/__init__.py"):
                if each in source.project.files:
                    return each, next(iter(parts[length:]), "")
    return "", ""


def imported(source: PythonSource, path: str) -> Iterator[Import]:
    """Yield what a file imports of its own project when it is imported itself."""
    module = source.module(path)
    for node in _at_once(module.tree.body) if module else ():
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for alias in node.names:
            name = alias.name
            if isinstance(node, ast.ImportFrom):
                name = ".".join(filter(None, (_package(node, path), node.module, alias.name)))
            file, member = file_of(source, name, path)
            if file:
                yield file, member, alias.asname or alias.name


def loaded_by(source: PythonSource, paths: Iterable[str]) -> frozenset[str]:
    """Return the files that importing these loads, however far; these included."""
    found: dict[str, None] = dict.fromkeys(paths)
    waiting = list(found)
    while waiting:
        for file, _, _ in imported(source, waiting.pop()):
            if file not in found:
                found[file] = None
                waiting.append(file)
    return frozenset(found)


def _at_once(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run on import: none of functions, or for a type checker."""
    for node in body:
        yield node
        if isinstance(node, ast.If) and re.search(r"TYPE_CHECKING|__name__", as_source(node.test)):
            yield from _at_once(node.orelse)
        elif isinstance(node, ast.If | ast.Try):
            yield from _at_once([*node.body, *node.orelse])
        elif isinstance(node, ast.With):
            yield from _at_once(node.body)


def _package(node: ast.ImportFrom, path: str) -> str:
    """Return the package that a relative import starts from."""
    parts = directory(path).split("/") if directory(path) != "." else []
    return ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
