"""``python -m benchmarks.peers``."""

from __future__ import annotations

import json
import shlex
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import click
from rich.console import Console

from benchmarks.identity import machine
from benchmarks.peers.cells import Grid
from benchmarks.peers.run import Run, measure
from benchmarks.peers.scenarios import SCENARIOS
from benchmarks.peers.table import markdown, plain, read, show
from benchmarks.processes import ROOT, BenchmarkError
from benchmarks.redis import DURABILITY, Redis
from benchmarks.systems import KINDS, Kind

_progress = Console(stderr=True)


class Names(click.ParamType):
    """Some of several names, with commas between them."""

    name = "name[,name]"

    def __init__(self, known: list[str]) -> None:
        self._known = known

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[str]:
        if isinstance(value, list):
            return value
        names = [name.strip() for name in str(value).split(",")]
        for name in names:
            if name not in self._known:
                self.fail(f"there is no {name!r}; known: {', '.join(self._known)}", param, ctx)
        return names


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--systems", type=Names(list(KINDS)), help="Just these.")
@click.option("--scenarios", type=Names(list(SCENARIOS)), help="Just these.")
@click.option("--quick", is_flag=True, help="A twentieth of the jobs, once: a look, not a figure.")
@click.option("--scale", type=click.FloatRange(0.001), help="Multiply the numbers of jobs.")
@click.option("--rounds", type=click.IntRange(1), help="Runs of each figure.  [default: 3]")
@click.option("--json", "form", flag_value="json", help="Print JSON, with every single run.")
@click.option("--markdown", "form", flag_value="markdown", help="Print a section for the docs.")
@click.option(
    "--from",
    "reports",
    multiple=True,
    type=click.File("rb"),
    help="Measure nothing: show what runs with --json have said; may be repeated.",
)
@click.option("--lock", type=click.Path(path_type=Path), help="Hold this lock while measuring.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=ROOT / "build",
    help="Where the stores go for the time.  [default: build]",
)
def main(
    systems: list[str] | None,
    scenarios: list[str] | None,
    quick: bool,
    scale: float | None,
    rounds: int | None,
    form: str | None,
    reports: tuple[IO[bytes], ...],
    lock: Path | None,
    folder: Path,
) -> None:
    """Measure Stoker beside the systems that people choose today, all on this machine.

    The first run makes the environments of the peers, in build/peers. It needs redis-server, and
    Node for BullMQ.
    """
    if reports:
        who, grid, names = read([json.load(report) for report in reports])
        _print(form, who, grid, [KINDS[name] for name in names])
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended then too
    chosen = [(name, SCENARIOS[name]) for name in scenarios or SCENARIOS]
    try:
        kinds = _ready([KINDS[name] for name in systems or KINDS])
        with ExitStack() as stack:
            folder.mkdir(parents=True, exist_ok=True)
            place = Path(stack.enter_context(tempfile.TemporaryDirectory("", "peers-", folder)))
            needed = any(kind.store == "redis" for kind in kinds)
            redis = stack.enter_context(Redis(place / "redis")) if needed else None
            who = {
                **machine(place, shlex.join(["python", "-m", "benchmarks.peers", *sys.argv[1:]])),
                "durability": DURABILITY,
                "redis": redis.version if redis else "not used",
                **{kind.name: kind.description.version for kind in kinds},
            }
            run = Run(place, redis, scale=scale or (0.05 if quick else 1.0))
            times = rounds or (1 if quick else 3)
            grid = measure(run, kinds, chosen, times, _say, lock)
    except BenchmarkError as error:
        raise click.ClickException(str(error)) from None
    report = folder / "peers.json"
    report.write_text(_json(who, grid, kinds))
    _say(f"every single run: {report}; --from shows it again")
    _print(form, who, grid, kinds)
    if any(cell.failed or cell.void for cells in grid.values() for cell in cells.values()):
        sys.exit(1)


def _print(form: str | None, who: dict[str, str], grid: Grid, kinds: list[Kind]) -> None:
    if form == "json":
        print(_json(who, grid, kinds))
    elif form == "markdown":
        print(markdown(who, grid, kinds))
    else:
        console = Console()
        if not console.is_terminal:
            console.width = 160
        show(console, who, grid, kinds)


def _json(who: dict[str, str], grid: Grid, kinds: list[Kind]) -> str:
    return json.dumps(plain(who, grid, kinds), indent=2, ensure_ascii=False)


def _ready(kinds: list[Kind]) -> list[Kind]:
    """Install what they need, and have each describe itself."""
    for kind in kinds:
        _say(f"getting ready: {kind.name}")
        _say(f"  {kind.description.version}")
    return kinds


def _say(what: str) -> None:
    _progress.print(what, style="dim", highlight=False)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.peers")
