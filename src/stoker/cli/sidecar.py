"""``stoker sidecar``: containers for the workers of any project. Its commands, found when used."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "detect": "seeing",
    "plan": "seeing",
    "explain": "seeing",
    "generate": "generating",
    "remove": "generating",
}
"""Command → the module of ``stoker.cli`` that has it."""


class _Sidecar(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return getattr(importlib.import_module(f"stoker.cli.{COMMANDS[cmd_name]}"), cmd_name)


@click.group(cls=_Sidecar, epilog="Example: stoker sidecar generate . --target all --diff")
def sidecar() -> None:
    """See a project's workers, and write the containers they need."""
