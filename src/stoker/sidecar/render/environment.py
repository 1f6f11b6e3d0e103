"""``.env.example``: what the operator has to say, without any value that is secret."""

from __future__ import annotations

from collections.abc import Iterator

from stoker.sidecar.interpolation import asked
from stoker.sidecar.plan import Plan
from stoker.sidecar.render.compose import document
from stoker.sidecar.render.files import File
from stoker.sidecar.render.places import NAMES, path_of

_SAID = frozenset({"COMPOSE_PROJECT_NAME", "HOME", "PATH", "PWD", "SHELL", "USER"})
"""By Compose itself, or by every shell."""


def render(plan: Plan) -> Iterator[File]:
    """Yield the file, if there is anything to say.

    It has all that the files for development and production ask for, whoever wrote these: our
    services go into a person's file, too, and Compose starts none of it before each is said.
    """
    made = [document(plan, mode, path_of(plan, mode)) for mode in NAMES]
    told = [store.told for store in plan.stores]
    names = {*plan.secrets, *asked(made), *asked(told)} - _SAID
    if names:
        lines = [f"{name}=" for name in sorted(names)]
        yield File(".env.example", "\n".join(lines) + "\n", join="lines")
