"""``stoker demo``: Stoker at work, on the example application or on a tiny one of its own."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from stoker.app import Stoker
from stoker.broker.base import QueueStats
from stoker.config import BrokerURL, WorkerSettings
from stoker.errors import ConfigError
from stoker.job.states import FINISHED, State

DEPOT = Path(__file__).resolve().parents[3] / "examples" / "depot"
"""Where the example application is in the source tree; an installed wheel has none."""
LOOK_SECONDS = 0.1
SHOWS = {
    "greetings": "async tasks on the event loop",
    "pictures": "plain functions in threads",
    "numbers": "CPU work in child processes",
    "deliveries": "fail once, are tried again",
    "payments": "fail for good: dead letters",
    "reminders": "are due in an hour",
}


@click.command(
    short_help="Show Stoker at work.",
    context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]},
    epilog="Example: stoker demo --small",
)
@click.option("--small", is_flag=True, help="The small one, even where the examples are at hand.")
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF THE EXAMPLE]...")
def demo(small: bool, options: tuple[str, ...]) -> None:
    """Show Stoker at work: jobs of each kind, retries, dead letters, and how to look further."""
    if not small and (DEPOT / "demo.py").is_file():
        raise click.exceptions.Exit(_run_depot(options) or 0)
    if options:
        raise click.UsageError(f"No such option: {options[0]}")
    folder = Path(tempfile.mkdtemp(prefix="stoker-demo-"))
    url = BrokerURL.of_file(folder / "demo.db")
    os.environ["STOKER_URL"] = url.text  # for the small application, and its child processes
    asyncio.run(_run_small())
    _point_further(url)


def _run_depot(options: tuple[str, ...]) -> Any:
    sys.path.insert(0, str(DEPOT))  # as if it had been started as a script
    try:
        example = importlib.import_module("demo")
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{DEPOT / 'demo.py'} needs {error.name!r}",
            hint="make setup installs all it needs; stoker demo --small needs nothing",
        ) from error
    return example.main(list(options))


async def _run_small() -> None:
    from stoker.cli.showcase import add_jobs, app

    async with app:
        expected = await add_jobs()
        queues = await app.queues()
        jobs = sum(sum(queue.counts.values()) for queue in queues)
        click.echo(f"{jobs} jobs in {len(queues)} queues, one worker.")
        worker = await app.worker(WorkerSettings(name="demo"))
        working = asyncio.create_task(worker.run())
        with _progress(expected) as show:
            while not (working.done() or show(await app.queues())):
                await asyncio.wait({working}, timeout=LOOK_SECONDS)
        worker.stop()
        await working
        await _sum_up(app)


@contextmanager
def _progress(expected: Mapping[str, int]) -> Generator[Callable[[list[QueueStats]], bool]]:
    """Draw a bar for each queue; what it yields returns whether all is done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from stoker.cli.tables import screen

    columns = (TextColumn("{task.description:<11}"), BarColumn(), MofNCompleteColumn())
    console = screen()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bars = {name: progress.add_task(name, total=total) for name, total in expected.items()}

        def show(queues: list[QueueStats]) -> bool:
            done = {queue.name: _finished(queue) for queue in queues}
            for name, bar in bars.items():
                progress.update(bar, completed=done.get(name, 0))
            return all(done.get(name, 0) >= total for name, total in expected.items())

        yield show


def _finished(queue: QueueStats) -> int:
    return sum(queue.counts.get(state, 0) for state in FINISHED)


async def _sum_up(app: Stoker) -> None:
    from stoker.cli.tables import screen, table

    drawn = table("queue", "its jobs", ">completed", ">failed", ">delayed")
    for queue in await app.queues():
        states = (State.COMPLETED, State.FAILED, State.DELAYED)
        counts = [str(queue.counts.get(state, 0)) for state in states]
        drawn.add_row(queue.name, SHOWS.get(queue.name, ""), *counts)
    screen().print("", drawn, sep="\n")


def _point_further(url: BrokerURL) -> None:
    click.echo(
        f"""
The jobs are kept; look further:

  export STOKER_URL={url.text}
  stoker queue ls
  stoker dead ls
  stoker job ls --queue deliveries
  stoker job promote --all --yes
  stoker dead replay --all --yes
  stoker worker stoker.cli.showcase:app --burst"""
    )
