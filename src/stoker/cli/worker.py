"""``stoker worker``: runs jobs until it is told to stop."""

from __future__ import annotations

import logging
import shlex
import shutil
import sys
import textwrap
import time
from contextlib import AsyncExitStack

import click
from click.core import ParameterSource

from stoker.app import Stoker
from stoker.cli.faults import told
from stoker.cli.journal import ALWAYS, AT_TIMES, Journal
from stoker.cli.loading import load
from stoker.cli.options import queues_option, span, whole
from stoker.cli.starting import Stopping, reach
from stoker.config import MEMORY, WorkerSettings
from stoker.errors import ConfigError
from stoker.job.duration import describe
from stoker.job.states import State
from stoker.worker import Worker, garbage, signals
from stoker.worker.leave import run_and_leave

DEFAULTS = WorkerSettings()

_log = logging.getLogger("stoker.worker")


@click.command(
    short_help="Run jobs.",
    epilog="Example: stoker worker shop.jobs:app -q mail,reports -c 32. SIGTERM and Ctrl-C let "
    "running jobs end for the grace period; a second one hands them back now.",
)
@click.argument("app", envvar="STOKER_APP", metavar="MODULE:APP")
@queues_option(
    "-q",
    "--queues",
    envvar="STOKER_QUEUES",
    show_envvar=True,
    help="Take jobs only from these, by turns.  [default: all that have tasks]",
)
@click.option(
    "-c",
    "--concurrency",
    type=whole(1),
    metavar="NUMBER",
    default=DEFAULTS.concurrency,
    show_default=True,
    envvar=["STOKER_CONCURRENCY", "WORKER_CONCURRENCY"],
    show_envvar=True,
    help="Jobs at once.",
)
@click.option(
    "--processes",
    type=whole(1),
    metavar="NUMBER",
    envvar="STOKER_PROCESSES",
    show_envvar=True,
    help='Child processes for tasks with run_in="process".  [default: one for each core]',
)
@click.option(
    "--burst",
    is_flag=True,
    envvar="STOKER_BURST",
    show_envvar=True,
    help="Stop when nothing is left to do.",
)
@click.option(
    "--grace",
    type=span(),
    default=describe(DEFAULTS.grace_ms),
    show_default=True,
    envvar="STOKER_GRACE",
    show_envvar=True,
    metavar="DURATION",
    help="How long running jobs may go on after a stop was asked for.",
)
@click.option(
    "--lease",
    type=span(least="1s"),
    default=describe(DEFAULTS.lease_ms),
    show_default=True,
    envvar="STOKER_LEASE",
    show_envvar=True,
    metavar="DURATION",
    help="How long this worker's jobs stay its own after its death; other workers take them back "
    f"within {describe(1.2 * DEFAULTS.recover_ms)} after that.",
)
@click.option(
    "--max-stalls",
    type=whole(0),
    metavar="NUMBER",
    default=DEFAULTS.max_stalls,
    show_default=True,
    envvar="STOKER_MAX_STALLS",
    show_envvar=True,
    help="How often a job may take its process down, beside its attempts, and run again.",
)
@click.option(
    "--name",
    default="",
    envvar="STOKER_NAME",
    show_envvar=True,
    help="What people see of it.  [default: host:process]",
)
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    envvar="STOKER_VERBOSE",
    show_envvar=True,
    help="Log every job, and tracebacks.",
)
def worker(
    app: str,
    queues: tuple[str, ...],
    concurrency: int,
    processes: int | None,
    burst: bool,
    grace: int,
    lease: int,
    max_stalls: int,
    name: str,
    verbose: bool,
) -> None:
    """Run the jobs of an application: MODULE:APP, or MODULE if it has one app only."""
    loaded = load(app)
    set_up_logging(verbose=verbose)
    settings = WorkerSettings(
        name=name,
        queues=queues,
        concurrency=concurrency,
        processes=processes or 0,
        burst=burst,
        lease_ms=lease,
        grace_ms=grace,
        max_stalls=max_stalls,
    )
    run_and_leave(_work(loaded, settings, Journal(verbose=verbose)), told)


def set_up_logging(*, verbose: bool) -> None:
    """Log to stderr, unless the application has set up its logging itself."""
    day = "" if sys.stderr.isatty() else "%Y-%m-%d "
    logging.basicConfig(  # does nothing if there are handlers already
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)-7s %(message)s",
        datefmt=f"{day}%H:%M:%S",
    )
    stoker = logging.getLogger("stoker")
    if stoker.level == logging.NOTSET:
        stoker.setLevel(logging.DEBUG if verbose else logging.INFO)


async def _work(app: Stoker, settings: WorkerSettings, journal: Journal) -> None:
    stopping = Stopping()
    async with AsyncExitStack() as last:
        # Outside of this, when all jobs are settled, the signals are the system's again.
        with signals.caught(stopping.tell):
            worker = await stopping.unless_stopped(_start(app, settings, last))
            if worker is None:
                return
            began = time.monotonic()
            end = journal.begin()
            garbage.settle()
            try:
                await worker.run()
            finally:
                end()
        _sum_up(journal, time.monotonic() - began)
        if settings.burst:
            await _tell_delayed(app, worker.settings.queues)
            await _tell_paused(app, worker.settings.queues)


async def _start(app: Stoker, settings: WorkerSettings, last: AsyncExitStack) -> Worker:
    await reach(app, burst=settings.burst)
    await last.enter_async_context(app)
    try:
        worker = await app.worker(settings)
    except ConfigError as error:
        if set(settings.queues).difference(app.registry.queues()) and _from_environment("queues"):
            error.hint = "; ".join(filter(None, [error.hint, "the queues are from STOKER_QUEUES"]))
        raise
    _introduce(app, worker.settings)
    if not settings.burst:
        await _tell_paused(app, worker.settings.queues)
    return worker


def _from_environment(parameter: str) -> bool:
    source = click.get_current_context().get_parameter_source(parameter)
    return source is ParameterSource.ENVIRONMENT


def _introduce(app: Stoker, settings: WorkerSettings) -> None:
    handlers = [each for each in app.registry.handlers() if each.queue in settings.queues]
    children = any(handler.run_in == "process" for handler in handlers)
    rows = {
        "broker": app.url.described,
        "queues": ", ".join(settings.queues),
        "tasks": ", ".join(f"{handler.name} ({handler.run_in})" for handler in handlers),
        "at once": f"{settings.concurrency} jobs"
        + (f", {settings.processes} of them in child processes" if children else ""),
        "times": f"lease {describe(settings.lease_ms)}, grace {describe(settings.grace_ms)}",
    }
    click.echo(f"stoker worker {settings.name}{' (burst)' if settings.burst else ''}", err=True)
    width = shutil.get_terminal_size().columns
    for name, value in rows.items():
        lines = textwrap.fill(
            value, width, initial_indent=f"  {name:<9}", subsequent_indent=" " * 11,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
        click.echo(lines, err=True)
    if settings.processes < settings.concurrency:
        for advice in app.registry.advice(settings.queues):
            _log.warning("%s", advice)
    if app.url.path == MEMORY:
        _log.warning("jobs in memory: no other process can add any, and they end with this one")


def _sum_up(journal: Journal, seconds: float) -> None:
    words = [*ALWAYS, *(word for word in AT_TIMES if journal.counts[word])]
    parts = [f"{journal.counts[word]:,} {word}" for word in words]
    _log.info("stopped: %s in %s", ", ".join(parts), describe(seconds * 1_000))


async def _tell_delayed(app: Stoker, queues: tuple[str, ...]) -> None:
    broker = await app.client.broker()
    delayed = sum(stats.counts.get(State.DELAYED, 0) for stats in await broker.queues(queues))
    if delayed:
        _log.info("nothing is left to do now; jobs that are delayed: %s", f"{delayed:,}")


async def _tell_paused(app: Stoker, queues: tuple[str, ...]) -> None:
    broker = await app.client.broker()
    for stats in await broker.queues(queues):
        if stats.paused:
            waiting = stats.counts.get(State.WAITING, 0)
            _log.warning(
                "queue %s is paused; jobs waiting in it: %s (stoker queue resume %s lets them run)",
                stats.name,
                f"{waiting:,}",
                shlex.quote(stats.name),
            )
