"""Progress while it happens: a live table in a terminal, a line now and then anywhere else."""

from __future__ import annotations

import time
from collections import Counter, deque
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from stoker import State

from depot.models import Status
from show.state import Snapshot, settled

EVERY_SECONDS = 2.0
"""Between two lines where there is no terminal."""
RATE_SECONDS = 3.0
BAR = 14

COLOURS = {
    Status.PENDING: "dim",
    Status.PROCESSING: "cyan",
    Status.COMPLETED: "green",
    Status.FAILED: "red",
}


class Screen:
    """Shows snapshots, from ``with`` to its end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._live = Live(console=console, refresh_per_second=8, transient=True)
        self._recent: deque[tuple[float, int]] = deque()
        self._printed = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def say(self, line: str) -> None:
        """Print a line that stays."""
        self._console.print(line, highlight=False, soft_wrap=True)

    def show(self, snapshot: Snapshot) -> None:
        """Show how it stands."""
        rate = self._rate(snapshot)
        if self._console.is_terminal:
            self._live.update(Group("", _table(snapshot), self._footer(snapshot, rate)))
        elif snapshot.at - self._printed >= EVERY_SECONDS:
            self._printed = snapshot.at
            self.say(self._line(snapshot, rate))

    def _rate(self, snapshot: Snapshot) -> float:
        """Return the jobs that ended per second, of late."""
        recent = self._recent
        recent.append((snapshot.at, snapshot.ended))
        while snapshot.at - recent[0][0] > RATE_SECONDS:
            recent.popleft()
        (then, before), (now, after) = recent[0], recent[-1]
        return (after - before) / (now - then) if now > then else 0.0

    def _footer(self, snapshot: Snapshot, rate: float) -> RenderableType:
        jobs = snapshot.jobs
        seconds = snapshot.at - self._began
        parts = [
            f"{seconds:.0f} s",
            f"[bold]{rate:.0f} jobs/s[/]",
            f"{jobs[State.ACTIVE]} running",
            f"{jobs[State.WAITING]} waiting",
            f"{jobs[State.DELAYED]} to retry",
            f"{jobs[State.FAILED]} dead",
        ]
        return Text.from_markup("\n " + " [dim]·[/] ".join(parts))

    def _line(self, snapshot: Snapshot, rate: float) -> str:
        total = snapshot.total
        return (
            f"{snapshot.at - self._began:5.1f} s  "
            f"{snapshot.settled} of {total.total()} uploads settled: "
            f"{total[Status.COMPLETED]} completed, {total[Status.FAILED]} failed; "
            f"{rate:.0f} jobs/s, {snapshot.jobs[State.DELAYED]} to retry"
        )


def _table(snapshot: Snapshot) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="dim")
    table.add_column("organisation", min_width=14)
    for status, colour in COLOURS.items():
        table.add_column(status, justify="right", style=colour, no_wrap=True)
    table.add_column("", width=BAR)
    table.add_column("", justify="right", no_wrap=True)
    for organisation, uploads in snapshot.uploads.items():
        table.add_row(organisation, *_cells(uploads))
    table.add_row("all", *_cells(snapshot.total), style="bold")
    return table


def _cells(uploads: Counter[Status]) -> list[RenderableType]:
    total, done = uploads.total(), settled(uploads)
    return [
        *(str(uploads[status] or "·") for status in COLOURS),
        ProgressBar(total, done, width=BAR),
        f"{100 * done // total} %",
    ]
