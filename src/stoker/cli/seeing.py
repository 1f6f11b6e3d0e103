"""``stoker sidecar detect``, ``plan`` and ``explain``: what was seen, and what it leads to.

What draws it is imported where it is drawn: JSON needs nothing of it.
"""

from __future__ import annotations

import gc
from importlib.util import find_spec
from pathlib import Path

import click

from stoker.cli.kept import say_kept
from stoker.cli.options import json_option
from stoker.cli.records import write_json
from stoker.errors import missing
from stoker.sidecar.detection import Detection
from stoker.sidecar.plan import Decision, Plan

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
    """Raise ``ConfigError``, the same for every command, where the extra is not installed.

    They are looked for and not imported: of the grammars each project needs one or two.
    """
    for module in _EXTRA:
        try:
            found = find_spec(module)
        except ModuleNotFoundError:  # what it is a part of is missing
            found = None
        if found is None:
            raise missing("stoker sidecar", module, "sidecar")


def seen(path: Path, *, force: bool = False) -> Detection:
    """Look at a project. Raises ``ConfigError`` where the extra is not installed."""
    need_extra()
    from stoker.sidecar.detect import detect as look_at

    collected = gc.isenabled()
    gc.disable()  # what is seen is kept to the end: looking for rubbish in between finds none
    try:
        return look_at(path, force=force)
    finally:
        gc.freeze()  # nor is there any in what stays: at its end Python would look through it all
        if collected:
            gc.enable()


def planned(path: Path, *, force: bool = False) -> Plan:
    """Return the plan for a project as it is now."""
    need_extra()
    from stoker.sidecar.planning import make_plan

    found = seen(path, force=force)
    return make_plan(found, found.name or path.resolve().name)


def refuse_unreadable(path: Path, found: Detection | Plan) -> None:
    """Raise ``ConfigError`` where a compose file cannot be read: what it starts is not known.

    Only what a note is about is read again.
    """
    files = found.compose_files if isinstance(found, Plan) else found.files.get("compose", ())
    if any(note.startswith(f"{file}:") for file in files for note in found.notes):
        from stoker.sidecar.write import refuse_unreadable as refuse

        refuse(path, files)


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
        from stoker.sidecar.shown import shown_detection

        write_json(shown_detection(found))
    else:
        from stoker.cli.sightings import show_detection

        show_detection(found)
    say_kept(path, as_json=as_json)
    refuse_unreadable(path, found)


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
        from stoker.sidecar.shown import shown_plan

        write_json(shown_plan(made))
    else:
        from stoker.cli.sightings import show_plan

        show_plan(made)
    say_kept(path, as_json=as_json)
    refuse_unreadable(path, made)


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
        write_json([*made.decisions, *(Decision("note", note) for note in made.notes)])
    else:
        from stoker.cli.sightings import show_decisions

        show_decisions(made)
    say_kept(path, as_json=as_json)
    refuse_unreadable(path, made)
