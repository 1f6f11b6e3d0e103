"""The options that several commands share, and what their values may be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar, cast

import click

from stoker.broker.base import system_clock
from stoker.errors import ConfigError
from stoker.failure import REASONS, Reason
from stoker.job.duration import milliseconds
from stoker.job.settings import check_name
from stoker.job.states import State

F = TypeVar("F", bound=Callable[..., Any])


def span(least: str = "0ms") -> Callable[[str], int]:
    """Return what reads a duration, such as ``30``, ``90s``, ``1h30m``, as milliseconds."""

    def duration(value: str) -> int:
        ms = _span(value)
        if ms is None:
            raise click.BadParameter(
                f"{value!r} is not a duration: 30 (seconds), 500ms, 10m, 1h30m, 7d; at most 36500d"
            )
        if ms < milliseconds(least, "least"):
            raise click.BadParameter(f"{value!r} is too short: at least {least}")
        return ms

    return duration


def whole(least: int) -> Callable[[str], int]:
    """Return what reads a whole number that is ``least`` or more."""

    def number(value: str) -> int:
        try:
            found = int(value)
        except ValueError:
            raise click.BadParameter(f"{value!r} is not a whole number") from None
        if found < least:
            raise click.BadParameter(f"{value} is not {least} or more")
        return found

    return number


def moment(value: str) -> int:
    """Read ``2h`` (ago) or ISO 8601, in this machine's time zone unless it names one."""
    ms = _span(value)
    if ms is not None:
        return system_clock() - ms
    try:
        return round(datetime.fromisoformat(value).astimezone().timestamp() * 1_000)
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(
            f"{value!r} is no time: 2h (ago), 2026-11-22 or 2026-11-22T14:00Z"
        ) from None


def states(value: str) -> tuple[State, ...]:
    """Read the words of ``State``, with commas between them."""
    try:
        return tuple(State(name.lower()) for name in value.split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is no state: {', '.join(State)}") from None


def reasons(value: str) -> tuple[Reason, ...]:
    """Read the words of ``Reason``, with commas between them."""
    named = cast("tuple[Reason, ...]", tuple(name.lower() for name in value.split(",")))
    for name in named:
        if name not in REASONS:
            raise click.BadParameter(f"{name!r} is no reason: {', '.join(sorted(REASONS))}")
    return named


# A type argument would be wrong before click 8.5.
class Names(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]
    """Names of queues, with commas between them."""

    name = "name"
    envvar_list_splitter = ","  # not at spaces: a name may have some

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Check each."""
        try:
            return tuple(check_name(name, "queue") for name in str(value).split(","))
        except ConfigError as error:
            self.fail(f"{error.message}: {error.hint}", param)


def _span(value: str) -> int | None:
    try:
        return milliseconds(float(value), "")
    except (ValueError, ConfigError):
        pass
    try:
        return milliseconds(value, "")
    except ConfigError:
        return None


def _flat(_ctx: click.Context, _parameter: click.Parameter, lists: tuple[Any, ...]) -> Any:
    return tuple(item for items in lists for item in items)


def queues_argument(command: F) -> F:
    """One queue or several: ``mail reports`` as well as ``mail,reports``."""
    metavar = "QUEUE..."
    return click.argument(
        "queues", type=Names(), nargs=-1, required=True, callback=_flat, metavar=metavar
    )(command)


def queues_option(*names: str, **more: Any) -> Callable[[F], F]:
    """Several queues: ``-q a,b`` as well as ``-q a -q b``."""
    return click.option(
        *names, "queues", type=Names(), multiple=True, callback=_flat, metavar="NAME[,NAME]", **more
    )


def _remember_json(ctx: click.Context, _parameter: click.Parameter, value: bool) -> bool:
    """Errors are written as JSON, too."""
    ctx.meta["stoker.json"] = value
    return value


json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    is_eager=True,
    callback=_remember_json,
    help="For machines: JSON, errors included.",
)

_TARGET = (
    click.option(
        "--app",
        envvar="STOKER_APP",
        show_envvar=True,
        metavar="MODULE:APP",
        help="The application whose jobs these are.",
    ),
    click.option(
        "--url",
        metavar="URL",
        help="Where the jobs are kept, if the application's code is not here. "
        "[default: STOKER_URL, REDIS_URL or REDIS_HOST, else sqlite:///stoker.db]",
    ),
)

_FILTERS = (
    queues_option("-q", "--queue", help="Only in these queues."),
    click.option("--task", "--name", "name", metavar="NAME", help="Only of this task."),
    click.option("--text", help="Only with this in their data or failure, in any case."),
    click.option(
        "--since",
        type=moment,
        metavar="TIME",
        help="Only from then on: 2h (ago), 2026-11-22, 2026-11-22T14:00Z. It is the time when "
        "they finished, fall due (delayed) or were added (others).",
    ),
    click.option("--until", type=moment, metavar="TIME", help="Only from before then."),
)

_LIMIT = click.option(
    "--limit", type=whole(1), metavar="NUMBER", default=20, show_default=True, help="At the most."
)

_STATE = click.option(
    "--state",
    "states",
    type=states,
    multiple=True,
    callback=_flat,
    metavar="STATE[,STATE]",
    help=f"Only in these states: {', '.join(State)}.",
)

_REASON = click.option(
    "--reason",
    "reasons",
    type=reasons,
    multiple=True,
    callback=_flat,
    metavar="REASON[,REASON]",
    help=f"Only those that failed for it: {', '.join(sorted(REASONS))}.",
)

_ALL = click.option("--all", "everything", is_flag=True, help="Take all there are.")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Change nothing; say how many it would be.")
_YES = click.option("-y", "--yes", is_flag=True, help="Do not ask.")


def target_options(command: F) -> F:
    """Where the jobs are: ``--app`` or ``--url``."""
    return _with(command, *_TARGET)


def filter_options(command: F) -> F:
    """Which jobs, of a state that the command knows."""
    return _with(command, *_FILTERS)


def state_option(command: F) -> F:
    """Which states."""
    return _with(command, _STATE)


def limit_option(command: F) -> F:
    """How many are shown."""
    return _with(command, _LIMIT)


def reason_option(command: F) -> F:
    """Why they failed."""
    return _with(command, _REASON)


def yes_option(command: F) -> F:
    """Whether to ask before many jobs are changed."""
    return _with(command, _YES)


def dry_run_option(command: F) -> F:
    """Whether to change nothing, and only say what would be changed."""
    return _with(command, _DRY_RUN)


def bulk_options(command: F) -> F:
    """The jobs that one command changes: ids, or filters, or ``--all``."""
    ids = click.argument("ids", nargs=-1, metavar="[ID]...")
    return _with(command, ids, *_FILTERS, _ALL, _YES, _DRY_RUN, *_TARGET, json_option)


def one_job_options(command: F) -> F:
    """The one job that a command shows, and how."""
    return _with(
        command,
        click.argument("id"),
        queues_option(
            "-q", "--queue", help="The queue it is in, if several have a job of that id."
        ),
        click.option(
            "--show-secrets", is_flag=True, help="Do not mask passwords, tokens and the like."
        ),
        *_TARGET,
        json_option,
    )


def _with(command: F, *options: Callable[[Any], Any]) -> F:
    for option in reversed(options):
        command = option(command)
    return command
