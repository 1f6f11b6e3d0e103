"""Python's own programs: ``python worker.py``, ``python -m app.worker``, a console script."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from typing import Any

from stoker.sidecar.detect.candidates import Program, Start
from stoker.sidecar.detect.grammar import Launch
from stoker.sidecar.detect.packages import table
from stoker.sidecar.detect.source import WORKERISH, merged_queues
from stoker.sidecar.detect.source.python_modules import PythonSource

_PYTHON = re.compile(r"(?:\S*/)?(python[0-9.]*|pypy3?)$")


def python_program(source: PythonSource) -> Program:
    """Return what tells whether a command is a worker's script."""
    scripts = _console_scripts(source)

    def program(start: Start, dir: str) -> Launch | None:
        words = start.step.words
        path = _script(source, words, dir, scripts)
        if not path:
            return None
        follow = WORKERISH.search(" ".join((posixpath.basename(path), *words[2:]))) is not None
        framework, sites = source.program(path, follow=follow)
        if framework is None:
            return None
        return Launch(framework, "worker", words, path, merged_queues(sites))

    return program


def _console_scripts(source: PythonSource) -> dict[str, str]:
    found: dict[str, str] = {}
    for path, data in source.manifests.tables.items():
        if path.endswith("pyproject.toml"):
            groups: list[dict[str, Any]] = [
                table(data, "project", "scripts"),
                table(data, "tool", "poetry", "scripts"),
            ]
            for group in groups:
                found |= {name: str(value) for name, value in group.items()}
    return found


def _script(source: PythonSource, words: Sequence[str], dir: str, scripts: dict[str, str]) -> str:
    if _PYTHON.match(words[0]) and len(words) > 1:
        rest = [word for word in words[1:] if not word.startswith("-") or word == "-m"]
        if rest[:1] == ["-m"] and len(rest) > 1:
            found = source.find(rest[1], dir)
            return found[0] if found else ""
        name = rest[0] if rest else ""
    elif words[0].endswith(".py"):
        name = words[0]
    elif words[0] in scripts:
        found = source.find(scripts[words[0]], dir)
        return found[0] if found else ""
    else:
        return ""
    for base in (dir, "."):
        path = posixpath.normpath(posixpath.join(base, name.lstrip("/")))
        if path in source.project.files:
            return path
    close = [path for path in source.paths if path.endswith(f"/{posixpath.basename(name)}")]
    return close[0] if len(close) == 1 else ""
