"""How long a worker is told to wait for its running jobs when it is stopped."""

from __future__ import annotations

import posixpath
import re

import msgspec

from stoker.sidecar.detect.grammar.words import options
from stoker.sidecar.detection import Unit
from stoker.sidecar.project import Project

_SETTINGS = ("config/sidekiq.yml", "config/sidekiq.yml.erb")
_TOLD = re.compile(r"^\s*:?timeout:\s*(?:<%=.*?)?(\d{1,5})\b", re.MULTILINE)
"""At the top, or for one environment; of a variable its default."""


def with_timeout(project: Project, unit: Unit) -> Unit:
    """Return a worker of Sidekiq with what its command or its settings say, the longest of them.

    Killed before that, it puts no job back.
    """
    if unit.framework != "sidekiq" or unit.role != "worker":
        return unit
    said = [text for text in options(unit.command, "-t", "--timeout") if text.isdecimal()]
    if not said:
        named = options(unit.command, "-C", "--config")[:1] or list(_SETTINGS)
        paths = (posixpath.normpath(posixpath.join(unit.dir, each)) for each in named)
        texts = (project.text(path) for path in paths if path in project.files)
        said = [found for text in texts for found in _TOLD.findall(text)]
    seconds = [int(each) for each in said if len(each) < 6]
    return msgspec.structs.replace(unit, timeout=max(seconds)) if seconds else unit
