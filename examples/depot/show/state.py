"""How far the worker is: what the demo reads from the database and from the queues."""

from __future__ import annotations

import time
from asyncio import to_thread
from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload
from stoker import State

from depot import queues
from depot.app import app
from depot.database import session
from depot.models import Status, Upload


@dataclass(frozen=True)
class Snapshot:
    """Everything at one moment."""

    at: float
    uploads: dict[str, Counter[Status]]
    """By organisation."""
    jobs: Counter[State]
    """In Depot's queues together."""

    @property
    def total(self) -> Counter[Status]:
        """Uploads of all organisations."""
        return sum(self.uploads.values(), Counter())

    @property
    def settled(self) -> int:
        """Uploads that are as they will stay."""
        return settled(self.total)

    @property
    def ended(self) -> int:
        """Jobs that are completed or dead."""
        return self.jobs[State.COMPLETED] + self.jobs[State.FAILED]

    @property
    def idle(self) -> bool:
        """No job is left to run."""
        return self.ended == self.jobs.total()


def settled(uploads: Counter[Status]) -> int:
    """Return how many of these uploads are as they will stay."""
    return uploads[Status.COMPLETED] + uploads[Status.FAILED]


async def look() -> Snapshot:
    """Take a snapshot."""
    uploads = await to_thread(_counts)
    jobs: Counter[State] = Counter()
    # Along the road: a job that moves on while we look is seen twice rather than never.
    for name in (queues.MAINTENANCE, queues.VERIFY, queues.THUMBNAILS):
        jobs.update((await app.queue(name).stats()).counts)
    return Snapshot(time.monotonic(), uploads, jobs)


def rows() -> list[Upload]:
    """Return all uploads, with their thumbnails."""
    query = select(Upload).options(selectinload(Upload.thumbnails)).order_by(Upload.id)
    with session() as db:
        return list(db.scalars(query))


def tried() -> set[tuple[str, str]]:
    """Return the uploads, as organisation and key, in which an attempt has found fault so far."""
    query = select(Upload.organisation_id, Upload.key).where(
        Upload.status == Status.PROCESSING, Upload.error.is_not(None)
    )
    with session() as db:
        return {(organisation, key) for organisation, key in db.execute(query)}


def _counts() -> dict[str, Counter[Status]]:
    owner, status = Upload.organisation_id, Upload.status
    query = select(owner, status, func.count()).group_by(owner, status).order_by(owner)
    counts: dict[str, Counter[Status]] = {}
    with session() as db:
        for organisation, state, count in db.execute(query):
            counts.setdefault(organisation, Counter())[state] = count
    return counts
