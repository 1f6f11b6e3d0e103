"""``stoker dead``: the jobs that failed for good."""

from __future__ import annotations

from typing import Any

import click

from stoker.cli.bulk import carry_out
from stoker.cli.job import split
from stoker.cli.listing import list_them, show_one
from stoker.cli.options import (
    bulk_options,
    filter_options,
    json_option,
    limit_option,
    one_job_options,
    reason_option,
    target_options,
)
from stoker.cli.selection import Criteria
from stoker.cli.target import Target
from stoker.cli.verbs import PURGE, REPLAY
from stoker.job.states import State


@click.group(short_help="Look after dead letters.", epilog="Example: stoker dead ls --since 1d")
def dead() -> None:
    """Look after dead letters: the jobs that have failed for good."""


@dead.command("ls", epilog="Example: stoker dead ls --queue mail --reason timeout,crashed")
@filter_options
@reason_option
@limit_option
@target_options
@json_option
def list_dead(app: str | None, url: str | None, as_json: bool, limit: int, **criteria: Any) -> None:
    """Show dead letters, the newest first."""
    chosen = Criteria(states=(State.FAILED,), **criteria)
    list_them(Target(app, url), chosen, limit, as_json=as_json)


@dead.command(short_help="Show a dead letter in full.", epilog="Example: stoker dead show 17")
@one_job_options
def show(**given: Any) -> None:
    """Show a dead letter: its error with the traceback, its data, its attempts, its log."""
    show_one(**given, state=State.FAILED)


@dead.command(epilog="Example: stoker dead replay --queue mail --reason timeout --since 1d")
@bulk_options
@reason_option
def replay(**given: Any) -> None:
    """Run dead letters again from the start.

    Those that somebody cancelled are left out, unless --reason cancelled or an id names them.
    """
    carry_out(REPLAY, *split(**given))


@dead.command(epilog="Example: stoker dead purge --until 30d")
@bulk_options
@reason_option
def purge(**given: Any) -> None:
    """Delete dead letters."""
    carry_out(PURGE, *split(**given))
