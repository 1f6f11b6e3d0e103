"""What Compose calls the project: the same in all of its files, whoever wrote them."""

from __future__ import annotations

import posixpath
import re

from stoker.sidecar.detection import Detection
from stoker.sidecar.plan import own_files
from stoker.sidecar.planning.names import slug

_LONGEST = 63


def project_of(detection: Detection, name: str) -> tuple[str, bool]:
    """Return what Compose calls the project, and if new files leave that to their directory.

    Those of a person's in another directory, without a name, have the name of that one.
    """
    paths = detection.files.get("compose", ())
    own = [each for use in (False, True) for each in own_files(paths, production=use)]
    if not own:
        return slug(name), False
    if not detection.unnamed:
        return _as_compose(detection.name) or slug(name), False
    home = posixpath.dirname(own[0])
    return _as_compose(posixpath.basename(home) or name) or slug(name), not home


def _as_compose(text: str) -> str:
    """Return what Compose makes of a directory's name."""
    return re.sub(r"[^a-z0-9_-]+", "", text.lower()).lstrip("_-")[:_LONGEST]
