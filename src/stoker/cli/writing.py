"""Changes of files: carried out or only shown, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click
from rich.text import Text

from stoker.cli.records import write_json
from stoker.cli.tables import plain, screen, table

if TYPE_CHECKING:
    from stoker.sidecar.write import Change, Folder

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


def how_options(command: F) -> F:
    """Whether to write, or only to say what would be written."""
    for name, text in (
        ("check", "Write nothing; exit with 1 if something would be written."),
        ("diff", "Write nothing; show the differences."),
        ("dry-run", "Write nothing; name the files."),
    ):
        command = click.option(f"--{name}", "how", flag_value=name, help=text)(command)
    return command


def write_or_show(folder: Folder, changes: Sequence[Change], how: How, force: str) -> None:
    """Write, or say what would be written; exit with 1 if ``check`` finds anything.

    ``force``: what ``--force`` does to a person's.
    """
    from stoker.sidecar.write import difference

    if how == "diff":
        click.echo("".join(difference(change) for change in changes), nl=False)
    else:
        _show(changes)
    for change in changes:
        for note in change.notes:
            click.echo(f"note: {change.path}: {plain(note)}; --force {force}", err=True)
        for note in change.gone:
            click.echo(f"note: {change.path}: {plain(note)}", err=True)
    if how == "write":
        folder.apply(changes)
    elif any(map(is_changed, changes)):
        click.echo(f"Nothing was written: --{how} only says what would be.", err=True)
    _fail_if_out_of_date(changes, how)


def write_or_tell(folder: Folder, changes: Sequence[Change], how: How, **more: Any) -> None:
    """Do the same, and write one object: each file with its action, then ``more``."""
    from stoker.sidecar.write import difference

    files = [
        {"path": each.path, "action": each.action, "notes": (*each.notes, *each.gone)}
        | ({"diff": difference(each)} if how == "diff" else {})
        for each in changes
    ]
    if how == "write":
        folder.apply(changes)
    write_json({"how": how, "changed": sum(map(is_changed, changes)), "files": files} | more)
    _fail_if_out_of_date(changes, how)


def is_changed(change: Change) -> bool:
    """Tell if a file will be another than it is."""
    return change.before != change.after


def _fail_if_out_of_date(changes: Sequence[Change], how: How) -> None:
    if how == "check" and any(map(is_changed, changes)):
        raise click.exceptions.Exit(OUT_OF_DATE)


def _show(changes: Iterable[Change]) -> None:
    drawn = table("what", "file")
    drawn.columns[1].overflow = "fold"
    drawn.columns[1].no_wrap = False
    for change in changes:
        drawn.add_row(
            Text(change.action, style=_STYLES.get(change.action, "dim")), Text(plain(change.path))
        )
    if drawn.row_count:
        screen().print(drawn)
