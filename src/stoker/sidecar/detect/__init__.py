"""Look at a project: manifests, what is written down, the source; then choose."""

from __future__ import annotations

import os

from stoker.errors import ConfigError
from stoker.sidecar.detect.looking import look
from stoker.sidecar.detection import Detection
from stoker.sidecar.project import Project
from stoker.sidecar.write.changes import without_ours
from stoker.sidecar.write.finding import may_be_ours


def detect(root: str | os.PathLike[str], *, force: bool = False) -> Detection:
    """Return what was seen below ``root``. Raises ``ConfigError`` if it is no directory.

    What Stoker wrote there itself is no evidence: else its own files would change the next plan.
    With ``force``, a service of its that a person changed since is none, either.
    """
    project = Project(root)
    project.pretend(_without_ours(project, force=force))
    return look(project)


def _without_ours(project: Project, *, force: bool) -> dict[str, str | None]:
    texts: dict[str, str | None] = {}
    for path in project.ordered:
        if may_be_ours(path) and "stoker" in (text := project.text(path)):
            try:
                texts[path] = without_ours(path, text, force=force)
            except ConfigError:
                continue  # it cannot be read: the detectors say so, with its line
    return texts
