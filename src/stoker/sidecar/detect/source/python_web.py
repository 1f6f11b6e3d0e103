"""The workers that a web app of Python starts in its own process.

From a hook of its start, or beside the call that serves; made there, or some imports away.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence, Set

import msgspec

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
_SETTING = re.compile(
    r"(?:settings|config|cfg|conf|env|options)(?:\(\))?\.(\w{4,})|\b([A-Z][A-Z0-9_]{3,})\b"
)
_DEFINES = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_MOST = 2_000
"""How many names are followed from an app to its worker."""

Makers = Mapping[str, Sequence[Site]]


def serves(source: PythonSource, path: str) -> bool:
    """Tell if a file runs a web server when it is run."""
    return _SERVES.search(source.project.text(path)) is not None


def started(source: PythonSource) -> Iterator[Embedded]:
    """Yield the workers that web apps start."""
    yield from _with_litestar(source)
    makers = {path: sites for path in source.modules if (sites := list(script_sites(source, path)))}
    off: set[str] = set()
    found = list(_started(source, makers, off)) if makers else []
    yield from found
    # What is switched off by default is a worker all the same, where nothing else runs it.
    known = {each.framework for each in found}
    for each in _started(source, makers, None) if off else ():
        if each.framework not in known:
            reason = f"{each.reason}, if a setting says so"
            yield msgspec.structs.replace(each, reason=reason, asked=True)


def _started(source: PythonSource, makers: Makers, off: set[str] | None) -> Iterator[Embedded]:
    """Yield the workers that web apps start.

    ``off`` takes the settings that keep something from running; without it, none of them does.
    """
    own = {part for path in source.paths for part in path.removesuffix(".py").split("/")}
    for path, module in source.modules.items():
        text = source.project.text(path)
        if (_HOOK.search(text) or _SERVES.search(text)) and not _DEDICATED.search(path):
            site = _site(source, makers, own, set(), path, _at_start(module), off)
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
    source: PythonSource, makers: Makers, own: Set[str], seen: set[str], path: str,
    body: Sequence[ast.AST], off: set[str] | None,
) -> Site | None:  # fmt: skip
    """Return where statements of a file make a worker, themselves or by what they call.

    ``own``: what a module or a package of this project may be called; ``seen``: what was asked.
    """
    module = source.module(path)
    if module is None:
        return None
    nodes = list(_run(source, module, body, off))
    lines = {node.lineno for node in nodes if isinstance(node, ast.Call)}
    for site in makers.get(path, ()):
        if site.line in lines:
            return site
    names = {full_name(module, n) for n in nodes if isinstance(n, ast.Name | ast.Attribute)}
    for name in sorted(names - seen) if len(seen) < _MOST else ():
        seen.add(name)
        if name.partition(".")[0] in own:
            for called in _called(source, makers, name, path):
                site = _site(source, makers, own, seen, *called, off)
                if site is not None:
                    return site
    return None


def _run(
    source: PythonSource, module: Module, body: Sequence[ast.AST], off: set[str] | None
) -> Iterator[ast.AST]:
    """Yield what runs with the app: no routes, no commands, nothing that is switched off."""
    defined = {node.name: node for node in ast.walk(module.tree) if isinstance(node, _DEFINES)}
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, _DEFINES) and any(
            _ROUTE.search(ast.unparse(each)) for each in node.decorator_list
        ):
            continue
        if isinstance(node, ast.If) and _is_off(source, module, node.test, off):
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


def _is_off(source: PythonSource, module: Module, test: ast.expr, off: set[str] | None) -> bool:
    """Tell if a condition does not hold, as the app is deployed by default."""
    text = ast.unparse(test)
    if "__name__" in text:
        return not serves(source, module.path)
    if isinstance(test, ast.UnaryOp) or re.search(r"argv|args\b|TYPE_CHECKING|sys\.", text):
        return "not " not in text
    if any(isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value
           for each in getattr(test, "comparators", [])):  # fmt: skip
        return True  # one of several things that it can be told to be
    if off is None:
        return False
    names = [one or other for one, other in _SETTING.findall(text)]
    found = [name for name in names if is_on(source, name) is False]
    off.update(found)
    return bool(found)


def is_on(source: PythonSource, name: str) -> bool | None:
    """Return what a setting is by default, ``None`` where nothing says so."""
    last = name.rpartition(".")[2]
    value = re.compile(
        rf"""{last}\b\s*(?::\s*[\w\[\]| ]+)?=\s*(?:\w+\(\s*)?(?:default\s*=\s*)?(True|False)\b"""
        rf"""|{last}["']\s*,\s*["']?(\w+)""",
        re.IGNORECASE,
    )
    for path in source.paths:
        text = source.project.text(path)
        found = value.search(text) if last in text or last.upper() in text else None
        if found:
            return (found[1] or found[2]).lower() in ("true", "1", "yes", "on")
    return None


def _leads(source: PythonSource, makers: Makers, path: str) -> bool:
    """Tell if a file makes workers, or may import one that does: it has its name somewhere."""
    text = source.project.text(path)
    stems = (each.removesuffix(".py").removesuffix("/__init__").split("/")[-1] for each in makers)
    return path in source.modules or any(stem in text for stem in stems)


def _file(source: PythonSource, name: str, path: str) -> tuple[str, str]:
    """Return the file of an import, and what is imported of it: nothing is searched."""
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


def _called(
    source: PythonSource, makers: Makers, name: str, path: str
) -> Iterator[tuple[str, Sequence[ast.AST]]]:
    """Yield what runs of the file that a name is imported from: itself, and the name's own."""
    found, member = _file(source, name, path)
    module = source.module(found) if found != path and _leads(source, makers, found) else None
    if module is None:
        return
    defined = {node.name: node for node in module.tree.body if isinstance(node, _DEFINES)}
    made = next((each.call for each in module.assigned if each.name == member), "")
    node = defined.get(member) or defined.get(made)
    yield found, [each for each in module.tree.body if not isinstance(each, _DEFINES)]
    if node is not None:
        yield found, node.body
