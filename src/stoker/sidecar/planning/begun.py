"""The worker that ``stoker init`` begins, known by its module: what was begun stays as it is."""

from __future__ import annotations

from stoker.sidecar.detection import Unit

PACKAGE = "bg_worker"
APP = f"{PACKAGE}.main:app"
SERVICE = "bg-worker"


def is_begun(each: Unit) -> bool:
    """Tell if a unit is the worker that ``init`` began."""
    return each.framework == "stoker" and APP in each.command


def dockerfile(source: str) -> str:
    """Return where its Dockerfile is: in its package, which is in the folder ``source``."""
    return f"{PACKAGE}/Dockerfile" if source == "." else f"{source}/{PACKAGE}/Dockerfile"
