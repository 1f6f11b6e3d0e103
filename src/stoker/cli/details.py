"""One job for people, with all that is known of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stoker.broker.base import Detail
from stoker.cli.secrets import Redaction, masked
from stoker.cli.tables import STYLES, ago, plain, stored_failure, when
from stoker.failure import Failure
from stoker.job.duration import describe
from stoker.job.model import JobRecord, Log
from stoker.job.retry import DEFAULT_MAX_STALLS

INDENT = "  "


def show(screen: Console, detail: Detail, now: int, *, show_secrets: bool) -> None:
    """Draw a job."""
    job = detail.job
    redacted: Callable[[str], str] = str if show_secrets else Redaction(job.data)
    screen.print(_title(job, now))
    screen.print(_facts(job, now))
    for name in ("data", "progress", "result"):
        text: str | None = getattr(job, name)
        if text is not None:
            _section(screen, name, redacted(readable(text, show_secrets=show_secrets)))
    if job.failure is not None:
        _show_failure(screen, stored_failure(job), redacted)
    if detail.logs:
        _section(screen, "log", redacted("\n".join(log_line(log) for log in detail.logs)))


def readable(text: str, *, show_secrets: bool) -> str:
    """Return stored JSON, indented, its secrets masked unless they are asked for."""
    try:
        value: Any = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return f"(not JSON) {text}"
    if not show_secrets:
        value = masked(value)
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def log_line(log: Log) -> str:
    """Return a line that was logged, with its time."""
    return f"{clock_time(log.at)}  {log.line}"


def clock_time(at: int) -> str:
    """Return a point in time as this machine's clocks show it."""
    return datetime.fromtimestamp(at / 1_000).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _title(job: JobRecord, now: int) -> Text:
    title = Text.assemble((f"{plain(job.name)} {plain(job.id)}", "bold"), "  ")
    title.append(job.state, style=STYLES[job.state])
    return title.append(f" {when(job, now)}")


def _facts(job: JobRecord, now: int) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in _rows(job, now):
        grid.add_row(f"{INDENT}{name}", Text(plain(value)))
    return grid


def _rows(job: JobRecord, now: int) -> Iterator[tuple[str, str]]:
    yield "queue", job.queue + (f", priority {job.priority}" if job.priority else "")
    # Starts tell more than attempts where a run was snoozed, handed back or crashed.
    yield "attempts", f"{job.attempts} (starts {job.starts})"
    if job.crashes:
        yield "crashes", _crashes(job.crashes)
    if job.options != "{}":
        yield "options", job.options
    yield "added", _time(job.created_at, now)
    if job.due_at is not None:
        yield "due", clock_time(job.due_at)
    if job.claimed_at is not None:
        yield "claimed", _time(job.claimed_at, now) + (f" by {job.worker}" if job.worker else "")
    if job.finished_at is not None:
        taken = job.finished_at - (job.claimed_at or job.finished_at)
        yield "finished", f"{_time(job.finished_at, now)}, after {describe(taken)}"


def _crashes(count: int) -> str:
    return (
        f"{count}: its process died while it ran. That costs no attempt; a job may crash as often "
        f"as its worker's --max-stalls says ({DEFAULT_MAX_STALLS} times, if it says nothing), "
        "and the next crash makes it a dead letter"
    )


def _time(at: int, now: int) -> str:
    return f"{clock_time(at)} ({ago(at, now)})"


def _show_failure(screen: Console, failure: Failure, redacted: Callable[[str], str]) -> None:
    _section(screen, "failure", redacted(str(failure)), style="red")
    if failure.traceback:
        _section(screen, "traceback", redacted(failure.traceback.rstrip()))


def _section(screen: Console, name: str, text: str, style: str = "") -> None:
    screen.print(Text(f"{INDENT}{name}", style="dim"))
    body = "\n".join(f"{INDENT * 2}{line}" for line in plain(text).splitlines())
    screen.print(Text(body, style=style), soft_wrap=True)
