"""What the demo reads to see how far the worker is: the rows, the queues, and in the end the store."""

from __future__ import annotations

import time
from asyncio import to_thread
from collections import Counter, defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select
from stoker import State

from depot import storage
from depot.app import app
from depot.database import session
from depot.models import Status, Thumbnail, Upload


@dataclass(frozen=True)
class Snapshot:
    """Everything at one moment."""

    at: float
    uploads: dict[str, Counter[Status]]
    """By organisation."""
    jobs: Counter[State]
    """In all queues together."""

    @property
    def total(self) -> Counter[Status]:
        """Uploads of all organisations."""
        return sum(self.uploads.values(), Counter())

    @property
    def settled(self) -> int:
        """Uploads that are as they will stay."""
        return self.total[Status.COMPLETED] + self.total[Status.FAILED]

    @property
    def open(self) -> int:
        """Uploads that are not."""
        return self.total.total() - self.settled

    @property
    def ended(self) -> int:
        """Jobs that are completed or dead."""
        return self.jobs[State.COMPLETED] + self.jobs[State.FAILED]


@dataclass(frozen=True)
class Row:
    """What became of an upload."""

    status: Status
    error: str | None
    thumbnails: tuple[int, ...]
    """Their sizes."""

    @property
    def reason(self) -> str | None:
        """The error's name."""
        return self.error.partition(":")[0] if self.error else None


async def look() -> Snapshot:
    """Take a snapshot."""
    uploads = await to_thread(_counts)
    jobs: Counter[State] = Counter()
    for queue in await app.queues():
        jobs.update(queue.counts)
    return Snapshot(time.monotonic(), uploads, jobs)


def rows() -> dict[tuple[str, str], Row]:
    """Return all uploads by organisation and key."""
    query = select(Upload, func.count()).join(Upload.thumbnails, isouter=True).group_by(Upload.id)
    return {}


def _counts() -> dict[str, Counter[Status]]:
    query = select(Upload.organisation_id, Upload.status, func.count()).group_by(
        Upload.organisation_id, Upload.status
    )
    counts: dict[str, Counter[Status]] = defaultdict(Counter)
    with session() as db:
        for organisation, status, count in db.execute(query.order_by(Upload.organisation_id)):
            counts[organisation][status] = count
    return dict(counts)


def looked_for() -> set[tuple[str, str]]:
    """Return the uploads, as organisation and key, in which an attempt has found fault."""
    query = select(Upload.organisation_id, Upload.key).where(
        Upload.status == Status.PROCESSING, Upload.error.is_not(None)
    )
    with session() as db:
        return {(organisation, key) for organisation, key in db.execute(query)}
