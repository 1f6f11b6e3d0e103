"""The one job that both sides know: it does the steps that its data lists.

The same in Node is ``node/perform.mjs``. Also a worker of Stoker's as a process of its own, for
tests that kill it: ``python -m tests.wire.perform URL NAME``, with ``WIRE_LEDGER`` in the
environment. It says there when it works.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from stoker import Stoker, Unrecoverable, WorkerSettings, current_job
from stoker.events import subscribe
from stoker.worker import signals
from tests.system.ledger import Writer
from tests.wire.eventually import LOOK_EVERY

QUEUE = "q"
NAME = "stoker"

Step = tuple[str, Any]


def application(url: str, ledger: Path | None = None, worker: str = NAME) -> Stoker:
    """Return an application that knows the job, with BullMQ's defaults: one attempt, all kept."""
    app = Stoker(url)
    writer = None if ledger is None else Writer(ledger, sync=False)

    def note(kind: str) -> None:
        if writer is not None:
            writer.entry(kind, current_job().id, worker=worker)

    @app.task(queue=QUEUE, attempts=1, keep_completed=True, keep_failed=True)
    async def perform(steps: list[list[Any]] = []) -> Any:  # noqa: B006 - is not changed
        note("start")
        result = None
        for step, argument in steps:
            await _take(step, argument)
            result = argument if step == "return" else result
        note("end")
        return result

    return app


async def _take(step: str, argument: Any) -> None:
    job = current_job()
    match step:
        case "return":
            pass
        case "progress":
            job.progress(argument)
        case "log":
            job.log(argument)
        case "nap":
            await asyncio.sleep(argument / 1_000)
        case "gate":
            while not Path(argument).exists():  # noqa: ASYNC110, ASYNC240 - another process opens it
                await asyncio.sleep(LOOK_EVERY)
        case "fail":
            raise RuntimeError(argument)
        case "failUntil":
            if job.attempt < argument:
                raise RuntimeError(f"attempt {job.attempt}")
        case "giveUp":
            raise Unrecoverable(argument)
        case _:
            raise AssertionError(f"there is no step {step!r}")


@asynccontextmanager
async def working(app: Stoker, **settings: Any) -> AsyncIterator[None]:
    """Run a worker of the application in this process meanwhile."""
    worker = await app.worker(WorkerSettings(**{"name": NAME, "recover_ms": 200, **settings}))
    running = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await running


async def main(url: str, name: str) -> None:
    path = Path(os.environ["WIRE_LEDGER"])
    app, ledger = application(url, path, name), Writer(path, sync=False)

    def told(event: str, _: object) -> None:
        if event == "worker.started":
            ledger.entry("working", "", worker=name)

    subscribe(told)
    worker = await app.worker(
        WorkerSettings(name=name, concurrency=3, lease_ms=1_000, recover_ms=200, max_stalls=100)
    )
    try:
        with signals.caught(lambda _: worker.stop()):
            await worker.run()
    finally:
        await app.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
