"""``.env.example``: what the operator has to say, without any value that is secret."""

from __future__ import annotations

from collections.abc import Iterator

from stoker.sidecar.plan import Plan
from stoker.sidecar.render import stores
from stoker.sidecar.render.compose import path_of
from stoker.sidecar.render.files import File
from stoker.sidecar.render.given import given_in, secrets


def render(plan: Plan) -> Iterator[File]:
    """Yield the file, if there is anything to say."""
    names = dict.fromkeys(plan.secrets)
    production = path_of(plan, "prod")
    for store in plan.stores:
        theirs = store.existing and production in plan.compose_files
        if (name := stores.secret(store)) and not theirs:
            names[name] = None
    own = {name for store in plan.stores for name in store.variables}
    for service in plan.services:
        found = given_in(service, production, "prod")
        if found and found.path != production:
            names |= dict.fromkeys(name for name in secrets(found) if name not in own)
    if names:
        lines = [f"{name}=" for name in sorted(names)]
        yield File(".env.example", "\n".join(lines) + "\n", join="lines")
