"""Look at a project: manifests, what is written down, the source; then choose."""

from __future__ import annotations

import os

import msgspec

from stoker.errors import ConfigError
from stoker.sidecar.detect.looking import look
from stoker.sidecar.detect.written.project_name import project_name
from stoker.sidecar.detection import Detection
from stoker.sidecar.ours import may_be_ours
from stoker.sidecar.project import Project


def detect(root: str | os.PathLike[str], *, force: bool = False) -> Detection:
    """Return what was seen below ``root``. Raises ``ConfigError`` if it is no directory.

    With ``force``, a service of Stoker's that a person changed since is no evidence, either.
    """
    project = Project(root)
    name = project_name(project)
    project.pretend(_without_ours(project, force=force))
    return msgspec.structs.replace(look(project), name=name)


def opened(root: str | os.PathLike[str], *, force: bool = False) -> Project:
    """Return the project below ``root``, without what Stoker wrote there itself.

    That is no evidence: else its own files would change the next plan.
    """
    project = Project(root)
    project.pretend(_without_ours(project, force=force))
    return project


def _without_ours(project: Project, *, force: bool) -> dict[str, str | None]:
    own = [path for path in project.ordered
           if may_be_ours(path) and b"stoker" in project.data(path)]  # fmt: skip
    if not own:
        return {}
    from stoker.sidecar.write.changes import without_ours  # most projects have nothing of it

    texts: dict[str, str | None] = {}
    for path in own:
        try:
            texts[path] = without_ours(path, project.text(path), force=force)
        except ConfigError:
            continue  # it cannot be read: the detectors say so, with its line
    return texts
