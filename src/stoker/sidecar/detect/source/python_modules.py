"""Python's modules, by its own grammar (``ast``): what they import and make; nothing is run."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import PurePosixPath

import msgspec

from stoker.sidecar.detect.grammar import recognise
from stoker.sidecar.detect.packages import Manifests, directory, python_name
from stoker.sidecar.detect.source import Site
from stoker.sidecar.detection import Evidence, Role
from stoker.sidecar.project import Project

_TELLING = re.compile(
    r"\w*[cC]elery\w*\(|Celery|worker_main|dramatiq\.(cli|[Ww]orker)|\b(from|import) rq\b|"
    r"django_rq|"
    r"Huey\(|huey\.consumer|\barq\b|WorkerSettings|redis_settings|\bsaq\b|taskiq|procrastinate|"
    r"\bStoker\(|faktory|bullmq|while True|while 1:|while not |"
    r"subprocess\.\w+\([^)]*\b(celery|dramatiq|huey|rq)\b"
)
"""What makes it worth while to parse a file: most that only define tasks are not parsed."""
_IMPORTED = re.compile(r"^\s*(?:from\s+([\w.]+)\s+import\s+([^\n#]+)|import\s+([\w.]+))", re.M)


class Assigned(msgspec.Struct, frozen=True):
    """A name of a module that holds an object of a framework."""

    path: str
    line: int
    name: str
    call: str
    """What made it: ``Celery``, ``rq.Worker``, ``create_celery``."""
    text: str

    def evidence(self, note: str) -> tuple[Evidence, ...]:
        """Return the place."""
        return (Evidence(self.path, self.line, self.text[:200], note),)


class Module(msgspec.Struct):
    """One file."""

    path: str
    tree: ast.Module
    names: dict[str, str]
    """Local name → what it was imported as: ``Celery`` → ``celery.Celery``."""
    assigned: list[Assigned]
    functions: set[str]
    """Those that it defines itself."""
    factories: set[str]
    """Those of them that make a Celery app inside."""


class PythonSource:
    """All of a project's Python."""

    def __init__(self, project: Project, manifests: Manifests) -> None:
        self.project, self.manifests = project, manifests
        self.paths = [path for path in project.suffixed("py") if not self.project.is_aside(path)]
        self.imports: dict[str, int] = {}
        self._roots: dict[str, int] = {}
        self.modules: dict[str, Module] = {}
        for path in self.paths:
            text = project.text(path)
            if not text:
                continue
            for found in _IMPORTED.finditer(text):
                name = found[1] or found[3]
                self.imports[name] = self.imports.get(name, 0) + 1
                for each in re.findall(r"\w+", found[2] or ""):
                    self.imports[f"{name}.{each}"] = self.imports.get(f"{name}.{each}", 0) + 1
            if _TELLING.search(text) and re.fullmatch(r"[\w/.-]*?\w+\.py", path):
                module = _parse(project, path, text)
                if module is not None:
                    self.modules[path] = module
        self.factories = {name for m in self.modules.values() for name in m.factories}
        self._parse_more()

    @cached_property
    def manage(self) -> str | None:
        """Return Django's ``manage.py``, if there is one."""
        found = self.project.named("manage.py")
        return next((path for path in found if not self.project.is_aside(path)), None)

    def _parse_more(self) -> None:
        """Parse also what gets its Celery app of a function of another file."""
        called = re.compile(rf"\b({'|'.join(self.factories)})\(")
        for path in self.paths if self.factories else ():
            text = self.project.text(path)
            if path not in self.modules and "celery" in text and called.search(text):
                module = _parse(self.project, path, text)
                if module is not None:
                    self.modules[path] = module

    def made_by(self, *calls: str) -> Iterator[Assigned]:
        """Yield the objects of modules that one of ``calls`` makes, by their last names."""
        for module in self.modules.values():
            for each in module.assigned:
                if each.call.rpartition(".")[2] in calls:
                    yield each

    def module_name(self, path: str) -> tuple[str, str]:
        """Return how a file is imported, and the directory that this is relative to."""
        parts = path.removesuffix(".py").split("/")
        if parts[-1] == "__init__":
            parts.pop()
        for at in range(len(parts)):
            if ".".join(parts[at:]) in self.imports and len(parts) - at > 1:
                return ".".join(parts[at:]), "/".join(parts[:at]) or "."
        at = len(parts) - 1
        lowest = self._root_depth(directory(path)) if at else 0
        while at > lowest and f"{'/'.join(parts[:at])}/__init__.py" in self.project.files:
            at -= 1
        package = self.manifests.package_of(path, "python")
        if package is not None and at == len(parts) - 1 and at:
            base = 0 if package.dir == "." else package.dir.count("/") + 1
            if parts[base : base + 1] == ["src"]:
                base += 1
            if (
                base < len(parts)
                and len(parts) - base > 1
                and ".".join(parts[at:]) not in self.imports
            ):
                at = max(base, lowest)
        return ".".join(parts[at:]), "/".join(parts[:at]) or "."

    def _root_depth(self, dir: str) -> int:
        """Return how deep the directory lies that a package's own absolute imports start from."""
        if dir not in self._roots:
            found = {name.partition(".")[0] for name in self._absolute(dir)}
            parents = [str(parent) for parent in PurePosixPath(dir).parents][:-1]
            depths = [
                parent.count("/") + 1
                for parent in parents
                if any(
                    f"{parent}/{name}{tail}" in self.project.files
                    for name in found
                    for tail in (".py", "/__init__.py")
                )
            ]
            self._roots[dir] = max(depths, default=0)
        return self._roots[dir]

    def _absolute(self, dir: str) -> Iterator[str]:
        """Yield what the files of a directory import that may be of this project."""
        for path in self.paths:
            if directory(path) == dir:
                for each in _IMPORTED.finditer(self.project.text(path)):
                    name = each[1] or each[3]
                    first = name.partition(".")[0]
                    if (
                        first
                        and first not in sys.stdlib_module_names
                        and not self._is_foreign(first)
                    ):
                        yield name

    def _is_foreign(self, name: str) -> bool:
        return self.manifests.has(python_name(name), language="python") is not None

    def find(self, dotted: str, dir: str) -> tuple[str, str] | None:
        """Return the file of ``package.module`` (or of a longer path into it) and its root."""
        parts = re.split(r"[.:]", dotted)
        bases = [dir] if dir == "." else [dir, f"{dir}/src", "."]
        bases += ["src"] if "." in bases else []
        deeper = sorted(d for d in self.project.dirs if dir == "." or d.startswith(f"{dir}/"))
        for length in range(len(parts), 0, -1):
            tail = "/".join(parts[:length])
            for base in [*bases, *(deeper if len(deeper) < 3_000 else ())]:
                prefix = "" if base == "." else f"{base}/"
                for path in (f"{prefix}{tail}.py", f"{prefix}{tail}/__init__.py"):
                    if path in self.project.files and (
                        length > 1
                        or base in bases
                        or len(parts) > 1
                        or not self.project.is_aside(path)
                    ):
                        return path, base
        return None

    # ---- programs ------------------------------------------------------------------------------

    def program(self, path: str, *, follow: bool) -> tuple[Site, ...]:
        """Return where a script makes workers; also in what it imports, if that is followed."""
        seen: set[str] = set()
        waiting = [path]
        while waiting and len(seen) < 40:
            current = waiting.pop(0)
            if current in seen:
                continue
            seen.add(current)
            sites = tuple(self.every_site(current) if follow else self.script_sites(current))
            if sites:
                return sites
            if follow and current in self.modules and len(seen) < 12:
                waiting += self._imported_files(current)
        return ()

    def _imported_files(self, path: str) -> Iterator[str]:
        for name in set(self.modules[path].names.values()):
            found = self.find(name, directory(path))
            if found is not None and re.search(r"worker|queue|job|task|consum", found[0]):
                yield found[0]

    def script_sites(self, path: str) -> Iterator[Site]:
        """Yield where a file makes workers in its own process."""
        module = self.modules.get(path)
        if module is None:
            return
        for call in _calls(module):
            full = full_name(module, call.func)
            framework = _SCRIPTS.get(full)
            if (
                framework is None
                and full.endswith((".worker_main", ".Worker"))
                and "celery" in self.project.text(path).lower()
            ):
                framework = "celery"
            if framework is not None:
                queues = tuple(_names_in(module, call)) if framework in ("rq", "faktory") else ()
                yield self._site(path, call, framework, queues)

    def every_site(self, path: str) -> Iterator[Site]:
        """Yield where a file makes workers, or starts them by their command."""
        yield from self.script_sites(path)
        module = self.modules.get(path)
        if module is None:
            return
        for call in _calls(module):
            if _STARTS.fullmatch(full_name(module, call.func)):
                launch = recognise(tuple(_words_of(call)), {})
                if launch is not None:
                    yield self._site(path, call, launch.framework, launch.queues, launch.role)

    def _site(
        self, path: str, call: ast.Call, framework: str, queues: tuple[str, ...],
        role: Role = "worker",
    ) -> Site:  # fmt: skip
        text = line_of(self.project, path, call.lineno)
        return Site(framework, path, call.lineno, text, queues, None, role)


_STARTS = re.compile(r"subprocess\.(run|call|Popen|check_call)|os\.(exec[lv]p?e?|system)")


def _calls(module: Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))


def _words_of(call: ast.Call) -> Iterator[str]:
    """Yield the words of a command that a call is given, as a list or as one string."""
    for argument in call.args:
        given = argument.elts if isinstance(argument, ast.List | ast.Tuple) else [argument]
        for each in given:
            if isinstance(each, ast.Constant) and isinstance(each.value, str):
                yield from each.value.split() if len(given) == 1 else (each.value,)


_SCRIPTS = {
    name: framework
    for framework, names in {
        "rq": (
            "rq.Worker",
            "rq.worker.Worker",
            "rq.SimpleWorker",
            "rq.worker.SimpleWorker",
            "rq.worker_pool.WorkerPool",
            "rq.Connection",
            "rq.worker.HerokuWorker",
            "django_rq.get_worker",
            "rq.cli.worker",
        ),
        "faktory": ("faktory.Worker",),
        "arq": ("arq.run_worker", "arq.worker.run_worker", "arq.Worker", "arq.worker.Worker",),
        "dramatiq": ("dramatiq.Worker", "dramatiq.cli.main", "dramatiq.worker.Worker",),
        "saq": ("saq.Worker", "saq.worker.Worker",),
        "huey": ("huey.consumer.Consumer",),
        "bullmq": ("bullmq.Worker",),
        "procrastinate": ("procrastinate.App.run_worker",),
    }.items()
    for name in names
}  # fmt: skip


def _parse(project: Project, path: str, text: str) -> Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # of another version of Python, or a template: no fault of the project
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.asname and alias.name
                ) or alias.name.partition(".")[0]
    module = Module(path, tree, names, [], set(), set())
    _collect(project, module)
    return module


def _collect(project: Project, module: Module) -> None:
    def visit(body: Sequence[ast.stmt], function: str) -> None:
        for node in body:
            targets: list[ast.expr] = []
            value: ast.expr | None = None
            if isinstance(node, ast.Assign):
                targets, value = node.targets, node.value
            elif isinstance(node, ast.AnnAssign):
                targets, value = [node.target], node.value
            if value is not None and not function:
                for target in targets:
                    if isinstance(target, ast.Name):
                        call = _call_in(value)
                        made = full_name(module, call.func) if call else ""
                        module.assigned.append(
                            Assigned(
                                module.path,
                                node.lineno,
                                target.id,
                                made,
                                line_of(project, module.path, node.lineno),
                            )
                        )
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                module.functions.add(node.name)
                if any(
                    isinstance(inner, ast.Call)
                    and full_name(module, inner.func).rpartition(".")[2] == "Celery"
                    for inner in ast.walk(node)
                ):
                    module.factories.add(node.name)
            elif isinstance(node, ast.If | ast.Try | ast.With):
                visit(node.body, function)
                if isinstance(node, ast.If):
                    visit(node.orelse, function)

    visit(module.tree.body, "")


def _call_in(value: ast.expr) -> ast.Call | None:
    """Return the call that makes a value; of a chain (``Broker(…).with_backend(…)``) the first."""
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        inner = value.func.value
        if not isinstance(inner, ast.Call):
            break
        value = inner
    if isinstance(value, ast.IfExp):
        return _call_in(value.body)
    return value if isinstance(value, ast.Call) else None


def full_name(module: Module, node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ".".join(["?", *reversed(parts)]) if parts else ""
    parts.append(module.names.get(node.id, node.id))
    return ".".join(reversed(parts))


def _names_in(module: Module, call: ast.Call) -> Iterator[str]:
    """Yield the queue names that a call is given, literally or by the name of a list."""
    for argument in [
        *call.args,
        *(keyword.value for keyword in call.keywords if keyword.arg == "queues"),
    ]:
        for node in ast.walk(argument):
            if isinstance(node, ast.Name):
                for each in module.tree.body:
                    if (
                        isinstance(each, ast.Assign)
                        and isinstance(each.value, ast.List | ast.Tuple)
                        and any(isinstance(t, ast.Name) and t.id == node.id for t in each.targets)
                    ):
                        yield from strings_in(each.value)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def strings_in(node: ast.expr) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def line_of(project: Project, path: str, line: int) -> str:
    lines = project.lines(path)
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""
