"""``python -m benchmarks``."""

from __future__ import annotations

import json
import shlex
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
from rich.console import Console

from benchmarks.bench import Bench
from benchmarks.figures import Failed, Figure
from benchmarks.identity import identity
from benchmarks.processes import ROOT, BenchmarkError
from benchmarks.scenarios import SCENARIOS
from benchmarks.systems import KINDS
from benchmarks.table import show

OURS = KINDS["stoker-sqlite"]
PEERS = {"huey": KINDS["huey-sqlite"]}

_progress = Console(stderr=True)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--only", multiple=True, type=click.Choice(list(SCENARIOS)), help="Just this; may be repeated."
)
@click.option("--peer", type=click.Choice([*PEERS, "none"]), default="huey", show_default=True)
@click.option("--quick", is_flag=True, help="A tenth of the jobs, once: a look, not a figure.")
@click.option("--scale", type=click.FloatRange(0.001), help="Multiply the numbers of jobs.")
@click.option("--repeat", type=click.IntRange(1), help="Runs of each figure.  [default: 3]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every single run.")
@click.option("--check", is_flag=True, help="Exit with 1 if a figure falls short of its bar.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=ROOT / "build",
    help="Where the databases go for the time: it is this disk that is measured.  [default: build]",
)
def main(
    only: tuple[str, ...],
    peer: str,
    quick: bool,
    scale: float | None,
    repeat: int | None,
    as_json: bool,
    check: bool,
    folder: Path,
) -> None:
    """Measure Stoker on SQLite, beside a peer and beside this machine's own limits."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the workers are ended then too
    systems = [OURS] + ([PEERS[peer]] if peer != "none" else [])
    figures: list[Figure] = []
    failed: list[Failed] = []
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as name, _saying() as say:
        command = shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])
        who = identity(Path(name), systems, command)
        bench = Bench(
            Path(name),
            OURS,
            systems[1] if len(systems) > 1 else None,
            scale=scale or (0.1 if quick else 1.0),
            repeat=repeat or (1 if quick else 3),
            say=say,
        )
        for scenario in only or SCENARIOS:
            try:
                figures += SCENARIOS[scenario](bench)
            except (BenchmarkError, OSError) as error:
                failed.append(Failed(scenario, str(error)))
    if as_json:
        report = {
            "identity": who,
            "figures": [_plain(figure) for figure in figures],
            "failed": [msgspec.to_builtins(each) for each in failed],
            "asymmetries": {kind.name: kind.description.notes for kind in systems},
        }
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        console = Console()
        if not console.is_terminal:
            console.width = 132
        show(console, who, figures, failed, systems)
    if failed or (check and any(figure.passes is False for figure in figures)):
        sys.exit(1)


def _plain(figure: Figure) -> dict[str, object]:
    derived = ("value", "peer_value", "times", "of_limit", "passes")
    return {**msgspec.to_builtins(figure), **{name: getattr(figure, name) for name in derived}}


@contextmanager
def _saying() -> Iterator[Callable[[str], None]]:
    """Show what is being measured: on a terminal in one line, else a line each."""
    if not _progress.is_terminal:
        yield lambda what: _progress.print(what, style="dim")
        return
    with _progress.status("getting ready") as status:
        yield lambda what: status.update(what)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
