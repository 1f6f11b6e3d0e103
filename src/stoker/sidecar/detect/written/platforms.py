"""What platforms are told to start: Kubernetes and charts, Kamal, Heroku, Render, Fly, and others.

Also the runners of several processes at a desk: process-compose, mprocs, modd.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any, cast

from stoker.sidecar.detect.manifests import directory
from stoker.sidecar.detect.written import Written, is_interesting, may_interest
from stoker.sidecar.detect.yaml import Table, documents
from stoker.sidecar.project import Project

_YAML = re.compile(
    r"render\.ya?ml|app\.ya?ml|deploy(\.[\w-]+)?\.ya?ml|process-compose[\w.-]*\.ya?ml|mprocs\.ya?ml|"
    r"values[\w.-]*\.ya?ml|\.platform\.app\.yaml|zeabur\.ya?ml|service\.ya?ml"
)
_PLAIN = r"app\.json|fly[\w.-]*\.toml|railway[\w.-]*\.(json|toml)|nixpacks\.toml|\.replit"
_ALONE = ("startCommand", "dockerCommand", "run_command", "runCommand", "cmd", "shell", "start")
_DIRS = ("rootDir", "source_dir", "working_dir", "cwd")
_DEEPEST = 12
_QUOTED = re.compile(
    r"""(?:^|[{,])\s*["']?([\w-]+)["']?\s*[=:]\s*(?:"((?:[^"\\\n]|\\.)+)"|'([^'\n]+)')""",
    re.MULTILINE,
)
_DAEMON = re.compile(r"^\s*(?:daemon|prep)[^:]*:\s*(.+)$", re.MULTILINE)


def read(project: Project) -> Iterator[Written]:
    """Yield every command of every such file."""
    for path in project.suffixed("yaml", "yml"):
        if (
            not project.is_aside(path)
            and _is_about_processes(project, path)
            and may_interest(project, path)
            and b"{{" not in project.data(path)
            and not _is_of_variant(project, path)
        ):
            for document in documents(project, path):
                yield from _commands(project, path, document, "", _DEEPEST)
    for path in project.named("heroku.yml"):
        if not project.is_aside(path):
            for document in documents(project, path):
                yield from _heroku(project, path, document)
    for path in project.matching(_PLAIN):
        if not project.is_aside(path):
            yield from _quoted(project, path)
    for path in project.named("modd.conf"):
        if not project.is_aside(path):
            yield from _daemons(project, path)


def _heroku(project: Project, path: str, table: Table) -> Iterator[Written]:
    """Yield the processes of ``heroku.yml``: each a line, or a table with lines for one image."""
    run = table.get("run")
    for name, given in run.items() if isinstance(run, Table) else ():
        told: Any = given.get("command") if isinstance(given, Table) else given
        lines = cast(list[Any], told) if isinstance(told, list) else [told]
        number = run.lines.get(name, 0) if isinstance(run, Table) else 0
        for line in lines:
            if isinstance(line, str) and is_interesting(line):
                yield Written("supervisor", path, number, (line,), directory(path), name)


def _is_of_variant(project: Project, path: str) -> bool:
    """Tell if it deploys the app at the root in another way than the app's own file does."""
    base, _, own = path.rpartition("/config/")
    if not base or own != "deploy.yml" or "config/deploy.yml" not in project.files:
        return False
    return not {f"{base}/Gemfile", f"{base}/config/application.rb"} & project.files


def _is_about_processes(project: Project, path: str) -> bool:
    if _YAML.fullmatch(path.rpartition("/")[2].lower()):
        return True
    data = project.data(path)
    return b"containers:" in data and b"apiVersion:" in data


def _commands(
    project: Project, path: str, table: Table, name: str, depth: int
) -> Iterator[Written]:
    """Yield the commands of a table and of those in it; each is called as its table is."""
    own = table.get("name")
    name = own if isinstance(own, str) else name
    for key, line in _lines(table):
        if is_interesting(line):
            number = table.lines.get(key, 0)
            yield Written("supervisor", path, number, (line,), _dir(project, table), name)
    for key, value in table.items() if depth else ():
        for each in cast(list[Any], value) if isinstance(value, list) else [value]:
            if isinstance(each, Table):
                yield from _commands(project, path, each, key, depth - 1)


def _lines(table: Table) -> Iterator[tuple[str, str]]:
    """Yield a container's command with its arguments, and what other keys say alone."""
    both = " ".join(filter(None, (_line(table.get("command")), _line(table.get("args")))))
    if both:
        yield ("command" if "command" in table else "args"), both
    for key in _ALONE:
        line = _line(table.get(key))
        if line:
            yield key, line


def _line(value: Any) -> str:
    if isinstance(value, list):
        words = cast(list[Any], value)
        return shlex.join(words) if all(isinstance(word, str) for word in words) else ""
    return value.strip() if isinstance(value, str) else ""


def _dir(project: Project, table: Table) -> str:
    given = [table.get(key) for key in _DIRS]
    dirs = [each.strip("/").removeprefix("./") for each in given if isinstance(each, str)]
    return next((dir for dir in dirs if dir in project.dirs), ".")


def _quoted(project: Project, path: str) -> Iterator[Written]:
    text = project.text(path)
    for found in _QUOTED.finditer(text):
        value = found[2].replace('\\"', '"') if found[2] else found[3]
        if " " in value and is_interesting(value):
            number = text.count("\n", 0, found.start()) + 1
            yield Written("supervisor", path, number, (value,), directory(path), found[1])


def _daemons(project: Project, path: str) -> Iterator[Written]:
    text = project.text(path)
    for found in _DAEMON.finditer(text):
        number = text.count("\n", 0, found.start()) + 1
        yield Written("supervisor", path, number, (found[1].strip("\"'"),), directory(path))
