"""The workers that a web app of Python starts in its own process.

From a hook of its start, or beside the call that serves; made there, or some imports away.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence

from stoker.sidecar.detect.manifests import directory
from stoker.sidecar.detect.source import Site
from stoker.sidecar.detect.source.python_modules import Module, PythonSource, full_name
from stoker.sidecar.detect.source.python_sites import script_sites
from stoker.sidecar.detection import Embedded

_SERVES = re.compile(
    r"\bapp\.run\(|uvicorn\.(run|Server)\(|run_app\(|socketio\.run\(|\bserve\(|"
    r"\b(start|run)_polling\(|\b(bot|client)\.run\("
)
"""A web server, or a bot: what the project is there for."""
_HOOK = re.compile(
    r"\b(FastAPI|Flask|Starlette|Litestar|Sanic|Quart)\(|def lifespan\b|on_event\(|on_startup|"
    r"before_serving|server_start\b|def (post_fork|when_ready)\(|def ready\(self"
)
_DEDICATED = re.compile(
    r"(^|[/_])(workers?|consumer)(_main|_settings)?\.py$|/workers?/__main__\.py$"
)
_ROUTE = re.compile(r"\.(get|post|put|patch|delete|route|websocket|task|command|cli)\b|\bcommand\b")
_LIFESPAN = re.compile(r"\buse_server_lifespan\s*=\s*([\w.]+)")
_DEFINES = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_FARTHEST = 3
"""How many imports are followed from the app to the worker."""

Makers = Mapping[str, Sequence[Site]]


def serves(source: PythonSource, path: str) -> bool:
    """Tell if a file runs a web server when it is run."""
    return _SERVES.search(source.project.text(path)) is not None


def started(source: PythonSource) -> Iterator[Embedded]:
    """Yield the workers that web apps start."""
    yield from _with_litestar(source)
    makers = {path: sites for path in source.modules if (sites := list(script_sites(source, path)))}
    for path, module in source.modules.items() if makers else ():
        text = source.project.text(path)
        if (_HOOK.search(text) or _SERVES.search(text)) and not _DEDICATED.search(path):
            site = _site(source, makers, path, _at_start(module), 0)
            if site is not None:
                reason = "the web app starts the worker in its own process"
                dir = source.module_name(path)[1]
                yield Embedded(site.framework, dir, reason, (site.evidence,))


def _with_litestar(source: PythonSource) -> Iterator[Embedded]:
    """Yield SAQ where its plug-in runs the workers with Litestar's own server."""
    plugin = source.manifests.has("litestar-saq")
    for path in source.paths if plugin is not None else ():
        found = _LIFESPAN.search(source.project.text(path))
        if plugin and found and (found[1] == "True" or is_on(source, found[1]) is True):
            reason = "the plug-in runs the workers with the server"
            yield Embedded("saq", plugin.dir, reason, (plugin.evidence,))
            return


def _site(
    source: PythonSource, makers: Makers, path: str, body: Sequence[ast.AST], far: int
) -> Site | None:
    """Return where statements of a file make a worker, themselves or by what they call."""
    module = source.modules[path]
    nodes = list(_run(source, module, body))
    lines = {node.lineno for node in nodes if isinstance(node, ast.Call)}
    for site in makers.get(path, ()):
        if site.line in lines:
            return site
    stems = {stem for each in makers for stem in each.removesuffix(".py").split("/")[-2:]}
    names = {full_name(module, n) for n in nodes if isinstance(n, ast.Name | ast.Attribute)}
    for name in sorted(each for each in names if stems & set(each.split("."))):
        for called in _called(source, name, path) if far < _FARTHEST else ():
            site = _site(source, makers, *called, far + 1)
            if site is not None:
                return site
    return None


def _run(source: PythonSource, module: Module, body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Yield what runs with the app: no routes, no commands, nothing that is switched off."""
    defined = {node.name: node for node in ast.walk(module.tree) if isinstance(node, _DEFINES)}
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, _DEFINES) and any(
            _ROUTE.search(ast.unparse(each)) for each in node.decorator_list
        ):
            continue
        if isinstance(node, ast.If) and _is_off(source, module, node.test):
            waiting += node.orelse
            continue
        yield node
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Name) and node.id in defined:
            waiting.append(defined.pop(node.id))


def _at_start(module: Module) -> list[ast.AST]:
    """Return what a file runs by itself, and the hooks that a framework calls."""
    return [
        node for node in module.tree.body
        if not isinstance(node, _DEFINES) or _HOOK.search(ast.unparse(node))
    ]  # fmt: skip


def _is_off(source: PythonSource, module: Module, test: ast.expr) -> bool:
    """Tell if a condition does not hold, as the app is deployed by default."""
    text = ast.unparse(test)
    if "__name__" in text:
        return not serves(source, module.path)
    if isinstance(test, ast.UnaryOp) or re.search(r"argv|args\b|TYPE_CHECKING|sys\.", text):
        return "not " not in text
    if any(isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value
           for each in getattr(test, "comparators", [])):  # fmt: skip
        return True  # one of several things that it can be told to be
    names = re.findall(r"[A-Za-z_]\w{3,}", text)
    return any(is_on(source, name) is False for name in names if name not in ("settings", "config"))


def is_on(source: PythonSource, name: str) -> bool | None:
    """Return what a setting is by default, ``None`` where nothing says so."""
    last = name.rpartition(".")[2]
    value = re.compile(
        rf"""\b{last}\b\s*(?::\s*[\w\[\]| ]+)?=\s*(?:\w+\(\s*)?(?:default\s*=\s*)?(True|False)\b"""
        rf"""|["']{last}["']\s*,\s*["']?(\w+)""",
        re.IGNORECASE,
    )
    for path in source.paths:
        text = source.project.text(path)
        found = value.search(text) if last in text or last.upper() in text else None
        if found:
            return (found[1] or found[2]).lower() in ("true", "1", "yes", "on")
    return None


def _called(source: PythonSource, name: str, path: str) -> Iterator[tuple[str, Sequence[ast.AST]]]:
    """Yield what runs of the file that a name is imported from: itself, and the name's own."""
    bases = (source.module_name(path)[1], directory(path))
    tried = (source.find(name, base) for base in dict.fromkeys(bases))
    found = next((each for each in tried if each and each[0] in source.modules), None)
    if found is None or found[0] == path:
        return
    module = source.modules[found[0]]
    parts = found[0].removesuffix(".py").removesuffix("/__init__").split("/")
    words = name.split(".")
    rest = words[len(words) - words[::-1].index(parts[-1]) :] if parts[-1] in words else []
    defined = {node.name: node for node in module.tree.body if isinstance(node, _DEFINES)}
    member = rest[0] if rest else ""
    made = next((each.call for each in module.assigned if each.name == member), "")
    node = defined.get(member) or defined.get(made)
    yield found[0], [each for each in module.tree.body if not isinstance(each, _DEFINES)]
    if node is not None:
        yield found[0], node.body
