"""``stoker sidecar generate`` and ``remove``: what is planned, on disk and off it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import click
from rich.text import Text

from stoker.cli.kept import KEPT, kept
from stoker.cli.seeing import need_extra, path_argument, planned, refuse_unreadable
from stoker.cli.sightings import show_notes
from stoker.cli.tables import plain, screen, table
from stoker.sidecar.plan import decode

F = TypeVar("F", bound=Callable[..., Any])
How = Literal["write", "dry-run", "diff", "check"]

OUT_OF_DATE = 1
_STYLES = {
    "create": "green",
    "update": "yellow",
    "delete": "red",
    "keep": "bold",
    "unchanged": "dim",
}

_FORCE = click.option(
    "--force", is_flag=True, help="Replace also what a person wrote or changed since."
)


def how_options(command: F) -> F:
    """Whether to write, or only to say what would be written."""
    for name, text in (
        ("check", "Write nothing; exit with 1 if something would be written."),
        ("diff", "Write nothing; show the differences."),
        ("dry-run", "Write nothing; name the files."),
    ):
        command = click.option(f"--{name}", "how", flag_value=name, help=text)(command)
    return command


@click.command(
    short_help="Write containers for the workers.",
    epilog="Example: stoker sidecar generate . --target all --diff",
)
@path_argument
@click.option(
    "--target",
    type=click.Choice(["compose", "devcontainer", "kubernetes", "all"]),
    default="compose",
    show_default=True,
    help="What to write them for.",
)
@click.option("--dev", "mode", flag_value="dev", help="Only for development.")
@click.option("--prod", "mode", flag_value="prod", help="Only for production.")
@click.option(
    "--plan",
    "plan_file",
    type=click.File("rb"),
    help="Take this plan (- is standard input), as stoker sidecar plan --json prints it; by "
    f"default {KEPT} in PATH, if it is there.",
)
@click.option("--app", is_flag=True, help="Also add the app to the project's own compose file.")
@click.option("--scripts", is_flag=True, help="Also add the scripts offered for package.json.")
@how_options
@_FORCE
def generate(
    path: Path,
    target: str,
    mode: str | None,
    plan_file: Any,
    app: bool,
    scripts: bool,
    how: How | None,
    force: bool,
) -> None:
    """Write what the workers of the project in PATH need to run beside its app.

    Files of a person's are extended and never replaced, unless with --force. Twice is as once.
    """
    need_extra()
    from stoker.sidecar.render import MODES, TARGETS, Mode, Target, render
    from stoker.sidecar.write import (
        Folder,
        additions,
        decide,
        offers,
        package_manifests,
        was_added,
        with_app,
    )

    given = decode(plan_file.read(), plan_file.name) if plan_file else kept(path)
    plan = given or planned(path, force=force)
    targets: list[Target] = [name for name in TARGETS if target in (name, "all")]
    modes: list[Mode] = [name for name in MODES if mode in (name, None)]
    if given is None:
        refuse_unreadable(path, plan)
    folder = Folder(path)
    most = render(with_app(plan), targets, modes)
    present = folder.read(most)
    files = most if app or was_added(plan, present) else render(plan, targets, modes)
    changes = decide(files, present, force=force)
    offered = list(offers(plan, folder.read(package_manifests(plan))))
    carry_out(folder, [*changes, *(offered if scripts else ())], how or "write")
    show_notes(plan.notes)
    if how is None and any(change.before != change.after for change in changes):
        click.echo(
            "\nNext:\n" + "".join(f"  {plain(line)}\n" for line in _next(plan, files, path)),
            nl=False,
        )
    if not files:
        click.echo("No worker needs a container here: stoker sidecar explain says why.", err=True)
    if app and plan.app is None:
        click.echo("--app adds nothing: stoker sidecar explain says what is known of it.", err=True)
    _offer("To have the app beside its workers, too (--app adds it)", additions(most, changes))
    if not scripts:
        _offer("To start the worker without containers, too (--scripts adds it)", offered)


@click.command(short_help="Take out what Stoker wrote.")
@path_argument
@how_options
@_FORCE
def remove(path: Path, how: How | None, force: bool) -> None:
    """Take everything that Stoker wrote out of the project in PATH, and nothing else."""
    need_extra()
    from stoker.sidecar.write import Folder, decide_removal, written_by_stoker

    folder = Folder(path)
    present = folder.read(written_by_stoker(path))
    carry_out(folder, decide_removal(present, force=force), how or "write")


def carry_out(folder: Any, changes: Sequence[Any], how: How) -> None:
    """Write, or say what would be written; exit with 1 if ``check`` finds anything."""
    from stoker.sidecar.write import difference

    if how == "diff":
        click.echo("".join(difference(change) for change in changes), nl=False)
    else:
        _show(changes)
    for change in changes:
        for note in change.notes:
            click.echo(f"note: {change.path}: {plain(note)}; --force replaces it", err=True)
    if how == "write":
        folder.apply(changes)
    elif how == "check" and any(change.before != change.after for change in changes):
        raise click.exceptions.Exit(OUT_OF_DATE)


def _show(changes: Iterable[Any]) -> None:
    drawn = table("what", "file")
    drawn.columns[1].overflow = "fold"
    drawn.columns[1].no_wrap = False
    for change in changes:
        drawn.add_row(
            Text(change.action, style=_STYLES.get(change.action, "dim")), Text(plain(change.path))
        )
    if drawn.row_count:
        screen().print(drawn)


def _next(plan: Any, files: Mapping[str, Any], path: Path) -> Iterator[str]:
    from stoker.sidecar.render import MODES, path_of, start

    titles = {"dev": "development: ", "prod": "production:  "}
    if ".env.example" in files:
        if (path / ".env").exists():
            yield "settings:    add to .env what it has not of .env.example"
        else:
            yield "settings:    cp .env.example .env, and fill it in"
    yield from (titles[mode] + start(plan, mode) for mode in MODES if path_of(plan, mode) in files)
    if "kubernetes/kustomization.yaml" in files:
        yield "Kubernetes:  kubernetes/kustomization.yaml says how"


def _offer(what: str, offered: Sequence[Any]) -> None:
    from stoker.sidecar.write import difference

    if offered:
        click.echo(f"\n{what}:\n", err=True)
        click.echo("".join(difference(change) for change in offered), err=True, nl=False)
