"""A worker process for the fault tests: short leases, and a journal of what the worker said.

Run with ``python -m tests.system.runner SETTINGS``, the settings as JSON. It stops by SIGTERM or
SIGINT as a deployed worker does.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
import time
import traceback
from pathlib import Path

import msgspec

from stoker.config import WorkerSettings
from stoker.events import subscribe
from stoker.worker import line as waiting
from stoker.worker import signals
from stoker.worker.leave import run_and_leave
from tests.system.fulldisk import full_while
from tests.system.handlers import FOLDER, app
from tests.system.journal import Line, line
from tests.system.ledger import Writer


async def main(settings: WorkerSettings) -> None:
    journal = Writer(FOLDER / f"journal-{settings.name}.jsonl", sync=False)
    subscribe(lambda event, fields: journal.write(line(event, fields)))
    worker = await app.worker(settings)

    def stop(name: str) -> None:
        journal.write(Line("signal", time.time(), text=name))
        worker.stop()

    try:
        with signals.caught(stop):
            await worker.run()
    finally:
        await app.close()
    journal.write(Line("left", time.time(), text=str(os.getpid())))


def told(error: BaseException) -> int:
    traceback.print_exception(error)
    return 1


if __name__ == "__main__":
    faulthandler.enable()
    if seconds := os.environ.get("FAULT_LINE"):
        waiting.LONGEST_SECONDS = float(seconds)
    settings = msgspec.json.decode(sys.argv[1], type=WorkerSettings)
    full = os.environ.get("FAULT_FULL")
    with full_while(Path(full)) if full else contextlib.nullcontext():
        run_and_leave(main(settings), told)
