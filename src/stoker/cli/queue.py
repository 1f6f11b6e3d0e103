"""``stoker queue``: the lines of jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import click

from stoker.app import Stoker
from stoker.broker.base import QueueStats, system_clock
from stoker.cli.bulk import Order, carry_out
from stoker.cli.options import (
    dry_run_option,
    json_option,
    queues_argument,
    span,
    state_option,
    target_options,
    yes_option,
)
from stoker.cli.records import queue_object, write_lines
from stoker.cli.selection import Criteria
from stoker.cli.target import Target, chosen_queues, operate
from stoker.cli.verbs import CLEAN
from stoker.job.states import State
from stoker.queue import Queue


@click.group(epilog="Example: stoker queue ls --url sqlite:///stoker.db")
def queue() -> None:
    """Look after queues."""


@queue.command("ls", epilog="Example: stoker queue ls")
@target_options
@json_option
def list_queues(app: str | None, url: str | None, as_json: bool) -> None:
    """Show every queue with its number of jobs in each state."""
    stats = operate(Target(app, url).open(), lambda app: app.queues())
    if as_json:
        write_lines(queue_object(queue) for queue in stats)
    elif not stats:
        click.echo("There are no queues yet.")
    else:
        from stoker.cli.tables import queues_table, screen

        screen().print(queues_table(stats))


@queue.command(
    short_help="Give out no more jobs of a queue.", epilog="Example: stoker queue pause mail"
)
@queues_argument
@target_options
@json_option
def pause(queues: tuple[str, ...], app: str | None, url: str | None, as_json: bool) -> None:
    """Give out no more jobs of a queue, to any worker; those that run go on."""
    stats = operate(Target(app, url).open(), lambda app: _each(app, queues, Queue.pause))
    _tell(stats, as_json)


@queue.command(epilog="Example: stoker queue resume mail")
@queues_argument
@target_options
@json_option
def resume(queues: tuple[str, ...], app: str | None, url: str | None, as_json: bool) -> None:
    """Give out the jobs of a queue again."""
    stats = operate(Target(app, url).open(), lambda app: _each(app, queues, Queue.resume))
    _tell(stats, as_json)


@queue.command(
    short_help="Delete finished jobs.", epilog="Example: stoker queue clean mail --older-than 7d"
)
@queues_argument
@click.option(
    "--older-than", type=span(), metavar="DURATION", help="Only what finished that long ago."
)
@state_option
@yes_option
@dry_run_option
@target_options
@json_option
def clean(
    queues: tuple[str, ...],
    older_than: int | None,
    states: tuple[State, ...],
    yes: bool,
    dry_run: bool,
    app: str | None,
    url: str | None,
    as_json: bool,
) -> None:
    """Delete finished jobs: the completed ones, or those that --state names."""
    until = None if older_than is None else system_clock() - older_than
    criteria = Criteria(queues=queues, states=states, until=until)
    carry_out(
        CLEAN, Target(app, url), Order((), criteria, yes=yes, as_json=as_json, dry_run=dry_run)
    )


async def _each(
    app: Stoker, names: Sequence[str], change: Callable[[Queue], Awaitable[None]]
) -> list[QueueStats]:
    queues = [app.queue(name) for name in await chosen_queues(app, names)]
    for queue in queues:
        await change(queue)
    return [await queue.stats() for queue in queues]


def _tell(stats: Sequence[QueueStats], as_json: bool) -> None:
    if as_json:
        write_lines(queue_object(queue) for queue in stats)
        return
    for queue in stats:
        waiting = queue.counts.get(State.WAITING, 0)
        state = "paused" if queue.paused else "not paused"
        click.echo(f"{queue.name} is {state}; jobs waiting: {waiting:,}")
