"""Which modules taskiq's worker is given, so that it knows the tasks in files of their own.

It looks for ``tasks.py`` by itself (``-fsd``), and for no other file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from stoker.sidecar.detect.source import Inferred
from stoker.sidecar.detect.source.python_imports import imported
from stoker.sidecar.detect.source.python_modules import PythonSource

_FOUND = "-fsd"
_FOUND_FILE = "tasks.py"
_MOST = 8
"""Modules on a command line: more are a matter of the project's own pattern."""
_PATTERN = re.compile(rb"--tasks-pattern| -tp[ =]")
"""Somebody wrote down which files have tasks."""
_CELERY = re.compile(r"^[ \t]*(?:from|import)\s+celery\b", re.MULTILINE)


def outside(source: PythonSource, worker: Inferred) -> list[str]:
    """Return the files with tasks of the worker's broker that it does not know by itself."""
    project = source.project
    written = [*project.suffixed("yml", "yaml", "sh", "toml", "md"), *project.named("Procfile")]
    if any(project.telling(written, _PATTERN)):
        return []
    home = worker.evidence[0].path
    name = re.escape(worker.app.partition(":")[2])
    defines = re.compile(rf"^[ \t]*@(?:\w+\.)*(?:{name}|async_shared_broker)\.task\b", re.M)
    known = {home, *(file for file, _, _ in imported(source, home))}
    found: list[str] = []
    for path in source.speaking_of(".task"):
        text = project.text(path)
        if path not in known and defines.search(text) and not _CELERY.search(text):
            found.append(path)
    return found


def loading(source: PythonSource, each: Inferred, files: Sequence[str]) -> Inferred:
    """Return a process of taskiq's, given the modules that it would not find."""
    named = [path for path in files if path.rpartition("/")[2] != _FOUND_FILE]
    modules = [source.module_name(path) for path in named]
    if not 0 < len(named) <= _MOST or any(dir != each.dir for _, dir in modules):
        return each
    words = [word for word in each.words if word != _FOUND or len(named) < len(files)]
    return msgspec.structs.replace(each, words=(*words, *(name for name, _ in modules)))
