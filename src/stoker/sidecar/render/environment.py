"""``.env.example``: what the operator has to say, without any value that is secret."""

from __future__ import annotations

from collections.abc import Iterator

from stoker.sidecar.interpolation import asked
from stoker.sidecar.plan import Plan, Service, started
from stoker.sidecar.render import commands
from stoker.sidecar.render.compose import document
from stoker.sidecar.render.files import File
from stoker.sidecar.render.places import path_of
from stoker.sidecar.secrets import is_secret


def render(plan: Plan) -> Iterator[File]:
    """Yield the file, if there is anything to say.

    It has what the file for production asks for, whoever wrote that: our services go into a
    person's file, too, and ask for their broker's password there.
    """
    production = document(plan, "prod", path_of(plan, "prod"))
    development = document(plan, "dev", path_of(plan, "dev"))
    own = {name for service in started(plan) for name in _own(service)}
    own |= {name for store in plan.stores for name in asked(store.told)}
    names = {*plan.secrets, *asked(production), *own.intersection(asked(development))}
    if names:
        lines = [f"{name}=" for name in sorted(names)]
        yield File(".env.example", "\n".join(lines) + "\n", join="lines")


def _own(service: Service) -> Iterator[str]:
    """Yield what a service asks for because it was written down with its secrets."""
    yield from commands.asked(service, service.dev_command or service.command)
    yield from (name for name, value in service.environment.items() if is_secret(name, value))
