"""``.env.example``: what the operator has to say, without any value that is secret."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from stoker.sidecar.interpolation import asked
from stoker.sidecar.plan import Plan
from stoker.sidecar.render.compose import together
from stoker.sidecar.render.files import File
from stoker.sidecar.render.places import NAMES, path_of

_SAID = frozenset({"COMPOSE_PROJECT_NAME", "HOME", "PATH", "PWD", "SHELL", "USER"})
"""By Compose itself, or by every shell."""


def render(plan: Plan) -> Iterator[File]:
    """Yield the file, if there is anything to say.

    It has all that the files for development and production ask for, whoever wrote these: our
    services go into a person's file, too, and Compose starts none of it before each is said.
    Of what the source asks for it has what is taken from ``.env``, and not from other files.
    """
    made = {path: together(plan, mode, path) for mode in NAMES for path in [path_of(plan, mode)]}
    told = [store.told for store in plan.stores]
    taken = {name for path, each in made.items() for name in _taken(plan, path, each)}
    names = {*taken, *asked(made.values()), *asked(told)} - _SAID
    if names:
        lines = [f"{name}=" for name in sorted(names)]
        yield File(".env.example", "\n".join(lines) + "\n", join="lines")


def _taken(plan: Plan, path: str, made: Mapping[str, Any]) -> Iterator[str]:
    """Yield those that the source asks for which services of a compose file have from ``.env``."""
    folder = posixpath.dirname(path)
    for service in made["services"].values():
        values = service.get("environment", {})
        asked = (*plan.secrets, *plan.settings)
        yield from (name for name in asked if values.get(name, "") is None)
        for each in service.get("env_file", ()):
            place = each if isinstance(each, str) else each["path"]
            if posixpath.normpath(posixpath.join(folder, place)) == ".env":
                yield from asked
