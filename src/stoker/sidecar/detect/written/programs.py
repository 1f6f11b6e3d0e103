"""Which program a Dockerfile builds, where an argument says it: ``go build ./cmd/${BIN}``."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator

from stoker.sidecar.detect.shell import split
from stoker.sidecar.detect.written import joined_lines
from stoker.sidecar.detection import Choice
from stoker.sidecar.project import Project

_BUILDS = re.compile(r"\b(go|cargo)\s+(?:build|install)\b([^&;|\n]*)")
_ARGUMENT = re.compile(r"\s*ARG\s+(\w+)", re.IGNORECASE)
_CHOSEN = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?-[^{}]*)?\})")


def choice(project: Project, path: str) -> Choice | None:
    """Return how a Dockerfile is told which program to build, if it builds one that it is told."""
    lines = [line for _, line in joined_lines(project, path)]
    arguments = {found[1] for line in lines if (found := _ARGUMENT.match(line))}
    built = {target for line in lines for target in _targets(line)}
    target = built.pop() if len(built) == 1 else ""
    found = _CHOSEN.search(target)
    argument = (found[1] or found[2]) if found else ""
    if found is None or argument not in arguments:
        return None
    return Choice(argument, target[: found.start()], target[found.end() :])


def _targets(line: str) -> Iterator[str]:
    """Yield what a line builds: a package of Go, a binary of Rust."""
    for tool, rest in _BUILDS.findall(line):
        words = split(rest)
        if tool == "cargo":
            pairs = itertools.pairwise(words)
            yield from (after for word, after in pairs if word == "--bin")
            yield from (word[6:] for word in words if word.startswith("--bin="))
        elif words:
            last = words[-1].rstrip("/")
            yield posixpath.dirname(last) if last.endswith("/main.go") else last
