"""``.env.example``: what the operator has to say, without any value that is secret."""

from __future__ import annotations

from collections.abc import Iterator

from stoker.sidecar.plan import Plan
from stoker.sidecar.render import stores
from stoker.sidecar.render.files import File


def render(plan: Plan) -> Iterator[File]:
    """Yield the file, if there is anything to say."""
    names = dict.fromkeys(plan.secrets)
    for store in plan.stores:
        if (name := stores.secret(store)) and not store.existing:
            names[name] = None
    if names:
        lines = [f"{name}=" for name in sorted(names)]
        yield File(".env.example", "\n".join(lines) + "\n", join="lines")
