"""How the app comes to what stands beside its workers in production, where it is in no file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stoker.sidecar.plan import Plan
from stoker.sidecar.render import stores
from stoker.sidecar.render.places import path_of
from stoker.sidecar.render.yaml import one_line

_ASKED = re.compile(r"(\$\{\w+):\?[^}]*\}")


def reached(plan: Plan) -> Iterator[str]:
    """Yield a line on the network, and one for each broker and database: what leads to it.

    A file for production of the project's own has the app, or is for who knows where that is.
    """
    written = [store for store in plan.stores if stores.written(store)]
    if path_of(plan, "prod") in plan.compose_files or not written:
        return
    yield f"The app is not in here: it joins the network {plan.name}_default, and is told"
    for store in written:
        told = stores.variables(store, "prod").items()
        yield "  " + " ".join(one_line(f"{name}={_shown(value)}") for name, value in told)


def _shown(value: str) -> str:
    """Return a value without what Compose says where the operator says nothing."""
    return _ASKED.sub(r"\1}", value)
