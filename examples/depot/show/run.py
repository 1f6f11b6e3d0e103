"""The demo's middle part: adds the first job, keeps a worker at it, watches until all is settled."""

from __future__ import annotations

import asyncio
import time
from asyncio import to_thread
from pathlib import Path
from typing import Any

from stoker import Job, JobNotFound, State

from depot import queues, storage
from depot.app import app
from show import samples as made
from show import state
from show.plan import ORGANISATIONS, Fate, Sample
from show.report import Outcome
from show.screen import Screen
from show.state import Snapshot
from show.verdict import surprises
from show.worker import Worker, WorkerGone

LOOK_SECONDS = 0.15
STILL_SECONDS = 120.0
"""Without any change for so long, something is wrong: more than a lease and a backoff."""


async def run(samples: list[Sample], seed: int, log: Path, screen: Screen) -> Outcome:
    """Do it all, and return what came of it. Raises ``WorkerGone``."""
    async with app:
        before = await state.look()
        sweep = await queues.sync_uploads()
        worker = Worker(log)
        screen.say(f"worker {worker.pid} started; it writes to {log}")
        began = time.monotonic()
        try:
            after = await _watch(samples, seed, sweep, worker, screen)
        finally:
            worker.stop()
        seconds = time.monotonic() - began
        reported: list[str] = (await sweep.wait(10))["orphans"]
        thumbnails = {id: await storage.keys(id, storage.THUMBNAILS) for id in ORGANISATIONS}
        rows = await to_thread(state.rows)
        return Outcome(
            rows=rows,
            orphans=reported,
            surprises=surprises(samples, rows, thumbnails, reported),
            jobs=after.ended - before.ended,
            seconds=seconds,
            restarts=worker.starts - 1,
        )


async def _watch(
    samples: list[Sample], seed: int, sweep: Job[Any], worker: Worker, screen: Screen
) -> Snapshot:
    """Return the last snapshot, in which every upload is settled."""
    late = {(s.organisation_id, s.key): s for s in samples if s.fate is Fate.LATE}
    last, moved = None, time.monotonic()
    while True:
        snapshot = await state.look()
        screen.show(snapshot)
        if snapshot.settled == snapshot.total.total() and await _ended(sweep):
            return snapshot
        if (snapshot.uploads, snapshot.jobs) != last:
            last, moved = (snapshot.uploads, snapshot.jobs), time.monotonic()
        elif time.monotonic() - moved > STILL_SECONDS:
            raise WorkerGone(f"nothing has moved for {STILL_SECONDS:.0f} s:\n{worker.last_words()}")
        for upload in (late.keys() & await to_thread(state.tried)) if late else ():
            await to_thread(made.deliver, [late.pop(upload)], seed)
        if (how := worker.revive()) is not None:
            screen.say(f"the worker ended with {how}; worker {worker.pid} takes its place")
        await asyncio.sleep(LOOK_SECONDS)


async def _ended(job: Job[Any]) -> bool:
    try:
        return await job.state() in (State.COMPLETED, State.FAILED)
    except JobNotFound:
        return True
