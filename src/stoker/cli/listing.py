"""What ``job`` and ``dead`` have in common: a list of jobs, and one job in full."""

from __future__ import annotations

from collections.abc import Sequence

import click

from stoker.broker.base import system_clock
from stoker.cli.records import detail_object, job_object, write_json, write_lines
from stoker.cli.selection import Criteria, find_jobs
from stoker.cli.target import Target, find_job, operate
from stoker.errors import ConfigError
from stoker.job.states import State


def list_them(target: Target, criteria: Criteria, limit: int, *, as_json: bool) -> None:
    """Show the jobs that are meant, ``limit`` at the most."""
    jobs, more = operate(target.open(), lambda app: find_jobs(app, criteria, limit))
    if as_json:
        write_lines(job_object(job) for job in jobs)
    elif not jobs:
        click.echo(_nothing(criteria))
    else:
        from stoker.cli.tables import jobs_table, screen

        screen().print(jobs_table(jobs, system_clock()))
    if more:
        click.echo(f"The first {limit:,}; for more: --limit", err=True)


def _nothing(criteria: Criteria) -> str:
    if criteria.empty:
        return "There are no jobs yet."
    only_dead = criteria == Criteria(states=(State.FAILED,))
    return "There are no dead letters." if only_dead else "There are no such jobs."


def show_one(
    *,
    id: str,
    queues: Sequence[str],
    show_secrets: bool,
    app: str | None,
    url: str | None,
    as_json: bool,
    state: State | None = None,
) -> None:
    """Show the job that ``one_job_options`` said; with ``state``, only if it is in that."""
    detail = operate(Target(app, url).open(), lambda app: find_job(app, id, queues))
    job = detail.job
    if state not in (None, job.state):
        raise ConfigError(
            f"job {id} of queue {job.queue!r} is {job.state}, not {state}",
            hint=f"stoker job show {id}",
        )
    if as_json:
        write_json(detail_object(detail))
        return
    from stoker.cli.details import show
    from stoker.cli.tables import screen

    show(screen(), detail, system_clock(), show_secrets=show_secrets)
