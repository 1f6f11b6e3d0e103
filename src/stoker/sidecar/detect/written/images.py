"""What every Dockerfile starts by itself, and which directory of the project that is in."""

from __future__ import annotations

from collections.abc import Iterator

from stoker.sidecar.detect.manifests import directory
from stoker.sidecar.detect.written import Written
from stoker.sidecar.detect.written.contents import started_in
from stoker.sidecar.detect.written.dockerfiles import dockerfiles, stages, starts
from stoker.sidecar.project import Project


def read(project: Project) -> Iterator[Written]:
    """Yield what the stages start; what they are built from is mostly their place, or the root."""
    for path in dockerfiles(project):
        if project.is_aside(path):
            continue
        own = directory(path)
        for number, stage in enumerate(stages(project, path)):
            if stage.command or stage.entrypoint:
                name = stage.name.lower() or str(number)
                places = (started_in(project, path, name, context) for context in (own, "."))
                yield Written(
                    "Dockerfile", path, stage.line, starts(stage), next(filter(None, places), own),
                    name=stage.name, dockerfile=path,
                )  # fmt: skip
