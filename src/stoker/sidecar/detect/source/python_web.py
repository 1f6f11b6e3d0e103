"""The workers that a web app of Python starts in its own process.

From a hook of its start, or beside the call that serves; made there, or some imports away.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

import msgspec

from stoker.sidecar.detect.source import Site
from stoker.sidecar.detect.source.python_imports import file_of
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_parsing import Definition, Module, full_name
from stoker.sidecar.detect.source.python_sites import every_site
from stoker.sidecar.detect.source.python_written import as_source
from stoker.sidecar.detection import Embedded

_SERVES = re.compile(
    r"app(?<!\wapp)\.run\(|uvicorn\.(?:run|Server)\(|run_app\(|socketio\.run\(|"
    r"serve(?<!\wserve)\(|start(?<!\wstart)_polling\(|run(?<!\wrun)_polling\(|"
    r"bot(?<!\wbot)\.run\(|client(?<!\wclient)\.run\(|demo(?<!\wdemo)\.launch\("
)
"""A web server, or a bot: what the project is there for."""
_HOOK = re.compile(
    r"FastAPI(?<!\wFastAPI)\(|Flask(?<!\wFlask)\(|Starlette(?<!\wStarlette)\(|"
    r"Litestar(?<!\wLitestar)\(|Sanic(?<!\wSanic)\(|Quart(?<!\wQuart)\(|"
    r"falcon(?<!\wfalcon)\.(?:asgi\.)?(?:API|App)\(|web(?<!\wweb)\.Application\(|"
    r"def lifespan\b|on_event\(|"
    r"on_startup|before_serving|server_start\b|main_process_(?:start|ready)\b|"
    r"def (?:on_starting|when_ready|post_fork|post_worker_init)\(|def ready\(self"
)
_DEDICATED = re.compile(
    r"(^|[/_])(workers?|consumer)(_main|_settings)?\.py$|/workers?/__main__\.py$"
)
_ROUTE = re.compile(r"\.(get|post|put|patch|delete|route|websocket|task|command|cli)\b|\bcommand\b")
_LIFESPAN = re.compile(r"use_server_lifespan(?<!\wuse_server_lifespan)\s*=\s*([\w.]+)")
_SETTING = re.compile(
    r"(?:settings|config|cfg|conf|env|options)(?:\(\))?\.(\w{4,})|\b([A-Z][A-Z0-9_]{3,})\b"
)
_MOST = 2_000
"""How many names are followed from an app to its worker."""


def serves(source: PythonSource, path: str) -> bool:
    """Tell if a file runs a web server when it is run."""
    return _SERVES.search(source.project.text(path)) is not None


def started(source: PythonSource) -> Iterator[Embedded]:
    """Yield the workers that web apps start."""
    apps = _Apps(source)
    yield from apps.with_litestar()
    yield from apps.with_workers()


class _Apps:
    """What the web apps of a project run in their own process."""

    def __init__(self, source: PythonSource) -> None:
        self.source = source
        sites = {path: tuple(every_site(source, path)) for path in source.modules}
        self.makers = {path: found for path, found in sites.items() if found}
        """The files that make workers, and where."""
        self._settings: dict[str, bool | None] = {}
        self._all_on = False
        """Look at what runs as if every setting was on."""
        self._off: set[str] = set()
        """The settings that keep something from running."""

    def with_workers(self) -> Iterator[Embedded]:
        """Yield the workers that an app starts when it starts, or if it is told to."""
        found = list(self._started())
        yield from found
        # What is switched off by default is a worker all the same, where nothing else runs it.
        known = {each.framework for each in found}
        self._all_on = True
        for each in self._started() if self._off else ():
            if each.framework not in known:
                reason = f"{each.reason}, if a setting says so"
                yield msgspec.structs.replace(each, reason=reason, asked=True)

    def _started(self) -> Iterator[Embedded]:
        for path, module in self.source.modules.items() if self.makers else ():
            text = self.source.project.text(path)
            if (_HOOK.search(text) or _SERVES.search(text)) and not _DEDICATED.search(path):
                site = self._site(path, _at_start(module), set())
                if site is not None:
                    reason = "the web app starts the worker in its own process"
                    dir = self.source.module_name(path)[1]
                    yield Embedded(site.framework, dir, reason, (site.evidence,))

    def with_litestar(self) -> Iterator[Embedded]:
        """Yield SAQ where its plug-in runs the workers with Litestar's own server."""
        plugin = self.source.manifests.has("litestar-saq")
        for path in self.source.paths if plugin is not None else ():
            found = _LIFESPAN.search(self.source.project.text(path))
            if plugin and found and (found[1] == "True" or self._is_on(found[1]) is True):
                reason = "the plug-in runs the workers with the server"
                yield Embedded("saq", plugin.dir, reason, (plugin.evidence,))
                return

    @cached_property
    def _own(self) -> frozenset[str]:
        """What a module or a package of this project may be called."""
        paths = self.source.paths
        return frozenset(part for path in paths for part in path.removesuffix(".py").split("/"))

    def _site(self, path: str, body: Sequence[ast.AST], seen: set[str]) -> Site | None:
        """Return where statements of a file make a worker, themselves or by what they call.

        ``seen``: the names that were followed.
        """
        module = self.source.module(path)
        if module is None:
            return None
        nodes = list(self._run(module, body))
        lines = {node.lineno for node in nodes if isinstance(node, ast.Call)}
        for site in self.makers.get(path, ()):
            if site.line in lines and site.role == "worker":
                return site
        names = {full_name(module, n) for n in nodes if isinstance(n, ast.Name | ast.Attribute)}
        for name in sorted(names - seen) if len(seen) < _MOST else ():
            seen.add(name)
            if name.partition(".")[0] in self._own:
                for called, run in self._called(name, path):
                    site = self._site(called, run, seen)
                    if site is not None:
                        return site
        return None

    def _run(self, module: Module, body: Sequence[ast.AST]) -> Iterator[ast.AST]:
        """Yield what runs with the app: no routes, no commands, nothing that is switched off."""
        defined = dict(module.defined)
        waiting = list(body)
        while waiting:
            node = waiting.pop()
            if isinstance(node, Definition) and any(
                _ROUTE.search(as_source(each)) for each in node.decorator_list
            ):
                continue
            if isinstance(node, ast.If) and self._is_off(module, node.test):
                waiting += node.orelse
                continue
            yield node
            waiting += ast.iter_child_nodes(node)
            if isinstance(node, ast.Name) and node.id in defined:
                waiting.append(defined.pop(node.id))

    def _is_off(self, module: Module, test: ast.expr) -> bool:
        """Tell if a condition does not hold, as the app is deployed by default."""
        text = as_source(test)
        if "__name__" in text:
            return not serves(self.source, module.path)
        if isinstance(test, ast.UnaryOp) or re.search(r"argv|args\b|TYPE_CHECKING|sys\.", text):
            return "not " not in text
        if any(isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value
               for each in getattr(test, "comparators", [])):  # fmt: skip
            return True  # one of several things that it can be told to be
        if self._all_on:
            return False
        names = [one or other for one, other in _SETTING.findall(text)]
        off = [name for name in names if self._is_on(name) is False]
        self._off.update(off)
        return bool(off)

    def _is_on(self, name: str) -> bool | None:
        """Return what a setting is by default, ``None`` where nothing says so."""
        last = name.rpartition(".")[2]
        if last not in self._settings:
            self._settings[last] = _default(self.source, last)
        return self._settings[last]

    def _called(self, name: str, path: str) -> Iterator[tuple[str, Sequence[ast.AST]]]:
        """Yield what runs of the file that a name is imported from: itself, and the name's own."""
        found, member = file_of(self.source, name, path)
        module = self.source.module(found) if found != path and self._leads(found) else None
        if module is None:
            return
        defined = {node.name: node for node in module.tree.body if isinstance(node, Definition)}
        made = next((each.call for each in module.assigned if each.name == member), "")
        node = defined.get(member) or defined.get(made)
        yield found, [each for each in module.tree.body if not isinstance(each, Definition)]
        if node is not None:
            yield found, node.body

    def _leads(self, path: str) -> bool:
        """Tell if a file makes workers, or may import one that does: it has its name somewhere."""
        text = self.source.project.text(path)
        stems = (
            each.removesuffix(".py").removesuffix("/__init__").split("/")[-1]
            for each in self.makers
        )
        return path in self.source.modules or any(stem in text for stem in stems)


def _at_start(module: Module) -> list[ast.AST]:
    """Return what a file runs by itself, the hooks that a framework calls, and what serves."""
    return [node for node in module.tree.body if not isinstance(node, Definition) or _starts(node)]


def _starts(node: Definition) -> bool:
    text = as_source(node)
    serves = not isinstance(node, ast.ClassDef) and _SERVES.search(text) is not None
    return serves or _HOOK.search(text) is not None


def _default(source: PythonSource, setting: str) -> bool | None:
    value = re.compile(
        rf"""{setting}\b\s*(?::\s*[\w\[\]| ]+)?=\s*(?:\w+\(\s*)?(?:default\s*=\s*)?(True|False)\b"""
        rf"""|{setting}["']\s*,\s*["']?(\w+)""",
        re.IGNORECASE,
    )
    for path in source.paths:
        text = source.project.text(path)
        found = value.search(text) if setting in text or setting.upper() in text else None
        if found:
            return (found[1] or found[2]).lower() in ("true", "1", "yes", "on")
    return None
