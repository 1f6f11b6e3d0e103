"""All of a project's Python: its modules, how they are imported, what they make; nothing is run."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import PurePosixPath

from stoker.sidecar.detect.manifests import Manifests, directory, python_name
from stoker.sidecar.detect.source import Site
from stoker.sidecar.detect.source.python_parsing import Assigned, Module, parse, returning
from stoker.sidecar.detect.spotting import sieve
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
    },
)  # fmt: skip
"""What makes it worth while to parse a file: most that only define tasks are not parsed."""
_STARTING = sieve("subprocess", "os.system", "os.popen", "os.spawn", begun=("execv", "execl"))
_COMMAND = re.compile(
    rb"""["'](?:[^"'\n]*[\s/{}])?(?:celery|dramatiq|huey_consumer|rq|arq|saq|taskiq|procrastinate)\b"""
)
"""What starts a process, and the name of a command: such a file is worth it, too."""
_TESTS = re.compile(r"(^|/)(conftest|tests|test_\w+|\w+_test)\.py$")
_MAY_BE_TOLD = sieve("celery", "huey", "broker")
_LIBRARIES = [[name] for each in FRAMEWORKS.values() for name in each.packages.get("python", ())]
"""What no module of a project can be called alone: importing it would be importing the library."""
_FROM_IMPORT = re.compile(rb"from\s+([\w.\x80-\xff]+)\s+import\s+([^\n#]+)")
_IMPORT = re.compile(rb"import\s+([\w.\x80-\xff]+)")
"""Found by their words, and then asked what stands before them: most lines import nothing."""


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
        starting = project.telling(project.telling(self.paths, _STARTING), _COMMAND)
        for path in dict.fromkeys([*project.telling(self.paths, _TELLING), *starting]):
            if re.fullmatch(r"[\w/.-]*?\w+\.py", path):
                module = parse(project, path, project.text(path))
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
                module = parse(self.project, path, text)
                if module is not None:
                    self.modules[path] = module

    def _pass_on(self) -> bool:
        """Note the functions that return an app of Celery that another one made; tell if any do."""
        hueys = self._passing_on(self.hueys)
        for path, names in hueys.items():
            self.modules[path].hueys |= names
        more_hueys = set[str]().union(*hueys.values()) - self.hueys
        self.hueys |= more_hueys
        known = self.factories
        named = self._passing_on({"Celery"})
        for path, names in named.items():
            self.modules[path].factories |= names
        self.factories = known | set[str]().union(*named.values())
        return self.factories != known or bool(more_hueys)

    def _passing_on(self, makers: set[str]) -> dict[str, set[str]]:
        """Return the functions of each file that return what one of ``makers``, or they, make."""
        if not makers:
            return {}
        makers = set(makers)
        named: dict[str, set[str]] = {}
        while True:
            named = {path: returning(m, makers) for path, m in self.modules.items()}
            more = set[str]().union(*named.values()) - makers
            if not more:
                break
            makers |= more
        return named

    def module(self, path: str) -> Module | None:
        """Return a file that tells nothing itself, and may lead from one that does to another."""
        if path not in self.modules and path not in self._passing:
            self._passing[path] = parse(self.project, path, self.project.text(path))
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
