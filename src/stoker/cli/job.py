"""``stoker job``: single jobs and many, in any state."""

from __future__ import annotations

from typing import Any

import click

from stoker.cli.bulk import Order, carry_out
from stoker.cli.listing import list_them, show_one
from stoker.cli.options import (
    bulk_options,
    filter_options,
    json_option,
    limit_option,
    one_job_options,
    reason_option,
    state_option,
    target_options,
)
from stoker.cli.records import write_lines
from stoker.cli.selection import Criteria
from stoker.cli.target import Target, find_job, operate
from stoker.cli.verbs import CANCEL, FORCE_REMOVE, PROMOTE, REMOVE, RETRY
from stoker.job.states import State


@click.group(epilog="Example: stoker job ls --queue mail --state failed --since 2h")
def job() -> None:
    """Look after jobs."""


@job.command(
    "ls",
    short_help="Show jobs.",
    epilog="Example: stoker job ls --state active,waiting --limit 100",
)
@filter_options
@state_option
@limit_option
@target_options
@json_option
def list_jobs(app: str | None, url: str | None, as_json: bool, limit: int, **criteria: Any) -> None:
    """Show jobs: those that run, wait, are delayed, have failed, are completed."""
    list_them(Target(app, url), Criteria(**criteria), limit, as_json=as_json)


@job.command(epilog="Example: stoker job show 17 --queue mail")
@one_job_options
def show(**given: Any) -> None:
    """Show all there is to know about a job."""
    show_one(**given)


@job.command(epilog="Example: stoker job logs 17")
@one_job_options
def logs(
    id: str,
    queues: tuple[str, ...],
    show_secrets: bool,
    app: str | None,
    url: str | None,
    as_json: bool,
) -> None:
    """Show what a job has logged."""
    detail = operate(Target(app, url).open(), lambda app: find_job(app, id, queues))
    if as_json:
        write_lines(detail.logs)
        return
    from stoker.cli.details import log_line
    from stoker.cli.secrets import Redaction
    from stoker.cli.tables import plain

    redacted = str if show_secrets else Redaction(detail.job.data)
    for line in detail.logs:
        click.echo(plain(redacted(log_line(line))))


@job.command(
    short_help="Run failed jobs again.",
    epilog="Example: stoker job retry --queue mail --reason timeout --since 1d",
)
@bulk_options
@state_option
@reason_option
def retry(**given: Any) -> None:
    """Run failed jobs again from the start, completed ones only with --state completed.

    Those that somebody cancelled are left out, unless --reason cancelled or an id names them.

    A job that is named by its id and waits for its next attempt is tried now.
    """
    carry_out(RETRY, *split(**given))


@job.command(epilog="Example: stoker job promote 17")
@bulk_options
def promote(**given: Any) -> None:
    """Let delayed jobs run now."""
    carry_out(PROMOTE, *split(**given))


@job.command(
    short_help="End unfinished jobs for good.",
    epilog="Example: stoker job cancel --task send_mail --queue mail",
)
@bulk_options
@state_option
def cancel(**given: Any) -> None:
    """End unfinished jobs for good, running ones too; they become dead letters."""
    carry_out(CANCEL, *split(**given))


@job.command(epilog="Example: stoker job rm --state completed --until 30d")
@bulk_options
@state_option
@click.option("--force", is_flag=True, help="Running jobs, too: they are interrupted.")
def rm(force: bool, **given: Any) -> None:
    """Delete jobs."""
    carry_out(FORCE_REMOVE if force else REMOVE, *split(**given))


def split(
    *,
    ids: tuple[str, ...],
    everything: bool,
    yes: bool,
    dry_run: bool,
    app: str | None,
    url: str | None,
    as_json: bool,
    states: tuple[State, ...] = (),
    **criteria: Any,
) -> tuple[Target, Order]:
    """Return what ``bulk_options`` said: where, and who is meant."""
    order = Order(ids, Criteria(states=states, **criteria), everything, yes, as_json, dry_run)
    return Target(app, url), order
