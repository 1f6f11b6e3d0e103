"""The workers that Python's source asks for, framework by framework."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from stoker.sidecar.detect.manifests import directory
from stoker.sidecar.detect.source import (
    DEDICATED,
    Inferred,
    Sources,
    celery_apps,
    dramatiq_actors,
    python_scripts,
    python_sites,
    python_web,
    rq_queues,
    stoker_apps,
    taskiq_tasks,
)
from stoker.sidecar.detect.source.python_imports import loaded_by
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_parsing import strings_in
from stoker.sidecar.detect.source.python_tasks import loading_module
from stoker.sidecar.detection import Embedded, Evidence, Role


def infer(source: PythonSource) -> Sources:
    """Return the processes that the source asks for."""
    found = Sources()
    found.embedded += [*python_scripts.inside_of_apps(source), *python_web.started(source)]
    for infer_one in (celery_apps.infer, _django, rq_queues.infer, _dramatiq, _huey, _arq, _saq,
                      _taskiq, _procrastinate, stoker_apps.infer, python_scripts.own_scripts,
                      python_scripts.loops):  # fmt: skip
        found.inferred += infer_one(source)
    _add_others(source, found)
    found.inferred = [each for each in found.inferred if not _stands_alone(source, each)]
    return found


_INLINE = re.compile(r"^# /// script[ \t]*$", re.MULTILINE)


def _stands_alone(source: PythonSource, each: Inferred) -> bool:
    """Tell if a worker is only guessed of a script that says itself what has to be installed.

    Such a script (PEP 723) is run by its name, in an environment of its own: an attempt, a
    measurement, a tool. It is of no project, and none loads it.
    """
    return any(_INLINE.search(source.project.text(at.path)) for at in each.evidence[:1])


def _add_others(source: PythonSource, found: Sources) -> None:
    """Add the workers that are made where no file was seen to start them."""
    known = {each.framework for each in (*found.inferred, *found.embedded)}
    for path in source.modules:
        for site in python_sites.script_sites(source, path):
            if site.framework not in known:
                known.add(site.framework)
                if programs := python_scripts.programs(source, site.framework):
                    found.inferred += programs
                    continue
                if program := python_scripts.package_program(source, site):
                    found.inferred.append(program)
                    continue
                reason = "workers are made, and no program of their own was found"
                dir = source.module_name(path)[1]
                found.embedded.append(Embedded(site.framework, dir, reason, (site.evidence,)))


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


def _dramatiq(source: PythonSource) -> list[Inferred]:
    if source.manifests.has("django-dramatiq"):
        return []
    return [each for actors in _by_package(source) for each in _of_package(source, actors)]


def _by_package(source: PythonSource) -> Iterator[dict[str, int]]:
    """Yield the files with actors of each package that has a manifest, but for those it gives.

    What members of a workspace have is started by each of them; what only others load, by these.
    """
    found: dict[str, dict[str, int]] = {}
    for path, line in dramatiq_actors.actors(source).items():
        home = source.manifests.package_of(directory(path), "python")
        found.setdefault(home.dir if home else ".", {})[path] = line
    for dir, actors in found.items():
        others = [path for other, every in found.items() if other != dir for path in every]
        if not others or not loaded_by(source, others).issuperset(actors):
            yield actors


def _of_package(source: PythonSource, actors: Mapping[str, int]) -> list[Inferred]:
    own = [path for path in actors if "set_broker(" in source.project.text(path)]
    own = [path for path in own if directory(path) == directory(own[0])]  # others show how
    # Its command takes the broker that was set last: modules that each set one are no one worker.
    workers = [[path] for path in own]
    if len(own) == 1:
        known = loaded_by(source, own)
        workers[0] += [path for path in sorted(actors) if path not in known
                       and own[0] in loaded_by(source, [path])]  # fmt: skip
    elif actors and not own:
        workers = [[gathering] if (gathering := _gathering(source, actors)) else sorted(actors)]
    return [_of_actors(source, paths[:_MOST], actors.get(paths[0], 1)) for paths in workers]


def _gathering(source: PythonSource, actors: Collection[str]) -> str:
    """Return the module that is there to be loaded: called a worker, it imports all actors."""
    for path in source.paths if len(actors) > 1 else ():
        named = DEDICATED.search(path.rpartition("/")[2])
        if named and path not in actors and loaded_by(source, [path]).issuperset(actors):
            return path
    return ""


_MOST = 8
"""Modules on a command line: more are a matter of the project's own."""


def _of_actors(source: PythonSource, paths: Sequence[str], line: int) -> Inferred:
    names = [source.module_name(path) for path in paths]
    words = ("dramatiq", *(name for name, _ in names))
    evidence = (Evidence(paths[0], line, source.project.line(paths[0], line), "actors"),)
    return Inferred("dramatiq", "worker", words, names[0][1], "python", evidence, names[0][0])


def _single(
    source: PythonSource, framework: str, calls: tuple[str, ...], shape: str, role: Role = "worker"
) -> list[Inferred]:
    """Return the worker of the object that one of ``calls`` made, the likeliest of several."""
    return _each(source, framework, calls, shape, role)[:1]


def _each(
    source: PythonSource, framework: str, calls: tuple[str, ...], shape: str, role: Role = "worker"
) -> list[Inferred]:
    """Return the worker of each object that one of ``calls`` made."""
    found: list[Inferred] = []
    for each in source.made_by(*calls):
        path = loading_module(source, each) if framework == "huey" else each.path
        module, dir = source.module_name(path)
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
    return sorted(found, key=lambda each: -each.confidence)


def _huey(source: PythonSource) -> list[Inferred]:
    if any(source.speaking_of("huey.contrib.djhuey")):
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
    shape = "huey_consumer {module}.{name}"
    every = _each(source, "huey", calls, shape) or (
        _each(source, "huey", tuple(source.hueys), shape)
    )
    # Each has its queue, and a consumer serves one: those that nobody gives tasks have none.
    by_name = {each.app.rpartition(":")[2]: each for each in reversed(every)}
    used = [each for name, each in by_name.items() if _has_tasks(source, name)]
    return python_scripts.programs(source, "huey") or used[::-1] or every[:1]


def _has_tasks(source: PythonSource, name: str) -> bool:
    task = rf"^[ \t]*@(?:\w+\.)*{re.escape(name)}\.(?:db_|periodic_|context_)*task\b"
    return any(source.project.telling(source.paths, re.compile(task.encode(), re.MULTILINE)))


def _arq(source: PythonSource) -> list[Inferred]:
    found: list[Inferred] = []
    for path, classes in source.arq_settings.items():
        for node in classes:
            name, dir = source.module_name(path)
            evidence = (Evidence(path, node.lineno, f"class {node.name}", "arq's settings"),)
            given = {
                target.id: each.value
                for each in node.body
                if isinstance(each, ast.Assign)
                for target in each.targets
                if isinstance(target, ast.Name)
            }
            queues = tuple(strings_in(given["queue_name"]))[:1] if "queue_name" in given else ()
            count = given.get("max_jobs")
            app = f"{name}.{node.name}"
            found.append(
                Inferred(
                    "arq", "worker", ("arq", app), dir, "python", evidence, app, queues,
                    count.value
                    if isinstance(count, ast.Constant) and isinstance(count.value, int)
                    else None,
                )
            )  # fmt: skip
    return found


_QUEUE_CONFIG = re.compile(r"""QueueConfig\([^()]*?\bname\s*=\s*["']([\w.-]+)["']""")


def _saq_queues(source: PythonSource) -> Iterator[str]:
    for path in source.speaking_of("QueueConfig("):
        yield from dict.fromkeys(_QUEUE_CONFIG.findall(source.project.text(path)))


def _saq(source: PythonSource) -> list[Inferred]:
    plugin = source.manifests.has("litestar-saq")
    if plugin is not None:
        words, queues = ("litestar", "workers", "run"), tuple(_saq_queues(source))
        return [
            Inferred("saq", "worker", words, plugin.dir, "python", (plugin.evidence,), "", queues)
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
                            source.project.line(path, node.lineno),
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
    made = {
        e.call.rpartition(".")[2]
        for m in source.modules.values()
        if "taskiq" in source.project.text(m.path)
        for e in m.assigned
        if e.call.endswith("Broker") and not e.call.startswith("faststream.")
    }
    calls = source.brokers | (made - _IN_PROCESS)
    if calls and _has_no_task(source):
        return []
    workers = (
        _single(source, "taskiq", tuple(calls), "taskiq worker -fsd {module}:{name}")
        if calls
        else []
    )
    schedulers = _single(
        source, "taskiq", ("TaskiqScheduler",), "taskiq scheduler -fsd {module}:{name}", "scheduler"
    )
    schedulers = schedulers if _has_sources(source) else []
    files = taskiq_tasks.outside(source, workers[0]) if workers else []
    return [taskiq_tasks.loading(source, each, files) for each in (*workers, *schedulers)]


_IN_PROCESS = frozenset({"InMemoryBroker"})
"""Brokers of taskiq that run a task in the process that kicks it: no worker can be given it."""
_TASK = re.compile(r"@\w[\w.]*\.task\b|\.task\(|register_task\(")


def _has_sources(source: PythonSource) -> bool:
    """Tell if a scheduler of taskiq is given somewhere to look for what is to be done."""
    calls = [call for module in source.modules.values() for full, call in module.calls
             if full.rpartition(".")[2] == "TaskiqScheduler"]  # fmt: skip
    given = [each.value for call in calls for each in call.keywords if each.arg == "sources"]
    return not given or not all(isinstance(each, ast.List) and not each.elts for each in given)


def _has_no_task(source: PythonSource) -> bool:
    """Tell if taskiq has nothing to run here.

    Who only kicks tasks by their names has others' workers, and who makes a kind of broker has it
    for others.
    """
    text = source.project.text
    for_others = (*source.speaking_of("AsyncKicker("), *source.speaking_of("(AsyncBroker)"))
    return bool(for_others) and not any(
        _TASK.search(text(path)) for path in source.speaking_of("task")
    )


def _procrastinate(source: PythonSource) -> list[Inferred]:
    if any(source.speaking_of("procrastinate.contrib.django")):
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
