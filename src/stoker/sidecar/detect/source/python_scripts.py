"""Python's workers that are programs of the project's own, and those inside of its web apps."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from stoker.sidecar.detect.manifests import directory
from stoker.sidecar.detect.source import DEDICATED, Inferred, Site, merged_queues
from stoker.sidecar.detect.source.python_branches import reached
from stoker.sidecar.detect.source.python_modules import (
    Assigned,
    PythonSource,
)
from stoker.sidecar.detect.source.python_programs import console_scripts
from stoker.sidecar.detect.source.python_sites import program_sites, script_sites
from stoker.sidecar.detection import Embedded, Evidence, Role


def rq(source: PythonSource) -> list[Inferred]:
    found: list[Inferred] = []
    for path in source.modules:
        text = source.project.text(path)
        sites = (
            [s for s in script_sites(source, path) if s.framework == "rq"]
            if ".work(" in text or "worker" in text
            else []
        )
        if sites and ".work(" in text:
            found.append(script(source, "rq", _starting(source, "rq", path) or path, sites))
    if found or not source.manifests.has("rq", "flask-rq", "flask-rq2", language="python"):
        return found
    if source.manifests.has("django-rq"):
        return []
    queues: dict[str, Assigned | None] = {}
    for path, module in source.modules.items():
        for full, call in module.calls:
            if full in ("rq.Queue", "rq.queue.Queue"):
                names = [
                    a.value
                    for a in call.args[:1]
                    if isinstance(a, ast.Constant) and isinstance(a.value, str)
                ]
                line = source.project.line(path, call.lineno)
                queues[names[0] if names else "default"] = Assigned(
                    path, call.lineno, "", "rq.Queue", line
                )
    if not queues or _only_sends(source):
        return []
    each = next(iter(queues.values()))
    assert each is not None
    _, dir = source.module_name(each.path)
    names = tuple(sorted(queues))
    given = () if names == ("default",) else names
    return [
        Inferred(
            "rq",
            "worker",
            ("rq", "worker", *given),
            dir,
            "python",
            each.evidence("a queue of RQ"),
            "",
            names,
        )
    ]


def _starting(source: PythonSource, framework: str, path: str) -> str:
    """Return the program that makes a file's workers: itself, or one called so that reaches it."""
    if runs(source, path):
        return path
    for each in source.speaking_of("__main__"):
        if DEDICATED.search(each.rpartition("/")[2]) and not is_web(source, each):
            reached = program_sites(source, each, follow=True)
            if any((site.framework, site.path) == (framework, path) for site in reached):
                return each
    return ""


_ENQUEUED = re.compile(
    r"""\.enqueue(?:_call|_many)?\(\s*(?:func\s*=\s*|f\s*=\s*)?(?:["']([\w.]+)["']|(\S))"""
)


def _only_sends(source: PythonSource) -> bool:
    """Tell if all jobs are functions of another project, given by their paths."""
    found = [
        name
        for path in source.speaking_of(".enqueue")
        for name, _ in _ENQUEUED.findall(source.project.text(path))
    ]
    return bool(found) and not any(not name or source.find(name, ".") for name in found)


def script(source: PythonSource, framework: str, path: str, sites: Sequence[Site]) -> Inferred:
    """Return the worker that a file is when it is run."""
    module, dir = source.module_name(path)
    console = _console(source, path, module, sites)
    package = source.manifests.package_of(path, "python")
    base = package.dir if package else "."
    if console:
        words, where = (console,), dir
    elif "." in module and f"{directory(path)}/__init__.py" in source.project.files:
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


def _console(source: PythonSource, path: str, module: str, sites: Sequence[Site]) -> str:
    """Return the command that the project installs for a worker, if it has one."""
    for name, target in console_scripts(source).items():
        home, _, function = target.partition(":")
        body = reached(source.modules[path], (), function) if home == module else None
        for statement in body or ():
            if any(statement.lineno <= s.line <= (statement.end_lineno or 0) for s in sites):
                return name
    return ""


def own_scripts(source: PythonSource) -> list[Inferred]:
    found: list[Inferred] = []
    for path in source.modules:
        sites = [
            site for site in script_sites(source, path) if site.framework in ("faktory", "bullmq")
        ]
        program = _starting(source, sites[0].framework, path) if sites else ""
        if program:
            found.append(script(source, sites[0].framework, program, sites))
    return found


def runs(source: PythonSource, path: str) -> bool:
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
    return any(site.line in lines for site in script_sites(source, path))


_WEB = re.compile(r"\b(FastAPI|Flask|Starlette|Litestar|Sanic|Quart)\(")
_WORKERS_OWN = re.compile(r"(^|[/_])worker(s|_main|_settings)?\.py$")
_FOR_THE_IMPORTER = "a function makes the worker for the program that imports it"
_WITH_THE_APP = "the web app starts the worker in its own process"


def is_web(source: PythonSource, path: str) -> bool:
    """Tell if a file makes a web app."""
    return _WEB.search(source.project.text(path)) is not None


def inside_of_apps(source: PythonSource) -> list[Embedded]:
    """Return the workers that a web app's file makes, or a function for its importer."""
    found: list[Embedded] = []
    for path in source.modules:
        sites = [site for site in script_sites(source, path) if not _is_asked_for(source, site)]
        if not sites:
            continue
        reason = ""
        if sites[0].framework == "bullmq" and not runs(source, path):
            reason = _FOR_THE_IMPORTER
        elif is_web(source, path):
            reason = _WITH_THE_APP
        if reason:
            _, dir = source.module_name(path)
            found.append(Embedded(sites[0].framework, dir, reason, (sites[0].evidence,)))
    return found


def _is_asked_for(source: PythonSource, site: Site) -> bool:
    """Tell if a worker is made only when the program is told to: a command, an argument."""
    return any(
        isinstance(node, ast.If | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.lineno <= site.line <= (node.end_lineno or 0)
        and _is_guard(node)
        for node in source.modules[site.path].nodes
    )


def _is_guard(node: ast.If | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    if isinstance(node, ast.If):
        return re.search(r"__name__|argv|args", ast.unparse(node.test)) is not None
    return any("command" in ast.unparse(each) for each in node.decorator_list)


def loops(source: PythonSource) -> list[Inferred]:
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
            inferred = script(source, "", path, [])
            words, dir = inferred.words, inferred.dir
        else:
            continue
        line = next((node.lineno for node in module.nodes if isinstance(node, ast.While)), 0)
        evidence = (Evidence(path, line, source.project.line(path, line), "a loop that sleeps"),)
        named = re.search(r"(^|[/_])(bg_?)?worker", path) is not None and "/commands/" not in path
        role: Role = "worker" if named else "other"
        sure = 0.5 if named else 0.4
        found.append(Inferred(None, role, words, dir, "python", evidence, path, confidence=sure))
    return found
