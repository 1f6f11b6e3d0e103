"""The sweep: rows and store side by side, and a job for each upload that waits for one."""

from __future__ import annotations

from asyncio import gather, to_thread
from dataclasses import dataclass, field

from stoker import current_job

from depot import queues, storage, uploads
from depot.app import app


@dataclass
class Swept:
    """What a sweep found."""

    arrived: int = 0
    """Pending, and in the store."""
    missing: int = 0
    """Pending, and not in the store (yet)."""
    orphans: list[str] = field(default_factory=list)
    """In the store without a row, as ``organisation/key``. Nobody deletes them unasked."""


@app.task(queue=queues.MAINTENANCE, name=queues.SYNC_UPLOADS)
async def sync_uploads() -> Swept:
    """Have every pending upload verified, those too whose files are still to come."""
    swept = Swept()
    for organisation in await to_thread(uploads.organisations):
        stored = await storage.keys(organisation)
        known = await to_thread(uploads.keys, organisation)
        pending = await to_thread(uploads.pending, organisation)
        await gather(*[queues.verify(job) for job in pending.values()])

        swept.arrived += len(pending.keys() & stored)
        swept.missing += len(pending.keys() - stored)
        swept.orphans += [f"{organisation}/{key}" for key in sorted(stored - known)]
        current_job().log(f"{organisation}: {len(stored)} files, {len(pending)} pending uploads")
    return swept
