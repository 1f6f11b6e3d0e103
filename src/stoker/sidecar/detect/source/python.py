"""Python, by its own grammar (``ast``): nothing is imported."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence

import msgspec

from stoker.sidecar.detect.packages import Manifests, directory
from stoker.sidecar.detect.source import Inferred, Site, Sources, merged_queues
from stoker.sidecar.detect.written import is_aside
from stoker.sidecar.detection import Evidence, Role
from stoker.sidecar.project import Project

_TELLING = re.compile(
    r"\w*[cC]elery\w*\(|Celery|worker_main|dramatiq\.(cli|[Ww]orker)|\b(from|import) rq\b|"
    r"django_rq|"
    r"Huey\(|huey\.consumer|\barq\b|WorkerSettings|redis_settings|\bsaq\b|taskiq|procrastinate|"
    r"\bStoker\(|faktory|bullmq|while True|while 1:|while not "
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


class Module(msgspec.Struct):
    """One file."""

    path: str
    tree: ast.Module
    names: dict[str, str]
    """Local name → what it was imported as: ``Celery`` → ``celery.Celery``."""
    assigned: list[Assigned]
    factories: set[str]
    """Functions that make a Celery app inside."""


class PythonSource:
    """All of a project's Python."""

    def __init__(self, project: Project, manifests: Manifests) -> None:
        self.project, self.manifests = project, manifests
        self.paths = [path for path in project.suffixed("py") if not is_aside(path)]
        self.imports: dict[str, int] = {}
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

    def module_name(self, path: str) -> tuple[str, str]:
        """Return how a file is imported, and the directory that this is relative to."""
        parts = path.removesuffix(".py").split("/")
        if parts[-1] == "__init__":
            parts.pop()
        for at in range(len(parts)):
            if ".".join(parts[at:]) in self.imports and len(parts) - at > 1:
                return ".".join(parts[at:]), "/".join(parts[:at]) or "."
        at = len(parts) - 1
        while at > 0 and f"{'/'.join(parts[:at])}/__init__.py" in self.project.files:
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
                at = base
        return ".".join(parts[at:]), "/".join(parts[:at]) or "."

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
                        length > 1 or base in bases or len(parts) > 1 or not is_aside(path)
                    ):
                        return path, base
        return None

    # ---- programs ------------------------------------------------------------------------------

    def program(self, path: str, *, follow: bool) -> tuple[str | None, tuple[Site, ...]]:
        """Return the framework that a script works for, and where; also in what it imports."""
        seen: set[str] = set()
        waiting = [path]
        while waiting and len(seen) < 40:
            current = waiting.pop(0)
            if current in seen:
                continue
            seen.add(current)
            sites = tuple(self.script_sites(current))
            if sites:
                return sites[0].framework, sites
            if follow and current in self.modules and len(seen) < 12:
                waiting += self._imported_files(current)
        return None, ()

    def _imported_files(self, path: str) -> Iterator[str]:
        for name in set(self.modules[path].names.values()):
            found = self.find(name, directory(path))
            if found is not None and re.search(r"worker|queue|job|task|consum", found[0]):
                yield found[0]

    def script_sites(self, path: str) -> Iterator[Site]:
        module = self.modules.get(path)
        if module is None:
            return
        for call in (node for node in ast.walk(module.tree) if isinstance(node, ast.Call)):
            full = _full(module, call.func)
            framework = _SCRIPTS.get(full)
            if (
                framework is None
                and full.endswith((".worker_main", ".Worker"))
                and "celery" in self.project.text(path).lower()
            ):
                framework = "celery"
            if framework is not None:
                queues = tuple(_names_in(module, call)) if framework in ("rq", "faktory") else ()
                yield Site(
                    framework, path, call.lineno, _line(self.project, path, call.lineno), queues
                )


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
    module = Module(path, tree, names, [], set())
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
                        made = _full(module, call.func) if call else ""
                        module.assigned.append(
                            Assigned(
                                module.path,
                                node.lineno,
                                target.id,
                                made,
                                _line(project, module.path, node.lineno),
                            )
                        )
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                if any(
                    isinstance(inner, ast.Call)
                    and _full(module, inner.func).rpartition(".")[2] == "Celery"
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


def _full(module: Module, node: ast.expr) -> str:
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
                        yield from _strings(each.value)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _strings(node: ast.expr) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def _line(project: Project, path: str, line: int) -> str:
    lines = project.lines(path)
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""


# ---- frameworks ---------------------------------------------------------------------------------


def infer(source: PythonSource) -> Sources:
    """Return the processes that the source asks for."""
    found = Sources()
    for infer_one in (_celery, _django, _rq, _dramatiq, _huey, _arq, _saq, _taskiq, _procrastinate,
                      _stoker, _faktory, _loops):  # fmt: skip
        found.inferred += infer_one(source)
    return found


def _assigned(source: PythonSource, *calls: str) -> Iterator[Assigned]:
    for module in source.modules.values():
        for each in module.assigned:
            if each.call.rpartition(".")[2] in calls:
                yield each


def _evidence(each: Assigned, note: str) -> tuple[Evidence, ...]:
    return (Evidence(each.path, each.line, each.text[:200], note),)


def _celery(source: PythonSource) -> list[Inferred]:
    best: dict[str, tuple[tuple[int, ...], Inferred]] = {}
    for each in _assigned(source, "Celery", *source.factories):
        module, dir = source.module_name(each.path)
        name = each.path.rpartition("/")[2]
        app = (
            module.removesuffix(".celery")
            if name == "celery.py" and "." in module
            else f"{module}.{each.name}"
        )
        words = ("celery", "-A", app, "worker", "--loglevel=info")
        uses = source.imports.get(module, 0) + source.imports.get(f"{module}.{each.name}", 0)
        late = any(
            each.name in text
            for text in (source.project.text(each.path).partition("autodiscover_tasks")[1:2])
        )
        score = (
            1 if re.search(r"celery|worker", name) else 0,
            1 if each.call.rpartition(".")[2] != "Celery" else 0,
            uses, int(late), -each.path.count("/"),
        )  # fmt: skip
        package = source.manifests.package_of(each.path, "python")
        key = package.dir if package else "."
        inferred = Inferred(
            "celery", "worker", words, dir, "python", _evidence(each, "the Celery app"), app
        )
        if key not in best or score > best[key][0]:
            best[key] = (score, inferred)
    found = [inferred for _, inferred in best.values()]
    return found + [_beat(source, each) for each in found if _has_schedule(source)]


_SCHEDULE = re.compile(
    r"beat_schedule|CELERYBEAT_SCHEDULE|CELERY_BEAT_SCHED|add_periodic_task|django_celery_beat"
)


def _has_schedule(source: PythonSource) -> bool:
    return any(
        _SCHEDULE.search(source.project.text(path))
        for path in source.paths
    )  # fmt: skip


def _beat(source: PythonSource, worker: Inferred) -> Inferred:
    words = ("celery", "-A", worker.app, "beat", "--loglevel=info")
    return msgspec.structs.replace(worker, role="scheduler", words=words)


_DJANGO = (
    ("rq", r"""["']django_rq["']""", "rqworker"),
    ("huey", r"""["']huey\.contrib\.djhuey["']""", "run_huey"),
    ("dramatiq", r"""["']django_dramatiq["']""", "rundramatiq"),
    ("procrastinate", r"""["']procrastinate\.contrib\.django["']""", "procrastinate worker"),
)


def _django(source: PythonSource) -> list[Inferred]:
    manage = next((p for p in source.project.named("manage.py") if not is_aside(p)), None)
    if manage is None:
        return []
    found: list[Inferred] = []
    for framework, pattern, command in _DJANGO:
        for path in source.paths:
            at = (
                re.search(pattern, source.project.text(path))
                if "settings" in path or "conf" in path
                else None
            )
            if at is None:
                continue
            queues = _rq_queues(source.project.text(path)) if framework == "rq" else ()
            words = ("python", "manage.py", *command.split(), *queues)
            line = source.project.text(path).count("\n", 0, at.start()) + 1
            evidence = (Evidence(path, line, at[0], "an installed app"),)
            found.append(
                Inferred(
                    framework, "worker", words, directory(manage), "python", evidence, "", queues
                )
            )
            break
    return found


def _rq_queues(text: str) -> tuple[str, ...]:
    at = re.search(r"RQ_QUEUES\s*=\s*\{", text)
    if at is None:
        return ("default",)
    return tuple(
        re.findall(
            r"""^(?: {4}|\t)["']([\w.-]+)["']\s*:\s*""",
            text[at.end() : at.end() + 4_000].partition("\n}")[0],
            re.M,
        )
    ) or ("default",)


def _rq(source: PythonSource) -> list[Inferred]:
    found: list[Inferred] = []
    for path in source.modules:
        text = source.project.text(path)
        sites = (
            [s for s in source.script_sites(path) if s.framework == "rq"]
            if ".work(" in text or "worker" in text
            else []
        )
        if sites and ".work(" in text:
            found.append(_script(source, "rq", path, sites))
    if found or not source.manifests.has("rq", "flask-rq", "flask-rq2", language="python"):
        return found
    if source.manifests.has("django-rq"):
        return []
    queues: dict[str, Assigned | None] = {}
    for path, module in source.modules.items():
        for call in (node for node in ast.walk(module.tree) if isinstance(node, ast.Call)):
            if _full(module, call.func) in ("rq.Queue", "rq.queue.Queue"):
                names = [
                    a.value
                    for a in call.args[:1]
                    if isinstance(a, ast.Constant) and isinstance(a.value, str)
                ]
                line = _line(source.project, path, call.lineno)
                queues[names[0] if names else "default"] = Assigned(
                    path, call.lineno, "", "rq.Queue", line
                )
    if not queues:
        return []
    each = next(iter(queues.values()))
    assert each is not None
    _, dir = source.module_name(each.path)
    names = tuple(sorted(queues))
    return [
        Inferred(
            "rq",
            "worker",
            ("rq", "worker", *names),
            dir,
            "python",
            _evidence(each, "a queue of RQ"),
            "",
            names,
        )
    ]


def _script(source: PythonSource, framework: str, path: str, sites: Sequence[Site]) -> Inferred:
    module, dir = source.module_name(path)
    package = source.manifests.package_of(path, "python")
    base = package.dir if package else "."
    if "." in module and f"{directory(path)}/__init__.py" in source.project.files:
        words, where = ("python", "-m", module), dir
    else:
        relative = path if base == "." else path.removeprefix(f"{base}/")
        words, where = ("python", relative), base
    return Inferred(
        framework,
        "worker",
        words,
        where,
        "python",
        tuple(s.evidence for s in sites[:2]),
        path,
        merged_queues(sites),
    )


def _dramatiq(source: PythonSource) -> list[Inferred]:
    if source.manifests.has("django-dramatiq"):
        return []
    actors: dict[str, int] = {}
    setters: dict[str, int] = {}
    for path in source.paths:
        text = source.project.text(path)
        if "dramatiq" not in text:
            continue
        at = re.search(r"@(?:dramatiq\.)?actor\b", text)
        if at:
            actors[path] = text.count("\n", 0, at.start()) + 1
        at = re.search(r"set_broker\(", text)
        if at:
            setters[path] = text.count("\n", 0, at.start()) + 1
    if not actors:
        return []
    both = [path for path in actors if path in setters]
    paths = both[:1] or sorted(actors)[:8]
    names = [source.module_name(path) for path in paths]
    words = ("dramatiq", *(name for name, _ in names))
    path = paths[0]
    evidence = (Evidence(path, actors[path], _line(source.project, path, actors[path]), "actors"),)
    return [Inferred("dramatiq", "worker", words, names[0][1], "python", evidence, names[0][0])]


def _single(
    source: PythonSource, framework: str, calls: tuple[str, ...], shape: str, role: Role = "worker"
) -> list[Inferred]:
    """Return the worker of each object that one of ``calls`` made."""
    found: list[Inferred] = []
    for each in _assigned(source, *calls):
        module, dir = source.module_name(each.path)
        if not all(part.isidentifier() for part in module.split(".")):
            continue  # a copy that nobody can import
        words = tuple(shape.format(module=module, name=each.name).split())
        uses = source.imports.get(module, 0)
        evidence = _evidence(each, f"made by {each.call}")
        found.append(
            Inferred(
                framework,
                role,
                words,
                dir,
                "python",
                evidence,
                f"{module}:{each.name}",
                confidence=0.6 + min(uses, 9) / 100,
            )
        )
    found.sort(key=lambda each: -each.confidence)
    return found[:1]


def _huey(source: PythonSource) -> list[Inferred]:
    if any("huey.contrib.djhuey" in source.project.text(path) for path in source.paths):
        return []
    calls = (
        "Huey",
        "RedisHuey",
        "SqliteHuey",
        "PriorityRedisHuey",
        "RedisExpireHuey",
        "FileHuey",
        "MiniHuey",
        "PriorityRedisExpireHuey",
    )
    return _single(source, "huey", calls, "huey_consumer {module}.{name}")


def _arq(source: PythonSource) -> list[Inferred]:
    found: list[Inferred] = []
    for path, module in source.modules.items():
        if "arq" not in source.project.text(path) and "WorkerSettings" not in source.project.text(
            path
        ):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef) and _is_arq(node):
                name, dir = source.module_name(path)
                evidence = (Evidence(path, node.lineno, f"class {node.name}", "arq's settings"),)
                queue = next(
                    (
                        s
                        for a in node.body
                        if isinstance(a, ast.Assign)
                        and any(isinstance(t, ast.Name) and t.id == "queue_name" for t in a.targets)
                        for s in _strings(a.value)
                    ),
                    "",
                )
                count = next(
                    (
                        a.value.value
                        for a in node.body
                        if isinstance(a, ast.Assign)
                        and any(isinstance(t, ast.Name) and t.id == "max_jobs" for t in a.targets)
                        and isinstance(a.value, ast.Constant)
                        and isinstance(a.value.value, int)
                    ),
                    None,
                )
                found.append(
                    Inferred(
                        "arq",
                        "worker",
                        ("arq", f"{name}.{node.name}"),
                        dir,
                        "python",
                        evidence,
                        f"{name}.{node.name}",
                        (queue,) if queue else (),
                        count,
                    )
                )
    return found


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


def _saq(source: PythonSource) -> list[Inferred]:
    if source.manifests.has("litestar-saq", "litestar-saq[redis]"):
        at = source.manifests.has("litestar-saq")
        assert at is not None
        return [
            Inferred(
                "saq", "worker", ("litestar", "workers", "run"), at.dir, "python", (at.evidence,)
            )
        ]
    found: list[Inferred] = []
    for path, module in source.modules.items():
        for node in module.tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(
                node.value, ast.Dict | ast.Call
            ):
                keys = (
                    {k.value for k in node.value.keys if isinstance(k, ast.Constant)}
                    if isinstance(node.value, ast.Dict)
                    else {k.arg for k in node.value.keywords}
                )
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                if (
                    {"queue", "functions"} <= keys
                    and isinstance(target, ast.Name)
                    and "saq" in source.project.text(path)
                ):
                    name, dir = source.module_name(path)
                    evidence = (
                        Evidence(
                            path,
                            node.lineno,
                            _line(source.project, path, node.lineno),
                            "SAQ's settings",
                        ),
                    )
                    found.append(
                        Inferred(
                            "saq",
                            "worker",
                            ("saq", f"{name}.{target.id}"),
                            dir,
                            "python",
                            evidence,
                            f"{name}.{target.id}",
                        )
                    )
    return found


def _taskiq(source: PythonSource) -> list[Inferred]:
    calls = {
        e.call.rpartition(".")[2]
        for m in source.modules.values()
        if "taskiq" in source.project.text(m.path)
        for e in m.assigned
        if re.search(r"Broker$", e.call)
    }
    workers = (
        _single(source, "taskiq", tuple(calls), "taskiq worker -fsd {module}:{name}")
        if calls
        else []
    )
    return workers + _single(
        source, "taskiq", ("TaskiqScheduler",), "taskiq scheduler -fsd {module}:{name}", "scheduler"
    )


def _procrastinate(source: PythonSource) -> list[Inferred]:
    if any("procrastinate.contrib.django" in source.project.text(path) for path in source.paths):
        return []
    for module in source.modules.values():
        for each in module.assigned:
            if each.call in ("procrastinate.App", "procrastinate.app.App"):
                name, dir = source.module_name(each.path)
                words = ("procrastinate", f"--app={name}.{each.name}", "worker")
                return [
                    Inferred(
                        "procrastinate",
                        "worker",
                        words,
                        dir,
                        "python",
                        _evidence(each, "procrastinate's app"),
                        f"{name}.{each.name}",
                    )
                ]
    return []


def _stoker(source: PythonSource) -> list[Inferred]:
    found = _single(source, "stoker", ("Stoker",), "stoker worker {module}:{name}")
    return [each for each in found if "stoker" in source.project.text(each.evidence[0].path)]


def _faktory(source: PythonSource) -> list[Inferred]:
    found: list[Inferred] = []
    for path in source.modules:
        sites = [
            site for site in source.script_sites(path) if site.framework in ("faktory", "bullmq")
        ]
        if sites:
            found.append(_script(source, sites[0].framework, path, sites))
    return found


def _loops(source: PythonSource) -> list[Inferred]:
    """Return the workers without a framework: a program that loops and sleeps."""
    found: list[Inferred] = []
    for path, module in source.modules.items():
        text = source.project.text(path)
        if not re.search(r"while (True|1|not \w+)|while self\.", text) or "sleep(" not in text:
            continue
        if "/management/commands/" in path:
            manage = next((p for p in source.project.named("manage.py") if not is_aside(p)), None)
            if manage is None:
                continue
            name = path.rpartition("/")[2].removesuffix(".py")
            words, dir = ("python", "manage.py", name), directory(manage)
        elif (
            re.search(r"worker|daemon|consumer|scheduler|poller", path.lower())
            and "__main__" in text
        ):
            inferred = _script(source, "", path, [])
            words, dir = inferred.words, inferred.dir
        else:
            continue
        line = next(
            (node.lineno for node in ast.walk(module.tree) if isinstance(node, ast.While)), 0
        )
        evidence = (Evidence(path, line, _line(source.project, path, line), "a loop that sleeps"),)
        named = re.search(r"(^|[/_])(bg_?)?worker", path) is not None and "/commands/" not in path
        role: Role = "worker" if named else "other"
        sure = 0.5 if named else 0.4
        found.append(Inferred(None, role, words, dir, "python", evidence, path, confidence=sure))
    return found
