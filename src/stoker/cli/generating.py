"""``stoker sidecar generate`` and ``remove``: what is planned, on disk and off it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from stoker.cli.kept import KEPT, kept
from stoker.cli.options import json_option
from stoker.cli.seeing import need_extra, path_argument, planned, refuse_unreadable
from stoker.cli.sightings import show_notes
from stoker.cli.tables import plain
from stoker.cli.writing import How, how_options, is_changed, write_or_show, write_or_tell
from stoker.sidecar.plan import Plan, decode

_FORCE = click.option(
    "--force", is_flag=True, help="Replace also what a person wrote or changed since."
)


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
@json_option
def generate(
    path: Path,
    target: str,
    mode: str | None,
    plan_file: Any,
    app: bool,
    scripts: bool,
    how: How | None,
    force: bool,
    as_json: bool,
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
        wanted,
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
    files = most if app else wanted(plan, present, targets, modes)
    changes = decide(files, present, force=force)
    offered = list(offers(plan, folder.read(package_manifests(plan))))
    todo = [*changes, *(offered if scripts else ())]
    added = additions(most, changes)
    said = [*plan.notes, *_left_out(path, files)]
    if as_json:
        notes = [*said, *_nothing(plan, files, app=app)]
        offers_made = [
            *_offers("--app", added),
            *([] if scripts else _offers("--scripts", offered)),
        ]
        write_or_tell(folder, todo, how or "write", notes=notes, offers=offers_made)
        return
    write_or_show(folder, todo, how or "write", "replaces it")
    show_notes(said)
    if how is None and any(map(is_changed, changes)):
        click.echo(
            "\nNext:\n" + "".join(f"  {plain(line)}\n" for line in _next(plan, files, path)),
            nl=False,
        )
    for each in _nothing(plan, files, app=app):
        click.echo(each, err=True)
    _offer("To have the app beside its workers, too (--app adds it)", added)
    if not scripts:
        _offer("To start the worker without containers, too (--scripts adds it)", offered)


@click.command(short_help="Take out what Stoker wrote.")
@path_argument
@how_options
@_FORCE
@json_option
def remove(path: Path, how: How | None, force: bool, as_json: bool) -> None:
    """Take everything that Stoker wrote out of the project in PATH, and nothing else."""
    need_extra()
    from stoker.sidecar.write import Folder, decide_removal, written_by_stoker

    folder = Folder(path)
    present = folder.read(written_by_stoker(path))
    changes = decide_removal(present, force=force)
    if as_json:
        write_or_tell(folder, changes, how or "write")
    else:
        write_or_show(folder, changes, how or "write", "takes it out")


def _left_out(path: Path, files: Mapping[str, Any]) -> Iterator[str]:
    """Yield which files git leaves out: they are missing for everybody else."""
    from stoker.sidecar.ignored import left_out

    if names := left_out(path.resolve(), sorted(files)):
        yield (
            f".gitignore leaves out {', '.join(names)}: a clone has none of it, and --check fails "
            "there; take it back with a line that begins with !, or git add --force"
        )


def _nothing(plan: Plan, files: Mapping[str, Any], *, app: bool) -> Iterator[str]:
    """Yield what was asked for and comes to nothing."""
    if not files:
        yield "No worker needs a container here: stoker sidecar explain says why."
    if app and plan.app is None:
        yield "--app adds nothing: stoker sidecar explain says what is known of it."


def _next(plan: Plan, files: Mapping[str, Any], path: Path) -> Iterator[str]:
    from stoker.sidecar.render import MODES, has_app, opened, path_of, reached, start, unseen

    titles = {"dev": "development: ", "prod": "production:  "}
    if ".env.example" in files:
        if (path / ".env").exists():
            yield "settings:    add to .env what it has not of .env.example"
        else:
            yield "settings:    cp .env.example .env, and fill it in"
    for mode in MODES:
        if path_of(plan, mode) in files:
            yield titles[mode] + start(plan, mode)
            again = unseen(plan) if mode == "dev" else ()
            yield from (f"             after an edit: {line}" for line in again)
    if path_of(plan, "prod") in files:
        yield from (f"             {line}" for line in reached(plan))
    if any(path.endswith(("/devcontainer.json", "/.devcontainer.json")) for path in files):
        why = "" if has_app(plan) else ": nothing here starts the app"
        yield f"editor:      the development container opens in {opened(plan)}{why}"
    if "kubernetes/kustomization.yaml" in files:
        yield "Kubernetes:  kubernetes/kustomization.yaml says how"


def _offer(what: str, offered: Sequence[Any]) -> None:
    from stoker.sidecar.write import difference

    if offered:
        click.echo(f"\n{what}:\n", err=True)
        click.echo("".join(difference(change) for change in offered), err=True, nl=False)


def _offers(option: str, offered: Sequence[Any]) -> list[dict[str, str]]:
    from stoker.sidecar.write import difference

    return [{"option": option, "path": each.path, "diff": difference(each)} for each in offered]
