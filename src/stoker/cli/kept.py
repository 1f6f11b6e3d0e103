"""The plan that is kept with a project: ``generate`` takes it, the others show what is seen."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from stoker.sidecar.plan import Plan, decode

KEPT = "sidecar.json"
"""A plan that somebody edited, kept with the project that it is for."""
_NOTE = (
    f"{KEPT} is this project's plan, and generate takes that one: here is what is seen without it"
)


def kept(path: Path) -> Plan | None:
    """Return the plan that is kept with a project, if there is one."""
    file = path / KEPT
    return decode(file.read_bytes(), str(file)) if file.is_file() else None


def say_kept(path: Path, *, as_json: bool) -> None:
    """Say on stderr that what is shown is not what ``generate`` takes.

    An empty file is just being written: ``plan --json > sidecar.json``.
    """
    file = path / KEPT
    if file.is_file() and file.stat().st_size:
        click.echo(msgspec.json.encode({"note": _NOTE}) if as_json else f"note: {_NOTE}", err=True)
