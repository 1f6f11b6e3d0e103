"""Look at a project: manifests, what is written down, the source; then choose."""

from __future__ import annotations

import os

from stoker.sidecar.detect.looking import look
from stoker.sidecar.detection import Detection
from stoker.sidecar.project import Project


def detect(root: str | os.PathLike[str]) -> Detection:
    """Return what was seen below ``root``. Raises ``ConfigError`` if it is no directory."""
    return look(Project(root))
