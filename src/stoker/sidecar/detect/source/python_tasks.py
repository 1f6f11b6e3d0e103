"""Which module a worker is given, so that it knows its tasks: importing it has to define them."""

from __future__ import annotations

import re

from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_parsing import Assigned

_FINDS = re.compile(
    r"\binclude\s*=|autodiscover|\bimports\s*=|CELERY_IMPORTS|config_from_object|import_tasks"
)
"""The app finds its tasks by itself."""


def loading_module(source: PythonSource, each: Assigned) -> str:
    """Return the file to load for an app: its own, or the one of tasks that none else imports."""
    text = source.project.text(each.path)
    defines = re.compile(rf"^\s*@(\w+\.)*{re.escape(each.name)}\.\w*task\b", re.MULTILINE)
    if defines.search(text) or "shared_task" in text or _FINDS.search(text):
        return each.path
    module = source.module_name(each.path)[0].rpartition(".")[2]
    taken = re.compile(
        rf"^\s*from\s+[\w.]*\b{re.escape(module)}\s+import\s[^\n]*\b{re.escape(each.name)}\b",
        re.MULTILINE,
    )
    own = [
        path
        for path in source.speaking_of(f"{each.name}.")
        if path != each.path
        and defines.search(other := source.project.text(path))
        and taken.search(other)
    ]
    gathering = [
        path for path in source.paths if own and path not in (each.path, *own)
        and taken.search(other := source.project.text(path)) and _imports_all(other, path, own)
    ]  # fmt: skip
    if gathering:
        return min(gathering, key=lambda path: source.imports[source.module_name(path)[0]])
    if len(own) != 1:
        return each.path
    tasks = own[0].rpartition("/")[2].removesuffix(".py")
    imported = re.search(rf"^\s*(from|import)\s[^\n]*\b{re.escape(tasks)}\b", text, re.MULTILINE)
    return each.path if imported else own[0]


def _imports_all(text: str, path: str, modules: list[str]) -> bool:
    """Tell if a file imports every one of these, or the packages beside it that they are in."""
    lines = " ".join(re.findall(r"^\s*(?:from|import)\s[^\n]*", text, re.MULTILINE))
    beside = path.rpartition("/")[0]
    return all(any(re.search(rf"\b{part}\b", lines) for part in _importable(each, beside))
               for each in modules)  # fmt: skip


def _importable(module: str, beside: str) -> list[str]:
    """Return its own name, and that of the package it is in, if that lies in this directory."""
    inside = not beside or module.startswith(f"{beside}/")
    parts = module.removesuffix(".py").removeprefix(f"{beside}/").split("/")
    return parts[:1] + parts[-1:] if inside else parts[-1:]
