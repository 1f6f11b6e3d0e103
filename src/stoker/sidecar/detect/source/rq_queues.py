"""RQ: the programs that make its workers; else its queues, and what only its scheduler moves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from stoker.sidecar.detect.manifests import directory
from stoker.sidecar.detect.source import Inferred
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_parsing import Assigned, full_name
from stoker.sidecar.detect.source.python_scripts import script, starting, without_twins
from stoker.sidecar.detect.source.python_sites import script_sites

_QUEUES = frozenset({"rq.Queue", "rq.queue.Queue", "flask_rq.Queue", "flask_rq.get_queue"})
_JOBS = frozenset({"rq.decorators.job", "flask_rq.job"})
"""Both are given the name of a queue first; without one it is the default queue."""
_SCHEDULERS = frozenset({
    "rq_scheduler.Scheduler", "rq_scheduler.scheduler.Scheduler", "django_rq.get_scheduler",
})  # fmt: skip
_ENQUEUED = re.compile(
    r"""\.enqueue(?:_call|_many)?\(\s*(?:func\s*=\s*|f\s*=\s*)?(?:["']([\w.]+)["']|(\S))"""
)


def infer(source: PythonSource) -> list[Inferred]:
    """Return the workers, and the scheduler if something waits for it."""
    workers = without_twins(list(_programs(source))) or list(_of_queues(source))
    return [*workers, *_scheduler(source)]


def _programs(source: PythonSource) -> Iterator[Inferred]:
    for path in source.modules:
        if ".work(" in source.project.text(path):
            sites = [each for each in script_sites(source, path) if each.framework == "rq"]
            if sites:
                yield script(source, "rq", starting(source, "rq", path) or path, sites)


def _of_queues(source: PythonSource) -> Iterator[Inferred]:
    if not _is_installed(source) or source.manifests.has("django-rq"):
        return
    queues = dict(_queues(source))
    if queues and not _only_sends(source):
        each = next(iter(queues.values()))
        dir = source.module_name(each.path)[1]
        names = tuple(sorted(queues))
        words = ("rq", "worker", *(() if names == ("default",) else names))
        evidence = each.evidence("a queue of RQ")
        yield Inferred("rq", "worker", words, dir, "python", evidence, "", names)


def _is_installed(source: PythonSource) -> bool:
    """Tell if a manifest asks for RQ; without any, what imports it does."""
    packages = [each for each in source.manifests.packages if each.language == "python"]
    asked = source.manifests.has("rq", "flask-rq", "flask-rq2", language="python")
    return not packages or asked is not None


def _queues(source: PythonSource) -> Iterator[tuple[str, Assigned]]:
    """Yield the names of queues, each with where it stands."""
    for path, module in source.modules.items():
        taken = [(full, call.lineno, call.args[:1]) for full, call in module.calls]
        for node in module.defined.values():
            taken += [(full_name(module, each), each.lineno, []) for each in node.decorator_list]
        for full, number, given in taken:
            texts = [each.value for each in given if isinstance(each, ast.Constant)]
            if full in _QUEUES or (full in _JOBS and len(texts) == len(given)):
                name = texts[0] if texts and isinstance(texts[0], str) else "default"
                line = source.project.line(path, number)
                yield name, Assigned(path, number, "", full, line)


def _only_sends(source: PythonSource) -> bool:
    """Tell if all jobs are functions of another project, given by their paths."""
    found = [
        name
        for path in source.speaking_of(".enqueue")
        for name, _ in _ENQUEUED.findall(source.project.text(path))
    ]
    return bool(found) and not any(not name or source.find(name, ".") for name in found)


def _scheduler(source: PythonSource) -> Iterator[Inferred]:
    """Yield the program of ``rq-scheduler``: only it puts what is due into a queue."""
    for path, module in source.modules.items():
        for full, call in module.calls:
            if full not in _SCHEDULERS:
                continue
            if not re.search(r"\bsched\w*\.run\(", source.project.text(path)):  # its own program
                line = source.project.line(path, call.lineno)
                made = Assigned(path, call.lineno, "", full, line)
                evidence = made.evidence("a scheduler of RQ")
                django = source.manage if full.startswith("django_rq.") else None
                words = ("python", "manage.py", "rqscheduler") if django else ("rqscheduler",)
                dir = directory(django) if django else source.module_name(path)[1]
                yield Inferred("rq", "scheduler", words, dir, "python", evidence, confidence=0.6)
            return
