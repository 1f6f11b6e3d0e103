"""``stoker sidecar detect``, ``plan`` and ``explain``: what a project is, and what would be written."""

from __future__ import annotations

from pathlib import Path

import click

from stoker.cli.options import json_option
from stoker.cli.records import write_json
from stoker.errors import ConfigError
from stoker.sidecar.detection import Detection

path_argument = click.argument("path", default=".", type=click.Path(path_type=Path))


def _detected(path: Path) -> Detection:
    try:
        from stoker.sidecar.detect import detect as look_at
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"stoker sidecar needs a package that is not here: {error.name}",
            hint="pip install 'stoker[sidecar]'",
        ) from error
    return look_at(path)


@click.command()
@path_argument
@json_option
def detect(path: Path, as_json: bool) -> None:
    """Show what a project's workers are: how they start, their queues, their brokers."""
    found = _detected(path)
    if as_json:
        write_json(found)
        return
