"""What the file for production says of the app, which is in no file.

How it comes to what stands beside its workers, and what it makes that these do not start without.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from stoker.sidecar.plan import Plan, Store, project_of
from stoker.sidecar.render import stores
from stoker.sidecar.render.places import called, path_of
from stoker.sidecar.render.yaml import one_line

_ASKED = re.compile(r"(\$\{\w+):\?[^}]*\}")


def reached(plan: Plan) -> Iterator[str]:
    """Yield a line on the network, and one for each broker and database: what leads to it.

    A file for production of the project's own has the app, or is for who knows where that is.
    """
    written = [store for store in plan.stores if stores.written(store)]
    if not _is_apart(plan) or not written:
        return
    yield f"The app is not in here: it joins the network {project_of(plan)}_default, and is told"
    for store in written:
        told = stores.variables(store, "prod").items()
        yield "  " + " ".join(one_line(f"{name}={_shown(value)}") for name, value in told)
    for store in written:
        yield from map(one_line, _data(store))


def _data(store: Store) -> Iterator[str]:
    """Yield whether it has the data that its service has where people develop.

    Both are often one Compose project, whose service it takes the place of.
    """
    volume = stores.volume(store)
    if volume in store.kept:
        yield f"{store.name} keeps its data on the volume {volume}, as in development: if it has"
        yield "  any already, its password is the one that it was made with"
    elif own := stores.left(store):
        yield f"{store.name} begins without data, on the volume {volume}: what it has in"
        yield f"  development stays where it is, {own}"


def prepared(plan: Plan) -> Iterator[str]:
    """Yield what makes the tables that workers need, each command once."""
    path = path_of(plan, "prod")
    commands = {each.prepared: each for each in plan.services if each.prepared}
    for words, service in commands.items() if _is_apart(plan) else ():
        run = ("docker", "compose", "-f", path, "run", "--rm", called(plan, service, path), *words)
        yield "Until the app has made its tables, the worker starts again and again. To make them:"
        yield f"  {one_line(shlex.join(run))}"


def _is_apart(plan: Plan) -> bool:
    """Tell if the file for production is a new one: the project's own has the app."""
    return path_of(plan, "prod") not in plan.compose_files


def _shown(value: str) -> str:
    """Return a value without what Compose says where the operator says nothing."""
    return _ASKED.sub(r"\1}", value)
