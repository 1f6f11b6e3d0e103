"""Whether a file of Go was generated: nobody configures anything in there."""

from __future__ import annotations

import re

from stoker.sidecar.project import Project

_HEAD = 2_048
"""Bytes that a licence and the line have room in."""
_SAYS = re.compile(rb"(?:(?://[^\n]*)?\r?\n)*?// Code generated [^\n]* DO NOT EDIT\.\r?\n")
"""As Go's tools tell it: by a line of its own, above the package's."""


def is_generated(project: Project, path: str) -> bool:
    """Tell if a file of Go says that a program wrote it."""
    return path.endswith(".go") and _SAYS.match(project.data(path)[:_HEAD]) is not None
