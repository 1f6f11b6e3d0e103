"""What Kubernetes calls what the plan has."""

from __future__ import annotations

import re
from collections.abc import Iterable

from stoker.sidecar.plan import Plan
from stoker.sidecar.render.seal import checksum

_LONGEST = 100


def dns(name: str) -> str:
    """Return a name as Kubernetes takes it."""
    return re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")[:63].strip("-")


def secret_name(plan: Plan) -> str:
    """Return the Secret that holds what the operator says."""
    return f"{dns(plan.name)}-env"


def file_secret_names(plan: Plan, places: Iterable[str]) -> dict[str, str]:
    """Return the Secret of each file of variables of the project's own: no two are called alike."""
    names: dict[str, str] = {}
    for place in dict.fromkeys(places):
        words = re.sub(r"[^a-z0-9]+", "-", place.lower()).strip("-")[:_LONGEST].strip("-")
        name = f"{dns(plan.name)}-file-{words or 'env'}"
        taken = name in names.values()
        names[place] = f"{name}-{checksum(place)[:6]}" if taken else name
    return names
