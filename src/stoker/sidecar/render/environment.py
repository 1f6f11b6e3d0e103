"""``.env.example``: what the operator has to say, without any value that is secret."""

from __future__ import annotations

from collections.abc import Iterator

from stoker.sidecar.plan import Plan, started
from stoker.sidecar.render import commands
from stoker.sidecar.render.compose import document, path_of
from stoker.sidecar.render.files import File
from stoker.sidecar.render.interpolation import asked
from stoker.sidecar.secrets import is_secret


def render(plan: Plan) -> Iterator[File]:
    """Yield the file, if there is anything to say.

    It has what the file for production asks for, whoever wrote that: our services go into a
    person's file, too, and ask for their broker's password there.
    """
    production = document(plan, "prod", path_of(plan, "prod"))
    names = {*plan.secrets, *asked(production)}
    for service in started(plan):
        names |= {*commands.asked(service, service.dev_command or service.command)}
        names |= {name for name, value in service.environment.items() if is_secret(name, value)}
    if names:
        lines = [f"{name}=" for name in sorted(names)]
        yield File(".env.example", "\n".join(lines) + "\n", join="lines")
