"""Files of variables, ``.env`` and those that a compose file names: read as Compose reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from stoker.sidecar.detect.shell import defaults
from stoker.sidecar.project import Project

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]{0,127})\s*=\s*(.*)")
_QUOTED = re.compile(r"""(["'])(.*?)(?<!\\)\1""")
_ASKED = re.compile(r"\$\{(\w+)(?::?[-?=][^{}]*)?\}|\$([A-Za-z_]\w*)")
_LONGEST = 2_048


def read_variables(project: Project, path: str) -> Iterator[tuple[str, str]]:
    """Yield the variables of a file; none if it is not there."""
    known: dict[str, str] = {}
    for line in project.lines(path):
        found = _LINE.match(line) if len(line) <= _LONGEST else None
        if found is not None:
            quoted = _QUOTED.match(found[2])
            text = quoted[2] if quoted else re.split(r"\s#", found[2])[0].strip()
            known[found[1]] = text if quoted and quoted[1] == "'" else filled(text, known)
    yield from known.items()


def filled(text: str, known: Mapping[str, str]) -> str:
    """Return a text with the variables that are known, and the defaults of others."""
    parts = (
        defaults(_ASKED.sub(lambda found: known.get(found[1] or found[2]) or found[0], part))
        for part in text.split("$$")
    )
    return "$".join(parts)
