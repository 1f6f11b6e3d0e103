"""The demo's middle part: adds the first job, keeps a worker at it, watches until none is left."""

from __future__ import annotations

import asyncio
import time
from asyncio import to_thread
from pathlib import Path

from stoker import Filter, State

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


async def run(samples: list[Sample], seed: int, log: Path, lock: int, screen: Screen) -> Outcome:
    """Do it all, and return what came of it. Raises ``WorkerGone``."""
    async with app:
        before = await state.look()
        sweep = await queues.sync_uploads()
        began = time.monotonic()
        worker = Worker(log, keeps=lock)
        try:
            screen.say(f"worker {worker.pid} started; it writes to {log}")
            after = await _watch(samples, seed, worker, screen)
        except asyncio.CancelledError:
            screen.say("stopping: the worker ends what it runs; Ctrl-C again interrupts that")
            raise
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
            dead=await _a_dead_letter(),
        )


async def _watch(samples: list[Sample], seed: int, worker: Worker, screen: Screen) -> Snapshot:
    """Return the last snapshot, in which no job is left to run."""
    late = {(s.organisation_id, s.key): s for s in samples if s.fate is Fate.LATE}
    last, moved = None, time.monotonic()
    while True:
        snapshot = await state.look()
        screen.show(snapshot)
        if snapshot.idle:
            return snapshot
        if (snapshot.uploads, snapshot.jobs) != last:
            last, moved = (snapshot.uploads, snapshot.jobs), time.monotonic()
        elif time.monotonic() - moved > STILL_SECONDS:
            raise WorkerGone(f"nothing has moved for {STILL_SECONDS:.0f} s:\n{worker.last_words()}")
        if late:
            for upload in late.keys() & await to_thread(state.tried):
                await to_thread(made.deliver, late.pop(upload), seed)
        if (how := worker.revive()) is not None:
            screen.say(f"the worker ended with {how}; worker {worker.pid} takes its place")
        await asyncio.sleep(LOOK_SECONDS)


async def _a_dead_letter() -> str | None:
    """Return the id of one to look at: that of a damaged picture."""
    dead = Filter(state=State.FAILED, text="Damaged")
    page = await app.queue(queues.THUMBNAILS).find(dead, limit=1)
    return page.jobs[0].id if page.jobs else None
