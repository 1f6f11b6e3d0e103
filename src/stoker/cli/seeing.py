"""``stoker sidecar detect``, ``plan`` and ``explain``: what was seen, and what it leads to."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path

import click
from rich.text import Text

from stoker.cli.options import json_option
from stoker.cli.records import write_json
from stoker.cli.tables import plain, screen, table
from stoker.errors import ConfigError
from stoker.sidecar.detection import Detection, Evidence
from stoker.sidecar.plan import Plan

path_argument = click.argument(
    "path", type=click.Path(exists=True, file_okay=False, path_type=Path), default="."
)


_EXTRA = (
    "ruamel.yaml",
    "tree_sitter",
    "tree_sitter_go",
    "tree_sitter_javascript",
    "tree_sitter_rust",
    "tree_sitter_typescript",
)
"""The modules of the extra ``sidecar``."""


def need_extra() -> None:
    """Raise ``ConfigError``, the same for every command, where the extra is not installed."""
    for module in _EXTRA:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError:
            raise ConfigError(
                f"stoker sidecar needs {module}, which is not installed",
                hint="pip install 'stoker[sidecar]'",
            ) from None


def seen(path: Path, *, force: bool = False) -> Detection:
    """Look at a project. Raises ``ConfigError`` where the extra is not installed."""
    need_extra()
    from stoker.sidecar.detect import detect as look_at

    return look_at(path, force=force)


def planned(path: Path, *, force: bool = False) -> Plan:
    """Return the plan for a project as it is now."""
    need_extra()
    from stoker.sidecar.planning import make_plan

    return make_plan(seen(path, force=force), path.resolve().name)


@click.command(
    short_help="Show a project's workers.",
    epilog="Example: stoker sidecar detect ~/src/shop. It reads only; nothing there is executed.",
)
@path_argument
@json_option
def detect(path: Path, as_json: bool) -> None:
    """Show the workers of the project in PATH: how they start, their queues and brokers."""
    found = seen(path)
    if as_json:
        write_json(found)
        return
    console = screen()
    if found.units:
        drawn = table("role", "framework", "command", "in", "queues", "seen in")
        for column in ("command", "queues", "seen in"):
            _fold(drawn, column)
        for unit in found.units:
            drawn.add_row(
                unit.role,
                unit.framework or "custom",
                Text(plain(" ".join(unit.command))),
                Text(plain(unit.dir)),
                Text(plain(", ".join(unit.queues) or "-")),
                Text(plain(_places(unit.evidence[:1]))),
            )
        console.print(drawn)
    else:
        click.echo("No worker of its own was found.")
    for each in found.embedded:
        click.echo(plain(f"{each.framework} in {each.dir}: runs inside the app: {each.reason}"))
    for use in found.uses:
        names = ", ".join(use.variables) or "no variable is read"
        click.echo(plain(f"broker: {use.kind} ({names})"))
    show_notes(found.notes)


@click.command(
    short_help="Show which containers would be written.",
    epilog="Example: stoker sidecar plan --json > plan.json; edit it; "
    "stoker sidecar generate --plan plan.json",
)
@path_argument
@json_option
def plan(path: Path, as_json: bool) -> None:
    """Show the containers that the project in PATH needs."""
    made = planned(path)
    if as_json:
        write_json(made)
        return
    if not made.services:
        click.echo("No containers: stoker sidecar explain says why.")
        return
    drawn = table("service", "role", "command", "stop", "needs")
    _fold(drawn, "command")
    for service in made.services:
        drawn.add_row(
            service.name,
            service.role,
            Text(plain(" ".join(service.command))),
            f"{service.stop_signal} {service.stop_grace}s",
            ", ".join(service.needs) or "-",
        )
    for store in made.stores:
        origin = "in the project" if store.existing else store.image
        drawn.add_row(store.name, "store", origin, "", "")
    screen().print(drawn)
    show_notes(made.notes)


@click.command(
    short_help="Show why: each decision with its evidence.",
    epilog="Example: stoker sidecar explain ~/src/shop",
)
@path_argument
@json_option
def explain(path: Path, as_json: bool) -> None:
    """Show every decision about the project in PATH, the evidence, and what else there was."""
    made = planned(path)
    if as_json:
        write_json(made.decisions)
        return
    for decision in made.decisions:
        click.echo(click.style(plain(decision.what), bold=True))
        click.echo(f"  why: {plain(decision.why)}")
        for evidence in decision.evidence:
            click.echo(f"  {plain(_places([evidence]))}  {plain(evidence.text)}".rstrip())
        for other in decision.alternatives:
            click.echo(f"  or: {plain(other)}")
    show_notes(made.notes)


def _fold(drawn: object, name: str) -> None:
    for column in getattr(drawn, "columns", ()):
        if column.header == name:
            column.no_wrap, column.overflow = False, "fold"


def _places(evidence: Iterable[Evidence]) -> str:
    return ", ".join(f"{each.path}:{each.line}" if each.line else each.path for each in evidence)


def show_notes(notes: Iterable[str]) -> None:
    """Say what was seen and could not be decided."""
    for note in notes:
        click.echo(plain(f"note: {note}"), err=True)
