"""The web app that a module of Python makes, and how it is served where nobody wrote that down."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import msgspec

from stoker.sidecar.detect.manifests import Manifests
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_parsing import full_name
from stoker.sidecar.detect.source.python_scripts import is_web
from stoker.sidecar.detection import Evidence

Words = tuple[str, ...]
_ASGI: tuple[tuple[str, Words, Words], ...] = (
    ("uvicorn", ("uvicorn",), ("--factory",)),
    ("hypercorn", ("hypercorn",), ()),
    ("granian", ("granian", "--interface", "asgi"), ("--factory",)),
    ("daphne", ("daphne",), ()),
)
"""A server, its command, and what has it call a function that makes the app."""
_BRINGS = {"uvicorn": ("fastapi[standard]", "fastapi[all]", "litestar[standard]"),
           "hypercorn": ("quart",)}  # fmt: skip
"""What a server is installed with."""
_USUAL = _ASGI[0]
_MADE = {("fastapi", "FastAPI"), ("starlette", "Starlette"), ("litestar", "Litestar"),
         ("quart", "Quart"), ("flask", "Flask")}  # fmt: skip
_CALLED = ("app", "application")


class WebApp(msgspec.Struct, frozen=True):
    """A web app, and the command that serves it."""

    words: Words
    dir: str
    evidence: Evidence
    server: str = ""
    """What no manifest asks for, and the command needs."""


class _Made(msgspec.Struct, frozen=True):
    """A name of a module: an app's, or that of a function that makes one."""

    path: str
    line: int
    name: str
    package: str
    factory: bool


def web_apps(source: PythonSource) -> list[WebApp]:
    """Return the apps that a project's modules make, as far as nothing shows which one is meant."""
    found = list(_made(source))
    ready = [each for each in found if not each.factory] or found
    named = [each for each in ready if each.name in _CALLED]
    ready = named if len(named) == 1 else ready  # the others are mounted in it
    return [served for each in ready if (served := _served(source, each))]


def _made(source: PythonSource) -> Iterator[_Made]:
    for path, module in source.modules.items():
        if not is_web(source, path):
            continue
        makers = {
            node.name: package
            for node in module.tree.body
            if isinstance(node, ast.FunctionDef) and not _asks(node)
            for each in ast.walk(node)
            if isinstance(each, ast.Call) and (package := _package(full_name(module, each.func)))
        }
        for each in module.assigned:
            if package := _package(each.call) or makers.get(each.call, ""):
                yield _Made(path, each.line, each.name, package, factory=False)
        for name, package in makers.items():
            yield _Made(path, module.defined[name].lineno, name, package, factory=True)


def _package(call: str) -> str:
    """Return the framework whose app a call makes; nothing for any other."""
    package, name = call.partition(".")[0], call.rpartition(".")[2]
    return package if (package, name) in _MADE else ""


def _asks(node: ast.FunctionDef) -> bool:
    """Tell if a function cannot be called without arguments."""
    given = node.args
    needed = len(given.posonlyargs) + len(given.args) - len(given.defaults)
    return needed > 0 or None in given.kw_defaults


def _served(source: PythonSource, made: _Made) -> WebApp | None:
    module, dir = source.module_name(made.path)
    if not all(part.isidentifier() for part in module.split(".")):
        return None
    target = f"{module}:{made.name}"
    text = source.project.line(made.path, made.line)
    evidence = Evidence(made.path, made.line, text, "source")
    if made.package == "flask":  # it has a server, which finds out itself what it is given
        return WebApp(("flask", "--app", target, "run"), dir, evidence)
    fitting = [each for each in _ASGI if each[2] or not made.factory]
    known = [each for each in fitting if _installed(each[0], source.manifests)]
    name, words, calling = (known or [_USUAL])[0]
    words = (*words, *(calling if made.factory else ()), target)
    return WebApp(words, dir, evidence, "" if known else name)


def _installed(server: str, manifests: Manifests) -> bool:
    return manifests.has(server, *_BRINGS.get(server, ()), language="python") is not None
