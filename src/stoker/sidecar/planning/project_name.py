"""What Compose calls the project: the same in its files and in ours, wherever it lies."""

from __future__ import annotations

import re

from stoker.sidecar.detection import Detection
from stoker.sidecar.planning.names import slug

_LONGEST = 63


def project_of(detection: Detection, name: str) -> str:
    """Return what Compose calls the project; ``name`` is its directory's.

    Without a name in their files Compose takes the directory's, and so do ours. What these were
    written with stays in a clone that lies in another directory.
    """
    return _as_compose(detection.name or name) or slug(name)


def _as_compose(text: str) -> str:
    """Return what Compose makes of a directory's name."""
    return re.sub(r"[^a-z0-9_-]+", "", text.lower()).lstrip("_-")[:_LONGEST]
