"""What Kubernetes calls what the plan has."""

from __future__ import annotations

import re

from stoker.sidecar.plan import Plan

_LONGEST = 100


def dns(name: str) -> str:
    """Return a name as Kubernetes takes it."""
    return name.replace("_", "-").strip("-")


def secret_name(plan: Plan) -> str:
    """Return the Secret that holds what the operator says."""
    return f"{dns(plan.name)}-env"


def file_secret_name(plan: Plan, place: str) -> str:
    """Return the Secret that holds what a file of variables of the project's own does."""
    words = re.sub(r"[^a-z0-9]+", "-", place.lower()).strip("-")[:_LONGEST].strip("-")
    return f"{dns(plan.name)}-file-{words or 'env'}"
