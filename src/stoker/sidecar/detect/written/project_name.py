"""What a project is called, where its compose files say so."""

from __future__ import annotations

import re

from stoker.sidecar.detect.written.compose import compose_files
from stoker.sidecar.detect.yaml import load
from stoker.sidecar.interpolation import settled
from stoker.sidecar.plan import own_files
from stoker.sidecar.project import Project

_NAMED = re.compile(rb"^name\s*:", re.MULTILINE)


def project_name(project: Project) -> str:
    """Return it as the first of them has it; empty where Compose takes the directory's name.

    A file of Stoker's counts, too: where it lies in another directory, the project is the same.
    """
    paths = compose_files(project)
    named = set(project.telling(paths, _NAMED))
    for path in (each for use in (False, True) for each in own_files(paths, production=use)):
        name = load(project, path).get("name") if path in named else None
        if isinstance(name, str) and (plain := settled(name)):
            return plain
    return ""
