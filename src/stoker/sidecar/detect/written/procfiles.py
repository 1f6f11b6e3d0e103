"""Procfiles: ``name: command`` by the line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stoker.sidecar.detect.manifests import directory
from stoker.sidecar.detect.written import Written
from stoker.sidecar.project import Project

_LINE = re.compile(r"^([A-Za-z0-9_-]+):\s*(.+)$")


def read(project: Project) -> Iterator[Written]:
    """Yield every line of every Procfile."""
    for path in project.matching(r"procfile([._-][\w.-]+)?"):
        if project.is_aside(path):
            continue
        for number, line in enumerate(project.lines(path), 1):
            found = _LINE.match(line)
            if found and found[1] != "release":
                shell = found[2].replace('\\"', '"')  # as if the platform quoted the line itself
                yield Written("Procfile", path, number, (shell,), directory(path), name=found[1])
