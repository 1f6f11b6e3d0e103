"""Where Python makes workers in its own process, or starts them by their command."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from stoker.sidecar.detect.manifests import directory
from stoker.sidecar.detect.source import Site
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_parsing import Module, full_name, strings_in
from stoker.sidecar.detect.source.python_settings import setting, variables_in
from stoker.sidecar.detect.source.python_started import commands
from stoker.sidecar.detect.source.python_written import as_source
from stoker.sidecar.detection import Role

_SCRIPTS = {
    name: framework
    for framework, names in {
        "rq": (
            "rq.Worker",
            "rq.worker.Worker",
            "rq.SimpleWorker",
            "rq.worker.SimpleWorker",
            "rq.worker_pool.WorkerPool",
            "rq.worker.HerokuWorker",
            "rq.cli.worker",
        ),
        "faktory": ("faktory.Worker", "pyfaktory.Consumer", "pyfaktory.consumer.Consumer"),
        "arq": (
            "arq.run_worker",
            "arq.worker.run_worker",
            "arq.Worker",
            "arq.worker.Worker",
            "arq.worker.create_worker",
        ),
        "dramatiq": ("dramatiq.Worker", "dramatiq.cli.main", "dramatiq.worker.Worker",),
        "saq": ("saq.Worker", "saq.worker.Worker",),
        "huey": ("huey.consumer.Consumer",),
        "bullmq": ("bullmq.Worker",),
        "taskiq": ("taskiq.api.run_receiver_task", "taskiq.api.receiver.run_receiver_task"),
    }.items()
    for name in names
}  # fmt: skip
_METHODS = (
    ("celery", (".worker_main", ".Worker")),
    ("huey", (".create_consumer",)),
    ("rq", ("rq.get_worker",)),
    ("procrastinate", (".run_worker", ".run_worker_async")),
)
"""Called on an object of the framework, of which the file has to speak."""


def script_sites(source: PythonSource, path: str) -> tuple[Site, ...]:
    """Return where a file makes workers in its own process."""
    if path not in source.sites:
        source.sites[path] = tuple(_script_sites(source, path))
    return source.sites[path]


def _script_sites(source: PythonSource, path: str) -> Iterator[Site]:
    settings = {node.name for nodes in source.arq_settings.values() for node in nodes}
    module = source.module(path) if settings else source.modules.get(path)
    if module is None:
        return
    text = source.project.text(path).lower()
    own = _own_classes(module)
    stokers = _stokers(source, module)
    for full, call in module.calls:
        framework = _SCRIPTS.get(own.get(full, full)) or next(
            (name for each in (full, *_handed(module, call)) for name, ends in _METHODS
             if each.endswith(ends) and name in text), None
        )  # fmt: skip
        given = (each.id for each in call.args if isinstance(each, ast.Name))
        if framework is None and any(name in settings for name in given):
            framework = "arq"  # its settings are given to nothing but a worker, or a wrapper of it
        if call in stokers:
            framework = "stoker"
        if framework is None and full.endswith(".start") and "celery" in text and _is_told(call):
            framework = "celery"
        if framework is not None:
            queues = (
                tuple(_names_in(source, module, call)) if framework in ("rq", "faktory") else ()
            )
            yield _site(source, path, call, framework, queues)


def _handed(module: Module, call: ast.Call) -> Iterator[str]:
    """Yield the methods that a call is given to run: ``Process(target=app.worker_main)``."""
    for each in (*call.args, *(keyword.value for keyword in call.keywords)):
        if isinstance(each, ast.Attribute) and each.attr.islower():
            yield full_name(module, each)


def _is_told(call: ast.Call) -> bool:
    """Tell if a call is given the words of a command that starts a worker, in a list."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return any(isinstance(each, ast.List) and "worker" in strings_in(each) for each in given)


def _stokers(source: PythonSource, module: Module) -> list[ast.Call]:
    """Return where a file makes workers of Stoker: ``await jobs.worker(…)``.

    Of an app that the project has somewhere, or in a file that imports Stoker. What works the
    jobs off that are there (``burst``) and ends is none.
    """
    knows = any(f"{name}.".startswith("stoker.") for name in module.names.values())
    awaited = {node.value for node in module.nodes if isinstance(node, ast.Await)}
    return [
        call for full, call in module.calls
        if call in awaited and full.endswith(".worker")
        and (knows or full.split(".")[-2] in source.stokers)
        and "burst=True" not in as_source(call)
    ]  # fmt: skip


def _own_classes(module: Module) -> dict[str, str]:
    """Return the classes of a file, each with what it extends, without its type's arguments."""
    found: dict[str, str] = {}
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef) and node.bases:
            base = node.bases[0]
            plain = base.value if isinstance(base, ast.Subscript) else base
            found[node.name] = full_name(module, plain)
    return found


def every_site(source: PythonSource, path: str) -> Iterator[Site]:
    """Yield where a file makes workers, or starts them by their command."""
    yield from script_sites(source, path)
    module = source.modules.get(path)
    if module is None:
        return
    for call, launch in commands(module):
        yield _site(source, path, call, launch.framework, launch.queues, launch.role)


def program_sites(source: PythonSource, path: str, *, follow: bool) -> tuple[Site, ...]:
    """Return where a script makes workers; also in what it imports, if that is followed."""
    seen: set[str] = set()
    waiting = [path]
    while waiting and len(seen) < 40:
        current = waiting.pop(0)
        if current in seen:
            continue
        seen.add(current)
        sites = tuple((every_site if follow else script_sites)(source, current))
        if sites:
            return sites
        if follow and len(seen) < 12:
            waiting += _imported_files(source, current)
    return _imported_classes(source, sorted(seen)) if follow else ()


def _imported_classes(source: PythonSource, paths: Sequence[str]) -> tuple[Site, ...]:
    """Return where a program's files import a worker's class, which another one of them makes."""
    for path in paths:
        module = source.modules.get(path)
        for node in module.nodes if module else ():
            if isinstance(node, ast.ImportFrom) and not node.level:
                for framework in {
                    _SCRIPTS.get(f"{node.module}.{each.name}") for each in node.names
                }:
                    if framework == "rq":
                        line = source.project.line(path, node.lineno)
                        return (Site(framework, path, node.lineno, line),)
    return ()


def _imported_files(source: PythonSource, path: str) -> Iterator[str]:
    module = source.module(path)
    for name in sorted(set(module.names.values())) if module else ():
        found = source.find(name, directory(path))
        if found is not None and (
            re.search(r"worker|queue|job|task|consum|celery|command", found[0])
            or "worker" in name.rpartition(".")[2]
        ):
            yield found[0]


def _site(
    source: PythonSource, path: str, call: ast.Call, framework: str, queues: tuple[str, ...],
    role: Role = "worker",
) -> Site:  # fmt: skip
    text = source.project.line(path, call.lineno)
    return Site(framework, path, call.lineno, text, queues, None, role)


def _is_queue(function: ast.expr) -> bool:
    return isinstance(function, ast.Name) and function.id == "Queue"


def _attributes(argument: ast.expr) -> Iterator[str]:
    """Yield the attributes that stand for queues in a list: ``[conf.one, Queue(conf.other)]``."""
    for each in argument.elts if isinstance(argument, ast.List | ast.Tuple) else ():
        if isinstance(each, ast.Call) and _is_queue(each.func) and each.args:
            each = each.args[0]
        if isinstance(each, ast.Attribute):
            yield each.attr


def _names_in(source: PythonSource, module: Module, call: ast.Call) -> Iterator[str]:
    """Yield the queue names that a call is given: literally, by a list's name, by a setting's."""
    for argument in [
        *call.args,
        *(keyword.value for keyword in call.keywords if keyword.arg == "queues"),
    ]:
        nodes = list(ast.walk(argument))
        keys = {each.slice for each in nodes if isinstance(each, ast.Subscript)}
        keys |= variables_in(nodes)
        told = (setting(source, module.path, each) for each in _attributes(argument))
        yield from filter(None, told)
        for node in nodes:
            if isinstance(node, ast.Name):
                for each in module.tree.body:
                    if (
                        isinstance(each, ast.Assign)
                        and isinstance(each.value, ast.List | ast.Tuple)
                        and any(isinstance(t, ast.Name) and t.id == node.id for t in each.targets)
                    ):
                        yield from strings_in(each.value)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from () if node in keys else (node.value,)  # a setting's name is no queue
            elif isinstance(node, ast.Call) and not node.args and _is_queue(node.func):
                yield "default"
