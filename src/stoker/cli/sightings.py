"""For people: what was seen of a project, what it leads to, and why."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

import click
from rich.table import Table
from rich.text import Text

from stoker.cli.tables import plain, screen, table
from stoker.sidecar.detection import Detection, Evidence
from stoker.sidecar.plan import Plan, Service, Store
from stoker.sidecar.secrets import masked, masked_line


def show_detection(found: Detection) -> None:
    """Show the workers, where they were seen, and the brokers that they need."""
    console = screen()
    if found.units:
        drawn = table("role", "framework", "command", "in", "queues", "seen in")
        for column in ("command", "queues", "seen in"):
            _fold(drawn, column)
        for unit in found.units:
            drawn.add_row(
                unit.role,
                unit.framework or "custom",
                Text(plain(masked_line(unit.command))),
                Text(plain(unit.dir)),
                Text(plain(", ".join(unit.queues) or "-")),
                Text(plain(_places(unit.evidence[:1]))),
            )
        console.print(drawn)
    else:
        click.echo("No worker of its own was found.")
    for each in found.embedded:
        reason = masked(each.reason)
        click.echo(plain(f"{each.framework} in {each.dir}: runs inside the app: {reason}"))
    if found.web:
        line = masked_line(found.web.command)
        click.echo(plain(f"app: {line} ({_places(found.web.evidence[:1])})"))
    for use in found.uses:
        names = ", ".join(use.variables) or "no variable is read"
        click.echo(plain(f"broker: {use.kind} ({names})"))
    show_notes(found.notes)


def show_plan(made: Plan) -> None:
    """Show the containers, and the stores beside them."""
    if not made.services:
        click.echo("No containers: stoker sidecar explain says why.")
        return
    drawn = table("service", "role", "command", "stop", "needs")
    _fold(drawn, "command")
    for service in (*made.services, *([made.app] if made.app else [])):
        drawn.add_row(
            service.name,
            _role(made, service),
            Text(plain(masked_line(service.command))),
            f"{service.stop_signal} {service.stop_grace}s",
            ", ".join(service.needs) or "-",
        )
    console = screen()
    console.print(drawn)
    if made.stores:
        console.print()
        console.print(_stores(made))
    show_notes(made.notes)


def _role(made: Plan, service: Service) -> str:
    if service is not made.app:
        return service.role
    return "app, with --app" if made.app_offered else "app"


def _stores(made: Plan) -> Table:
    drawn = table("store", "kind", "from", "variables")
    _fold(drawn, "variables")
    for store in made.stores:
        drawn.add_row(
            store.name,
            store.kind,
            Text(plain(_origin(store))),
            Text(plain(", ".join(store.variables))),
        )
    return drawn


def _origin(store: Store) -> str:
    if store.outside:
        return f"elsewhere: {urlsplit(store.outside).hostname}"
    if store.existing:
        return "the project's compose file"
    return "a file, on a volume that all share" if store.kind == "sqlite" else store.image


def show_decisions(made: Plan) -> None:
    """Show every decision, the evidence, and what else there was."""
    for decision in made.decisions:
        click.echo(click.style(plain(decision.what), bold=True))
        click.echo(f"  why: {plain(decision.why)}")
        lines = (f"{_places([each])}  {_shown(each)}" for each in decision.evidence)
        for line in dict.fromkeys(lines):  # one line may show several things
            click.echo(f"  {plain(line)}".rstrip())
        for other in decision.alternatives:
            click.echo(f"  also possible: {plain(other)}")
    show_notes(made.notes)


def _fold(drawn: object, name: str) -> None:
    for column in getattr(drawn, "columns", ()):
        if column.header == name:
            column.no_wrap, column.overflow = False, "fold"


def _shown(evidence: Evidence) -> str:
    """Return the line itself, or else what it shows."""
    return evidence.text or ("" if evidence.note == "source" else evidence.note)


def _places(evidence: Iterable[Evidence]) -> str:
    return ", ".join(f"{each.path}:{each.line}" if each.line else each.path for each in evidence)


def show_notes(notes: Iterable[str]) -> None:
    """Say what was seen and could not be decided."""
    for note in notes:
        click.echo(plain(f"note: {note}"), err=True)
