"""Two applications on one file in one process: ``python -m tests.system.pair``."""

from __future__ import annotations

import os
import time

from stoker import Stoker
from tests.system.handlers import FOLDER, GATES
from tests.system.ledger import Writer


def main() -> None:
    writer = Writer(FOLDER / "ledger.jsonl")
    first, second = Stoker(), Stoker()
    for app in (first, second, first):
        writer.entry("added", app.queue().add_sync("nap").id)
    (GATES / "open-1").touch()
    while not (GATES / "go-on-1").exists():
        time.sleep(0.005)
    for app in (first, second):
        writer.entry("added", app.queue().add_sync("nap").id)
    os._exit(0)  # as a process that is killed: closing the file could repair what is broken


if __name__ == "__main__":
    main()
