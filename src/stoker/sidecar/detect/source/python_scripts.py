"""Python's workers that are programs of the project's own, and those inside of its web apps."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

import msgspec

from stoker.sidecar.detect.manifests import directory
from stoker.sidecar.detect.source import DEDICATED, Inferred, Site, merged_queues
from stoker.sidecar.detect.source.python_branches import command_around, reached
from stoker.sidecar.detect.source.python_imports import loaded_by
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_programs import console_scripts
from stoker.sidecar.detect.source.python_sites import program_sites, script_sites
from stoker.sidecar.detect.source.python_web import serves
from stoker.sidecar.detect.source.python_written import as_source
from stoker.sidecar.detection import Embedded, Evidence, Role


def starting(source: PythonSource, framework: str, path: str) -> str:
    """Return the program that makes a file's workers: itself, or one called so that reaches it."""
    if runs(source, path):
        return path
    for each in source.speaking_of("__main__"):
        if DEDICATED.search(each.rpartition("/")[2]) and not is_web(source, each):
            reached = program_sites(source, each, follow=True)
            if any((site.framework, site.path) == (framework, path) for site in reached):
                return each
    return ""


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
    if not console and sites and sites[0].path == path:
        words += command_around(source.modules[path], sites[0].line)
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


def package_program(source: PythonSource, site: Site) -> Inferred | None:
    """Return the program that a package is, if it comes to what makes a worker.

    By the command that it installs, or by ``python -m``.
    """
    for path in source.project.named("__main__.py"):
        if source.project.is_aside(path) or site.path not in loaded_by(source, [path]):
            continue
        module, dir = source.module_name(path)
        home = module.removesuffix(".__main__")
        names = [name for name, target in console_scripts(source).items()
                 if target.partition(":")[0] == module]  # fmt: skip
        words = (names[0],) if names else ("python", "-m", home)
        return Inferred(site.framework, "worker", words, dir, "python", (site.evidence,), path)
    return None


def own_scripts(source: PythonSource) -> list[Inferred]:
    found: list[Inferred] = []
    for path in source.modules:
        sites = [
            site for site in script_sites(source, path) if site.framework in ("faktory", "bullmq")
        ]
        program = starting(source, sites[0].framework, path) if sites else ""
        if program:
            found.append(script(source, sites[0].framework, program, sites))
    return found


def programs(source: PythonSource, framework: str) -> list[Inferred]:
    """Return the programs that make a framework's worker themselves, and serve nothing."""
    found: list[Inferred] = []
    for path in source.modules:
        sites = [site for site in script_sites(source, path) if site.framework == framework]
        if sites and runs(source, path) and not (is_web(source, path) or serves(source, path)):
            found.append(script(source, framework, path, sites))
    return without_twins(found)


def without_twins(programs: Sequence[Inferred]) -> list[Inferred]:
    """Return programs of one framework without those that are other ways to start the same worker.

    They lie side by side, their names only say that they are workers, or of which system, and none
    takes other queues than the first.
    """
    found: dict[tuple[str, str], Inferred] = {}
    for each in programs:
        name = each.app.rpartition("/")[2].removesuffix(".py").lower()
        plain = all(map(_SAYS_NOTHING.fullmatch, re.split(r"[-_]", name)))
        key = (directory(each.app), "" if plain else name)
        first = found.setdefault(key, each)
        if first is not each:
            if first.queues and each.queues and first.queues != each.queues:
                found[key[0], name] = each
            else:
                others = (*first.alternatives, each.words)
                found[key] = msgspec.structs.replace(first, alternatives=others)
    return list(found.values())


_SAYS_NOTHING = re.compile(
    r"(?:rq|redis|huey|q|queues?|jobs?|tasks?|bg|background|(?:multi)?workers?|consumers?|run(?:ner)?|"
    r"start|launch(?:er)?|main|simple|local|win(?:dows)?|mac(?:os)?|linux|unix|docker|py)"
)
"""The words of a program's name that tell it from none of those beside it."""


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
        return re.search(r"__name__|argv|args", as_source(node.test)) is not None
    return any("command" in as_source(each) for each in node.decorator_list)


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
