"""Adds jobs from wherever it is run: ``python -m tests.system.redis.fill URL COUNT MS``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.system.ledger import Writer
from tests.wire.perform import QUEUE, application


def main(url: str, count: int, ms: int) -> None:
    ledger = Writer(Path(os.environ["WIRE_LEDGER"]), sync=False)
    app = application(url)
    data = [{"steps": [["nap", ms]]}] * count
    for job in app.run(app.queue(QUEUE).add_many("perform", data)):
        ledger.entry("added", job.id)
    app.run(app.close())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
