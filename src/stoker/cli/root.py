"""The command ``stoker`` itself: finds its commands, and shows whatever goes wrong."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Callable
from itertools import takewhile
from typing import Any

import click

from stoker.cli.faults import INTERRUPTED, report_usage, told

COMMANDS = ("worker", "dev", "enqueue", "queue", "job", "dead", "check", "demo", "init", "sidecar")
"""Each is what the module of its name calls so; a module is imported when its command is."""

PIPE_CLOSED = 141


class Root(click.Group):
    """Imports a command only when it is used: a worker is not to carry the others along."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return getattr(importlib.import_module(f"stoker.cli.{cmd_name}"), cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            close = difflib.get_close_matches(args[0], COMMANDS, 1)
            if not close:
                raise
            raise click.UsageError(f"{error.message} Did you mean {close[0]!r}?", ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        words = takewhile(lambda word: word != "--", ctx.args)
        as_json = "--json" in words  # seen here, since what cannot be read is not read to its end
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if not as_json:
                raise
            report_usage(error)
            ctx.exit(error.exit_code)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort):
            click.echo(err=True)
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            _let_go_of_stdout()
            ctx.exit(PIPE_CLOSED)
        except Exception as error:
            if ctx.params["debug"]:
                raise
            ctx.exit(told(error))


def _let_go_of_stdout() -> None:
    """Whoever read it is gone: what Python flushes at its end must not fail once more."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())


def _show_version(ctx: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    if not asked or ctx.resilient_parsing:
        return
    from stoker.cli.version import versions

    click.echo(versions())
    ctx.exit()


def _version(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--version",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_version,
        help="Show the versions of Stoker, Python and SQLite.",
    )(command)


@click.group(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Try it: stoker demo. Every command explains itself: stoker worker --help",
)
@_version
@click.option(
    "--debug", is_flag=True, envvar="STOKER_DEBUG", help="Show the traceback of an error."
)
def main(debug: bool) -> None:
    """Background jobs: run them, add them, look after them."""
