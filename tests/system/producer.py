"""A process that adds jobs, one acknowledged add after the other, and writes down which.

Run with ``python -m tests.system.producer COUNT TASK``.
"""

from __future__ import annotations

import asyncio
import sys

from tests.system.handlers import FOLDER, app
from tests.system.ledger import Writer


async def main(count: int, task: str) -> None:
    writer = Writer(FOLDER / "ledger.jsonl", sync=False)
    async with app:
        for _ in range(count):
            job = await app.queue().add(task)
            writer.entry("added", job.id)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
