"""``stoker init``: a worker in an application that has none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stoker.cli.kept import KEPT, kept
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
    from stoker.sidecar.planning.begun import APP
    from stoker.sidecar.render import File, render
    from stoker.sidecar.scaffold import contract, look_at, plan, worker_folder
    from stoker.sidecar.write import Change, Folder, decide, wanted, with_app

    layout = look_at(path)
    folder = Folder(path)
    begun = layout.begun
    present = folder.read(begun)
    changes = [
        Change(name, "unchanged", present[name], present[name])
        if name in present
        else Change(name, "create", None, text)
        for name, text in begun.items()
    ]
    given = kept(path)
    made = given or plan(layout)  # as generate does: else each would undo the other
    made_files = wanted(made, folder.read(render(with_app(made))))
    if rule := contract(layout):
        made_files["pyproject.toml"] = File("pyproject.toml", rule, join="block")
    changes += decide(made_files, folder.read(made_files), force=False)
    write_or_show(folder, changes, how or "write", "of stoker sidecar generate replaces it")
    if given and not any(APP in service.command for service in given.services):
        click.echo(_NOT_PLANNED, err=True)
    if how is None:
        lines = _next(layout, worker_folder(layout))
        click.echo("\nNext:\n" + "".join(f"  {plain(line)}\n" for line in lines), nl=False)


_NOT_PLANNED = (
    f"note: {KEPT} is this project's plan, without the worker, and so it gets no container: "
    f"stoker sidecar plan --json prints a plan that has it"
)
_ADD = {"uv": "uv add", "poetry": "poetry add", "pdm": "pdm add", "pipenv": "pipenv install"}


def _next(layout: Layout, folder: str) -> Iterator[str]:
    from stoker.sidecar.planning.begun import PACKAGE

    extra = "'.[redis]'" if "redis" in layout.seen.brokers else "."
    add = _ADD.get(layout.manager, "pip install")
    yield f"here:            pip install {extra} in a clone of Stoker; {add} import-linter"
    if f"{folder}/requirements.txt" in layout.begun:
        yield (
            f"its image:       {folder}/requirements.txt names Stoker, as the application's "
            "dependencies do not: it says what to do where no index of yours has it"
        )
    if several := ", ".join(layout.side_by_side):
        names = ", ".join(f'"{name}*"' for name in (*layout.packages, PACKAGE))
        yield (
            f"pyproject.toml:  [tool.setuptools.packages.find] include = [{names}]: "
            f"setuptools refuses to choose among {several}, and pip install . fails"
        )
    yield f"a job:           {folder}/README.md says the rest"
