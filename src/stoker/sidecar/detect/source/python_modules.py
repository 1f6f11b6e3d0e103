"""Python's modules, by its own grammar (``ast``): what they import and make; nothing is run."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, cast

import msgspec

from stoker.sidecar.detect.manifests import Manifests, directory, python_name
from stoker.sidecar.detect.source import Site
from stoker.sidecar.detect.spotting import sieve
from stoker.sidecar.detection import Evidence
from stoker.sidecar.frameworks import FRAMEWORKS
from stoker.sidecar.project import Project, decoded

_TELLING = sieve(
    "Celery", "worker_main", "django_rq", "Huey(", "huey.consumer", "WorkerSettings",
    "redis_settings", "taskiq", "procrastinate", "faktory", "bullmq", "while True", "while 1:",
    "while not", "def lifespan", "on_event(", "on_startup", "before_serving", "server_start",
    "uvicorn.run(", "def ready(self", "extensions[", "run_receiver_task", "get_worker",
    "rq_scheduler", "get_scheduler", "create_consumer", "app.Worker(",
    whole=("from rq", "import rq", "flask_rq", "flask.ext.rq", "arq", "saq"),
    begun=("Stoker(", "FastAPI(", "Flask(", "Starlette(", "Litestar(", "Sanic(", "Quart("),
    followed={
        "await ": r"[\w.]+\.worker\(",
        "celery": r"\w*(?:\.start|\.Worker)?\(",
        "dramatiq.": r"cli|[Ww]orker",
        "subprocess.": r"\w+\([^)]*\b(?:celery|dramatiq|huey|rq)\b",
    },
)  # fmt: skip
"""What makes it worth while to parse a file: most that only define tasks are not parsed."""
_TESTS = re.compile(r"(^|/)(conftest|tests|test_\w+|\w+_test)\.py$")
_MAY_BE_TOLD = sieve("celery", "huey", "broker")
_LIBRARIES = [[name] for each in FRAMEWORKS.values() for name in each.packages.get("python", ())]
"""What no module of a project can be called alone: importing it would be importing the library."""
_RUNS = re.compile(r"(?:asyncio|anyio)\.run|.*\.run_until_complete")
_FROM_IMPORT = re.compile(rb"from\s+([\w.\x80-\xff]+)\s+import\s+([^\n#]+)")
_IMPORT = re.compile(rb"import\s+([\w.\x80-\xff]+)")
"""Found by their words, and then asked what stands before them: most lines import nothing."""

_FLASK_EXTENSION = re.compile(r"^flask\.ext\.")
"""How extensions of Flask were imported before 1.0: ``flask.ext.rq`` is ``flask_rq``."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


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
        return (Evidence(self.path, self.line, self.text, note),)


class Module(msgspec.Struct):
    """One file."""

    path: str
    tree: ast.Module
    nodes: list[ast.AST]
    """All of the tree: it is walked once."""
    names: dict[str, str]
    """Local name → what it was imported as: ``Celery`` → ``celery.Celery``."""
    calls: list[tuple[str, ast.Call]] = []
    """Each with the full name of what is called."""
    defined: dict[str, Definition] = {}
    assigned: list[Assigned] = []
    functions: set[str] = set()
    """Those that it defines itself."""
    factories: set[str] = set()
    """Those of them that make a Celery app inside."""
    hueys: set[str] = set()
    """And those that make a Huey."""
    brokers: set[str] = set()
    """And those that make a broker of taskiq, or have it made."""


class PythonSource:
    """All of a project's Python."""

    def __init__(self, project: Project, manifests: Manifests) -> None:
        self.project, self.manifests = project, manifests
        self.paths = [
            path
            for path in project.suffixed("py")
            if not (self.project.is_aside(path) or _TESTS.search(path))
        ]
        self._roots: dict[str, int] = {}
        self.modules: dict[str, Module] = {}
        for path in project.telling(self.paths, _TELLING):
            if re.fullmatch(r"[\w/.-]*?\w+\.py", path):
                module = _parse(project, path, project.text(path))
                if module is not None:
                    self.modules[path] = module
        self._passing: dict[str, Module | None] = {}
        self.sites: dict[str, tuple[Site, ...]] = {}
        """Where the files make workers, of those that were asked for it."""
        self.factories = {name for m in self.modules.values() for name in m.factories}
        self.hueys = {name for m in self.modules.values() for name in m.hueys}
        self.brokers = {name for m in self.modules.values() for name in m.brokers}
        self._parse_more()
        if self._pass_on():
            self._parse_more()

    def speaking_of(self, word: str) -> Iterator[str]:
        """Yield the files that have a word somewhere."""
        found = word.encode()
        return (path for path in self.paths if found in self.project.data(path))

    @cached_property
    def imports(self) -> Counter[str]:
        """How often each module, and each name of one, is imported."""
        found: Counter[str] = Counter()
        for path in self.paths:
            for name, members in _imported(self.project.data(path)):
                found[name] += 1
                found.update(f"{name}.{each}" for each in re.findall(r"\w+", members))
        return found

    @cached_property
    def manage(self) -> str | None:
        """Return Django's ``manage.py``, if there is one."""
        found = self.project.named("manage.py")
        return next((path for path in found if not self.project.is_aside(path)), None)

    @cached_property
    def arq_settings(self) -> dict[str, list[ast.ClassDef]]:
        """Return the classes that tell arq's worker what to do, by their files."""
        found: dict[str, list[ast.ClassDef]] = {}
        for path, module in self.modules.items():
            text = self.project.text(path)
            if "arq" in text or "WorkerSettings" in text:
                classes = (node for node in module.nodes if isinstance(node, ast.ClassDef))
                found[path] = [node for node in classes if _is_arq(node)]
        return found

    @cached_property
    def stokers(self) -> frozenset[str]:
        """Return what the project's apps of Stoker are called."""
        made = self.made_by("Stoker")
        return frozenset(each.name for each in made if "stoker" in self.project.text(each.path))

    def _parse_more(self) -> None:
        """Parse also what gets its app, its Huey or its broker of a function of another file."""
        makers = self.factories | self.hueys | self.brokers
        called = re.compile(rf"\b({'|'.join(makers)})\(")
        for path in self.project.telling(self.paths, _MAY_BE_TOLD) if makers else ():
            text = self.project.text(path)
            if path not in self.modules and called.search(text):
                module = _parse(self.project, path, text)
                if module is not None:
                    self.modules[path] = module

    def _pass_on(self) -> bool:
        """Note the functions that return an app of Celery that another one made; tell if any do."""
        makers, known = {"Celery"}, self.factories
        returning: dict[str, set[str]] = {}
        while True:
            returning = {path: _returning(m, makers) for path, m in self.modules.items()}
            more = set[str]().union(*returning.values()) - makers
            if not more:
                break
            makers |= more
        for path, names in returning.items():
            self.modules[path].factories |= names
        self.factories = known | (makers - {"Celery"})
        return self.factories != known

    def module(self, path: str) -> Module | None:
        """Return a file that tells nothing itself, and may lead from one that does to another."""
        if path not in self.modules and path not in self._passing:
            self._passing[path] = _parse(self.project, path, self.project.text(path))
        return self.modules.get(path) or self._passing[path]

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
                and (".".join(parts[at:]) not in self.imports or self._is_foreign(parts[at]))
            ):
                at = max(base, lowest)
        if at and parts[at:] in _LIBRARIES:
            at -= 1
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
        for path in self._by_dir.get(dir, ()):
            for name, _ in _imported(self.project.data(path)):
                first = name.partition(".")[0]
                if first and first not in sys.stdlib_module_names and not self._is_foreign(first):
                    yield name

    @cached_property
    def _by_dir(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self.paths:
            found.setdefault(directory(path), []).append(path)
        return found

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


def _is_arq(node: ast.ClassDef) -> bool:
    names = {
        t.id
        for a in node.body
        if isinstance(a, ast.Assign)
        for t in a.targets
        if isinstance(t, ast.Name)
    }
    names |= {
        a.target.id
        for a in node.body
        if isinstance(a, ast.AnnAssign) and isinstance(a.target, ast.Name)
    }
    return bool(names & {"functions", "cron_jobs"}) and (
        "redis_settings" in names or node.name.endswith("WorkerSettings")
    )


def _imported(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the modules that a file imports, each with what it takes of them."""
    for found in _FROM_IMPORT.finditer(data):
        if _begins_line(data, found.start()):
            yield decoded(found[1]), decoded(found[2])
    for found in _IMPORT.finditer(data):
        if _begins_line(data, found.start()):
            yield decoded(found[1]), ""


def _begins_line(data: bytes, at: int) -> bool:
    start = data.rfind(b"\n", 0, at) + 1
    return start == at or data[start:at].isspace()


def _parse(project: Project, path: str, text: str) -> Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # of another version of Python, or a template: no fault of the project
    nodes = _walk(tree)
    module = Module(path, tree, nodes, dict(_local_names(nodes)))
    module.calls = [
        (full_name(module, node.func), node) for node in nodes if isinstance(node, ast.Call)
    ]
    module.defined = {node.name: node for node in nodes if isinstance(node, Definition)}
    last = ((name.rpartition(".")[2], call) for name, call in module.calls)
    making: dict[ast.AST, str] = {
        call: name for name, call in last if name == "Celery" or name.endswith("Huey")
    }
    _collect(project, module, tree.body, making)
    module.brokers = _brokers(module) if "taskiq" in text else set()
    return module


def _returning(module: Module, makers: set[str]) -> set[str]:
    """Return the functions of a file that return what one of ``makers`` makes."""
    made = {call for full, call in module.calls if full.rpartition(".")[2] in makers}
    found: set[str] = set()
    for function in module.tree.body if made else ():
        if not isinstance(function, ast.FunctionDef):
            continue
        nodes = list(ast.walk(function))
        held = {
            target.id
            for node in nodes
            if isinstance(node, ast.Assign) and _call_in(node.value) in made
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        given = (node.value for node in nodes if isinstance(node, ast.Return) and node.value)
        if any(_call_in(each) in made or (isinstance(each, ast.Name) and each.id in held)
               for each in given):  # fmt: skip
            found.add(function.name)
    return found


def _brokers(module: Module) -> set[str]:
    """Return the functions that make a broker of taskiq, themselves or by one that does."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    inside = {
        node.name: {full for full, call in module.calls if node.lineno <= call.lineno <= end}
        for node in module.tree.body
        if isinstance(node, functions) and (end := node.end_lineno)
    }
    made = {f for f, _ in module.calls if re.fullmatch(r"taskiq.*(?<!InMemory)Broker", f)}
    found: set[str] = set()
    while more := {name for name in inside.keys() - found if inside[name] & (made | found)}:
        found |= more
    return found


def _walk(tree: ast.AST) -> list[ast.AST]:
    """Return all nodes in the order of ``ast.walk``, in half of its time."""
    nodes = [tree]
    for node in nodes:  # it grows meanwhile
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                nodes.append(value)
            elif isinstance(value, list):
                nodes += [each for each in cast(list[Any], value) if isinstance(each, ast.AST)]
    return nodes


def _local_names(nodes: Sequence[ast.AST]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            home = _FLASK_EXTENSION.sub("flask_", node.module)
            for alias in node.names:
                yield alias.asname or alias.name, f"{home}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                yield alias.asname or first, alias.name if alias.asname else first


def _collect(
    project: Project, module: Module, body: Sequence[ast.stmt], making: Mapping[ast.AST, str]
) -> None:
    """Note what the statements of a module assign and define; those of its branches, too.

    ``making``: the calls that make an app of Celery, or a Huey.
    """
    for node in body:
        if isinstance(node, ast.Assign):
            module.assigned += _assigned(project, module, node.targets, node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            module.assigned += _assigned(project, module, [node.target], node.value)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            module.functions.add(node.name)
            made = {making[each] for each in ast.walk(node) if each in making} if making else ()
            if "Celery" in made:
                module.factories.add(node.name)
            if any(name.endswith("Huey") for name in made):
                module.hueys.add(node.name)
        elif isinstance(node, ast.If | ast.Try | ast.With):
            _collect(project, module, node.body, making)
            if isinstance(node, ast.If):
                _collect(project, module, node.orelse, making)


def _assigned(
    project: Project, module: Module, targets: Sequence[ast.expr], value: ast.expr
) -> Iterator[Assigned]:
    call = _call_in(value)
    made = full_name(module, call.func) if call else ""
    if call and call.args and isinstance(call.args[0], ast.Call) and _RUNS.fullmatch(made):
        made = full_name(module, call.args[0].func)  # what the coroutine returns
    if _is_extension(value):
        made = "celery.Celery"
    for target in targets:
        if isinstance(target, ast.Name):
            text = project.line(module.path, target.lineno)
            yield Assigned(module.path, target.lineno, target.id, made, text)


def _is_extension(value: ast.expr) -> bool:
    """Tell if it is Flask's way to keep Celery's app: ``app.extensions["celery"]``."""
    return (
        isinstance(value, ast.Subscript)
        and isinstance(value.value, ast.Attribute)
        and value.value.attr == "extensions"
        and isinstance(value.slice, ast.Constant)
        and value.slice.value == "celery"
    )


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


def strings_in(node: ast.expr) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value
