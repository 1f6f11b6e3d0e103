"""The workers that Python's source asks for, framework by framework."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from stoker.sidecar.detect.packages import directory
from stoker.sidecar.detect.source import Inferred, Site, Sources, celery_apps, merged_queues
from stoker.sidecar.detect.source.python_modules import (
    Assigned,
    PythonSource,
    full_name,
    line_of,
    strings_in,
)
from stoker.sidecar.detection import Embedded, Evidence, Role


def infer(source: PythonSource) -> Sources:
    """Return the processes that the source asks for."""
    found = Sources()
    for infer_one in (celery_apps.infer, _django, _rq, _dramatiq, _huey, _arq, _saq, _taskiq,
                      _procrastinate, _stoker, _faktory, _loops):  # fmt: skip
        found.inferred += infer_one(source)
    found.embedded += _inside_of_apps(source)
    return found


_DJANGO = (
    ("rq", r"""["']django_rq["']""", "rqworker"),
    ("huey", r"""["']huey\.contrib\.djhuey["']""", "run_huey"),
    ("dramatiq", r"""["']django_dramatiq["']""", "rundramatiq"),
    ("procrastinate", r"""["']procrastinate\.contrib\.django["']""", "procrastinate worker"),
)


def _django(source: PythonSource) -> list[Inferred]:
    manage = source.manage
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
            if full_name(module, call.func) in ("rq.Queue", "rq.queue.Queue"):
                names = [
                    a.value
                    for a in call.args[:1]
                    if isinstance(a, ast.Constant) and isinstance(a.value, str)
                ]
                line = line_of(source.project, path, call.lineno)
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
            each.evidence("a queue of RQ"),
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
    evidence = (
        Evidence(path, actors[path], line_of(source.project, path, actors[path]), "actors"),
    )
    return [Inferred("dramatiq", "worker", words, names[0][1], "python", evidence, names[0][0])]


def _single(
    source: PythonSource, framework: str, calls: tuple[str, ...], shape: str, role: Role = "worker"
) -> list[Inferred]:
    """Return the worker of each object that one of ``calls`` made."""
    found: list[Inferred] = []
    for each in source.made_by(*calls):
        module, dir = source.module_name(each.path)
        if not all(part.isidentifier() for part in module.split(".")):
            continue  # a copy that nobody can import
        words = tuple(shape.format(module=module, name=each.name).split())
        uses = source.imports.get(module, 0)
        evidence = each.evidence(f"made by {each.call}")
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
                        for s in strings_in(a.value)
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
                            line_of(source.project, path, node.lineno),
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
                        each.evidence("procrastinate's app"),
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
        if sites and _runs(source, path):
            found.append(_script(source, sites[0].framework, path, sites))
    return found


def _runs(source: PythonSource, path: str) -> bool:
    """Tell if a file is a program: something happens when it is run, beside definitions."""
    if "__main__" in source.project.text(path):
        return True
    defining = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    lines = {
        call.lineno
        for node in source.modules[path].tree.body
        if not isinstance(node, defining)
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
    }
    return any(site.line in lines for site in source.script_sites(path))


def _inside_of_apps(source: PythonSource) -> list[Embedded]:
    """Return the workers that a function makes for whoever imports it, such as a web app."""
    return [
        Embedded(sites[0].framework, source.module_name(path)[1], _REASON, (sites[0].evidence,))
        for path in source.modules
        if (sites := [s for s in source.script_sites(path) if s.framework == "bullmq"])
        and not _runs(source, path)
    ]


_REASON = "a function makes the worker for the program that imports it"


def _loops(source: PythonSource) -> list[Inferred]:
    """Return the workers without a framework: a program that loops and sleeps."""
    found: list[Inferred] = []
    for path, module in source.modules.items():
        text = source.project.text(path)
        if not re.search(r"while (True|1|not \w+)|while self\.", text) or "sleep(" not in text:
            continue
        if "/management/commands/" in path:
            manage = source.manage
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
        evidence = (
            Evidence(path, line, line_of(source.project, path, line), "a loop that sleeps"),
        )
        named = re.search(r"(^|[/_])(bg_?)?worker", path) is not None and "/commands/" not in path
        role: Role = "worker" if named else "other"
        sure = 0.5 if named else 0.4
        found.append(Inferred(None, role, words, dir, "python", evidence, path, confidence=sure))
    return found
