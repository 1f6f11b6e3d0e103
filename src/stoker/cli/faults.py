"""How an error reaches whoever typed the command: what is wrong, then what to do about it."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType

import click
import msgspec

from stoker.errors import StokerError

MOST_FRAMES = 4
INTERRUPTED = 130
_STOKER = str(Path(__file__).parents[1])


def report(error: StokerError) -> None:
    """Write an error to stderr: two lines, or with ``--json`` one object."""
    context = click.get_current_context(silent=True)
    if context is not None and context.meta.get("stoker.json"):
        _write(type(error).__name__, error.message, error.hint)
        return
    click.echo(f"error: {error.message}", err=True)
    if error.hint:
        click.echo(f"hint: {error.hint}", err=True)


def report_usage(error: click.UsageError) -> None:
    """Write what is wrong with a command line to stderr, as one object."""
    hint = f"{error.ctx.command_path} --help" if error.ctx is not None else None
    _write("UsageError", error.format_message(), hint)


def _write(kind: str, message: str, hint: str | None) -> None:
    fields = {"type": kind, "message": message, "hint": hint}
    click.echo(msgspec.json.encode({"error": fields}), err=True)


def told(error: BaseException) -> int:
    """Write any error to stderr, and return the exit code that goes with it."""
    if not isinstance(error, Exception):
        return INTERRUPTED
    if click.get_current_context().find_root().params["debug"]:
        traceback.print_exception(error)
    else:
        report(error if isinstance(error, StokerError) else describe(error))
    return 1


def describe(error: Exception) -> StokerError:
    """Return an error that nobody foresaw as one that can be shown."""
    name = type(error).__name__
    notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
    return StokerError(
        (f"{name}: {error}" if str(error) else name) + notes,
        hint="stoker --debug … shows where it comes from",
    )


def own_frames(error: BaseException) -> str:
    """Return the end of a traceback, without the frames of Stoker and of the import machinery."""
    lines: list[str] = []
    if not isinstance(error, SyntaxError):
        lines += traceback.format_list(_frames(error.__traceback__)[-MOST_FRAMES:])
    if isinstance(error, StokerError):  # its hint gets a line of its own
        lines.append(f"{type(error).__name__}: {error.message}")
    else:
        lines += traceback.format_exception_only(error)
    return "".join(lines).rstrip()


def _frames(trace: TracebackType | None) -> Sequence[traceback.FrameSummary]:
    frames: Iterable[traceback.FrameSummary] = traceback.extract_tb(trace)
    return [
        frame
        for frame in frames
        if not frame.filename.startswith((_STOKER, "<frozen importlib"))
        and not frame.filename.endswith(("importlib/__init__.py",))
    ]
