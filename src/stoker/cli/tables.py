"""Jobs and queues for people: tables that fit 80 columns and are plain text in a pipe."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stoker.broker.base import QueueStats
from stoker.cli.secrets import Redaction
from stoker.failure import Failure
from stoker.job.duration import describe
from stoker.job.model import JobRecord, failure_in
from stoker.job.states import State

PIPE_WIDTH = 200
"""Columns where nobody's window says: wide enough for whole lines, for grep."""

_PADDING = re.compile(r" +$", re.MULTILINE)

STYLES = {
    State.WAITING: "cyan",
    State.DELAYED: "yellow",
    State.ACTIVE: "green",
    State.COMPLETED: "dim",
    State.FAILED: "red",
}


def screen(*, stderr: bool = False) -> Console:
    """Return where to draw: colours and widths only for a terminal."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    # Nothing in a text is an instruction: rich would read :a: as a picture and [red] as a colour.
    return _Screen(stderr=stderr, width=width, highlight=False, emoji=False, markup=False)


class _Screen(Console):
    def print(self, *objects: Any, **options: Any) -> None:
        """Print; where nobody sees the columns, without the spaces that fill up lines."""
        if self.is_terminal:
            super().print(*objects, **options)
            return
        with self.capture() as captured:
            super().print(*objects, **options)
        self.file.write(_PADDING.sub("", captured.get()))

    def on_broken_pipe(self) -> None:
        """Leave it to ``stoker.cli.root``: rich would end the process here."""
        raise BrokenPipeError


def plain(text: str) -> str:
    """Return text that does nothing to a terminal, whatever a job's data says."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "�" for letter in text)


def table(*columns: str) -> Table:
    """Return an empty table; the ``columns`` are names, with ``>`` before one of numbers."""
    ruled = sys.stdout.isatty()
    made = Table(
        box=box.SIMPLE_HEAD if ruled else None,
        padding=(0, 1 if ruled else 2, 0, 0),  # two columns apart: the rule brings one of them
        pad_edge=False,
        show_edge=False,
        header_style="bold",
    )
    for name in columns:
        made.add_column(
            name.removeprefix(">"),
            justify="right" if name.startswith(">") else "left",
            no_wrap=True,
        )
    return made


def queues_table(queues: Sequence[QueueStats]) -> Table:
    """Return a line for each queue."""
    paused = any(queue.paused for queue in queues)
    made = table("queue", *[f">{state}" for state in State], *[""] * paused)
    made.columns[0].no_wrap = False
    made.columns[0].overflow = "fold"
    for queue in queues:
        counts = [_count(queue.counts.get(state, 0), state) for state in State]
        mark = Text("paused" if queue.paused else "", style="bold yellow")
        made.add_row(Text(plain(queue.name)), *counts, *[mark] * paused)
    return made


def _count(count: int, state: State) -> Text:
    return Text(f"{count:,}", style=STYLES[state] if count else "dim")


def jobs_table(jobs: Sequence[JobRecord], now: int) -> Table:
    """Return a line for each job, without the columns in which all lines would be alike."""
    queues = len({job.queue for job in jobs}) > 1
    states = len({job.state for job in jobs}) > 1
    columns = ["id", *["queue"] * queues, "task", *["state"] * states, "when", ">tries", "note"]
    made = table(*columns)
    for column, name in zip(made.columns, columns, strict=True):
        column.no_wrap = name not in ("id", "queue", "task", "note")  # these share what is left
    for job in jobs:
        made.add_row(
            Text(plain(job.id), overflow="fold"),  # whole, over several lines: it will be copied
            *[_cut(job.queue)] * queues,
            _cut(job.name),
            *[Text(job.state, style=STYLES[job.state])] * states,
            when(job, now),
            str(job.attempts),
            _cut(note(job)),
        )
    return made


def _cut(text: str) -> Text:
    """Return the first line of ``text``, as much of it as there is room for."""
    return Text(plain(text.strip().partition("\n")[0]), no_wrap=True, overflow="ellipsis")


def when(job: JobRecord, now: int) -> str:
    """Return since when, or until when, a job is in its state."""
    match job.state:
        case State.DELAYED:
            left = (job.due_at or now) - now
            return f"in {_short(left)}" if left > 0 else "due"
        case State.ACTIVE:
            return f"for {_short(max(0, now - (job.claimed_at or now)))}"
        case State.WAITING:
            return ago(job.created_at, now)
        case State.COMPLETED | State.FAILED:
            return ago(job.finished_at or now, now)


def ago(at: int, now: int) -> str:
    """Return how long ago something was."""
    past = now - at
    return f"{_short(past)} ago" if past >= 1_000 else "now"


def _short(ms: int) -> str:
    """Return the greatest unit of a duration only: exact times are in the details."""
    for name, size in _UNITS:
        if ms >= size:
            return f"{ms // size}{name}"
    return f"{ms}ms"


_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000))


def note(job: JobRecord) -> str:
    """Return what is worth knowing of a job at a glance."""
    match job.state:
        case State.ACTIVE:
            progress = f", progress {_short_number(job.progress)}" if job.progress else ""
            return f"{job.worker or 'somebody'}{progress}"
        case State.COMPLETED:
            return f"took {describe((job.finished_at or 0) - (job.claimed_at or 0))}"
        case _:
            return Redaction(job.data)(str(stored_failure(job))) if job.failure else ""


def _short_number(text: str) -> str:
    """Return 0.167 for 0.16666666666666666, and all else as it is."""
    try:
        return f"{float(text):.3g}" if "." in text else text
    except ValueError:  # any JSON
        return text


def stored_failure(job: JobRecord) -> Failure:
    """Return a job's failure, even one that somebody else stored in a form of their own."""
    try:
        return failure_in(job)
    except msgspec.MsgspecError:
        return Failure("error", job.failure or "")
