"""The demo from curtain to curtain: samples, work, report."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from stoker import StokerError

from depot import queues
from depot.app import app
from depot.database import create_tables
from show import report, samples
from show.folder import Busy, Folder, NotOurs, Size
from show.plan import ORGANISATIONS, Sample, plan
from show.run import run
from show.screen import Screen
from show.worker import PROJECT, WorkerGone


def play(folder: Folder, size: Size, *, keep: bool) -> int:
    """Run the demo; return its exit code: 0 only if every upload ended as planned."""
    console = Console()
    try:
        with folder.taken() as lock:
            size, planned = _set(console, folder, size, keep)
            with Screen(console) as screen:
                outcome = asyncio.run(run(planned, size.seed, folder.log, lock, screen))
    except (NotOurs, Busy, WorkerGone, StokerError, OSError) as error:
        console.print(f"[red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        if isinstance(error, NotOurs | Busy | PermissionError):
            console.print("hint: --folder FOLDER, or DEPOT_HOME, takes another", highlight=False)
        return 1
    report.tell(console, outcome)
    # It may have been set for this command alone, and may hold a password.
    within = ", where STOKER_URL is set as for this demo" if "STOKER_URL" in os.environ else ""
    report.advise(console, _commands(folder, outcome.dead), within=within)
    return 1 if outcome.surprises else 0


def _set(console: Console, folder: Folder, size: Size, keep: bool) -> tuple[Size, list[Sample]]:
    """Make the samples, unless those of an earlier run are kept."""
    kept = folder.kept() if keep else None
    if kept is not None:
        console.print(f"going on with {kept.uploads} samples in {folder.path}", highlight=False)
        return kept, plan(kept.uploads, kept.seed)
    folder.clear()
    create_tables()
    samples.forget()
    planned = plan(size.uploads, size.seed)
    began = time.monotonic()
    with console.status(f"making {size.uploads} samples"):
        stored = samples.make(planned, size.seed)
    folder.filled(size)
    console.print(
        f"{size.uploads} samples of {len(ORGANISATIONS)} organisations in {folder.path}: "
        f"{stored / 1e6:.0f} MB, made in {time.monotonic() - began:.1f} s",
        highlight=False,
        soft_wrap=True,
    )
    return size, planned


def _commands(folder: Folder, dead: str | None) -> Iterator[tuple[str, Sequence[str]]]:
    """Return what to try next, to be pasted as it is."""
    stoker, python = _program("stoker"), _program(Path(sys.executable).name)
    url = [] if "STOKER_URL" in os.environ else ["--url", app.url.text]
    demo = os.path.relpath(PROJECT / "demo.py")
    where = [] if folder.path == Path("depot-data") else ["--folder", str(folder.path)]
    yield "the queues", [stoker, "queue", "ls", *url]
    yield "what failed", [stoker, "dead", "ls", *url]
    if dead is not None:
        show = [stoker, "dead", "show", dead, "--queue", queues.THUMBNAILS, *url]
        yield "one of them, with its data, log and traceback", show
    replay = [stoker, "dead", "replay", "--text", "Damaged", "--yes", *url]
    yield "give the damaged ones another chance", replay
    yield "and a worker; nothing is done twice", [python, demo, "--keep", *where]


def _program(name: str) -> str:
    """Return how to call a program of this environment from here."""
    own = Path(sys.executable).with_name(name)
    found = shutil.which(name)
    # The folders are compared: an environment's python is a link to one that lacks its packages.
    if found is not None and Path(found).parent.resolve() == own.parent.resolve():
        return name
    return os.path.relpath(own) if own.is_relative_to(Path.cwd()) else str(own)
