"""What was done, what failed and why, and where to look further."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from depot.models import Status, Upload

MOST_SURPRISES = 20


@dataclass(frozen=True)
class Outcome:
    """What there is to tell about a run."""

    rows: Sequence[Upload]
    orphans: list[str]
    surprises: list[str]
    jobs: int
    """That ended in this run."""
    seconds: float
    """From the first job to the last."""
    restarts: int
    dead: str | None
    """The id of a dead letter to look at, in the queue of thumbnails."""


def tell(console: Console, outcome: Outcome) -> None:
    """Print the report."""
    console.print()
    console.print(_done(outcome.rows))
    console.print()
    console.print(_failed(outcome.rows))
    console.print()
    console.print(_orphans(outcome.orphans), highlight=False)
    console.print(_pace(outcome), highlight=False)
    if outcome.surprises:
        _say(console, f"\n[bold red]Not as planned: {len(outcome.surprises)}[/]")
        for line in outcome.surprises[:MOST_SURPRISES]:
            _say(console, f"  {escape(line)}")
    else:
        _say(console, "[bold green]Every upload ended as planned.[/]")


def advise(
    console: Console, commands: Iterable[tuple[str, Sequence[str]]], *, within: str = ""
) -> None:
    """Print commands to go on with, each with what it is for; ``within`` says where they work."""
    _say(console, f"\nLook further{within}:")
    for why, command in commands:
        _say(console, f"  [dim]# {why}[/]\n  {escape(shlex.join(command))}")


def _say(console: Console, line: str) -> None:
    """Print a line whole, however narrow the terminal: what is pasted must not be cut."""
    console.print(line, highlight=False, soft_wrap=True)


def _done(rows: Sequence[Upload]) -> Table:
    table = Table(title="Uploads", title_justify="left", title_style="bold", box=None)
    table.add_column("organisation", style="bold")
    for name in ("completed", "failed", "thumbnails", "MB"):
        table.add_column(name, justify="right")
    owners = sorted({row.organisation_id for row in rows})
    for owner in owners:
        table.add_row(owner, *_figures([row for row in rows if row.organisation_id == owner]))
    table.add_row("all", *_figures(rows), style="bold")
    return table


def _figures(rows: Sequence[Upload]) -> list[str]:
    status = Counter(row.status for row in rows)
    thumbnails = sum(len(row.thumbnails) for row in rows)
    size = sum(row.size for row in rows if row.reason != "Missing")
    return [
        f"{status[Status.COMPLETED]}",
        f"{status[Status.FAILED]}",
        f"{thumbnails}",
        f"{size / 1e6:.1f}",
    ]


def _failed(rows: Sequence[Upload]) -> Table:
    table = Table(title="Failed, and why", title_justify="left", title_style="bold", box=None)
    table.add_column("reason", style="red")
    table.add_column("uploads", justify="right")
    table.add_column("for example")
    table.add_column("says", overflow="fold")
    reasons: defaultdict[str, list[Upload]] = defaultdict(list)
    for row in rows:
        if row.status is Status.FAILED:
            reasons[row.reason or "?"].append(row)
    for reason, failed in sorted(reasons.items()):
        example = failed[0]
        text = (example.error or "").partition(": ")[2]
        name = PurePosixPath(example.key).name
        table.add_row(reason, str(len(failed)), escape(name), escape(text))
    return table


def _orphans(orphans: list[str]) -> str:
    example = f", such as {escape(orphans[0])}" if orphans else ""
    return f"[bold]Files without a row:[/] {len(orphans)}{example}"


def _pace(outcome: Outcome) -> str:
    rate = outcome.jobs / outcome.seconds if outcome.seconds else 0.0
    restarts = f"; restarts of the worker: {outcome.restarts}" if outcome.restarts else ""
    return (
        f"[bold]Jobs:[/] {outcome.jobs} in {outcome.seconds:.1f} s, {rate:.0f} a second{restarts}"
    )
