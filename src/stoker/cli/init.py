"""``stoker init``: a worker in an application that has none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stoker.cli.seeing import need_extra, path_argument
from stoker.cli.tables import plain
from stoker.cli.writing import How, how_options, write_or_show

if TYPE_CHECKING:
    from stoker.sidecar.scaffold import Layout


@click.command(
    short_help="Begin with a worker in your application.",
    epilog="Example: stoker init . --diff",
)
@path_argument
@how_options
def init(path: Path, how: How | None) -> None:
    """Put a worker beside the Python application in PATH: a package, a rule, and containers.

    The worker may import the application, never the other way round; lint-imports checks it.
    What is there already stays as it is.
    """
    need_extra()
    from stoker.sidecar.render import File, render
    from stoker.sidecar.scaffold import contract, files, look_at, plan, worker_folder
    from stoker.sidecar.write import Change, Folder, decide

    layout = look_at(path)
    folder = Folder(path)
    begun = files(layout)
    present = folder.read(begun)
    changes = [
        Change(name, "unchanged", present[name], present[name])
        if name in present
        else Change(name, "create", None, text)
        for name, text in begun.items()
    ]
    wanted = render(plan(layout))
    if rule := contract(layout):
        wanted["pyproject.toml"] = File("pyproject.toml", rule, join="block")
    write_or_show(
        folder, changes + decide(wanted, folder.read(wanted), force=False), how or "write"
    )
    if how is None:
        readme = plain(f"{path / worker_folder(layout)}/README.md")
        click.echo(f"\nNext: {_next(layout)}; {readme} says the rest.")


_ADD = {"uv": "uv add", "poetry": "poetry add", "pdm": "pdm add", "pipenv": "pipenv install"}


def _next(layout: Layout) -> str:
    stoker = "'stoker[redis]'" if "redis" in layout.seen.brokers else "stoker"
    return f"{_ADD.get(layout.manager, 'pip install')} {stoker} import-linter"
