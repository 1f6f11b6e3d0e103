"""``stoker dev``: a worker that is restarted when the code changes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from stoker.cli.loading import refuse_missing
from stoker.cli.worker import worker
from stoker.errors import missing

GRACE = "5s"
USAGE = 2
"""The exit code of a worker that was started with options it does not have."""
GATHER_MS = 400
"""Changes within this long of one another mean one restart: an editor saves many files."""


@click.command(
    short_help="Run jobs, and start again when the code changes.",
    context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]},
    epilog="Example: stoker dev shop.jobs:app -q mail -c 4. All options of stoker worker are "
    "taken; see stoker worker --help.",
)
@click.argument(
    "words", nargs=-1, type=click.UNPROCESSED, metavar="MODULE:APP [OPTIONS OF WORKER]..."
)
@click.option(
    "--watch",
    "folders",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Where to look for changed Python files.  [default: the current directory]",
)
def dev(words: tuple[str, ...], folders: tuple[Path, ...]) -> None:
    """Run a worker, log every job, and start again when a Python file changes."""
    try:
        import watchfiles as _  # noqa: F401
    except ImportError:
        raise missing("stoker dev", "watchfiles", "dev") from None
    app = worker.make_context("worker", list(words), resilient_parsing=True).params.get("app")
    if app is not None:
        # Code that is broken will be mended here; a name that was mistyped has to be typed again.
        refuse_missing(app)
    command = [sys.executable, "-m", "stoker", "worker", "-v", "--grace", GRACE, *words]
    code = asyncio.run(_Dev(command, folders or (Path.cwd(),)).run())
    raise click.exceptions.Exit(code)


class _Dev:
    """One worker at a time, and the files it came from."""

    def __init__(self, command: Sequence[str], folders: Sequence[Path]) -> None:
        self._command = command
        self._folders = folders
        self._worker: asyncio.subprocess.Process | None = None
        self._expected = False
        """The worker was told to end."""
        self._over = asyncio.Event()
        self._code = 0

    async def run(self) -> int:
        # Its signature names trio, which need not be here.
        from watchfiles import PythonFilter, awatch  # pyright: ignore[reportUnknownVariableType]

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        _say(f"watching {', '.join(map(str, self._folders))}")
        ended = await self._start()
        async for changes in awatch(
            *self._folders, watch_filter=PythonFilter(), stop_event=self._over, debounce=GATHER_MS
        ):
            _say(f"{_named([path for _, path in changes])} changed, starting again")
            self._tell()
            await ended
            if self._over.is_set():
                break
            ended = await self._start()
        await ended
        return self._code

    def _stop(self) -> None:
        """Told once, the worker lets its jobs end; told twice, it does not."""
        self._over.set()
        self._tell()

    def _tell(self) -> None:
        self._expected = True
        if self._worker is not None and self._worker.returncode is None:
            self._worker.terminate()

    async def _start(self) -> asyncio.Task[None]:
        """Start a worker; return what ends with it."""
        self._expected = False
        self._worker = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.DEVNULL,
            # In a group of its own: Ctrl-C is for us, or the worker would be told twice.
            process_group=0,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        if self._over.is_set():  # meanwhile
            self._tell()
        return asyncio.create_task(self._see_off(self._worker))

    async def _see_off(self, worker: asyncio.subprocess.Process) -> None:
        code = await worker.wait()
        if self._expected:
            return
        if code == USAGE:
            self._code = code
            self._over.set()
        else:
            _say(f"the worker ended with exit code {code}; waiting for a change")


def _named(paths: Sequence[str]) -> str:
    names = sorted({os.path.relpath(path) for path in paths})
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _say(text: str) -> None:
    click.echo(f"dev: {text}", err=True)
