"""The rows of uploads, and the one place where their status changes.

    pending ─▶ processing ─▶ completed
                    └──────▶ failed ─▶ processing (its job is replayed)

Jobs run at least once, so each step may come twice, or late. Completed is final: only completing an
upload again, with the same thumbnails, touches it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update

from depot.database import session
from depot.models import Organisation, Status, Thumbnail, Upload, now
from depot.queues import UploadJob
from depot.rejections import UnknownUpload

STALE = timedelta(hours=1)
"""An upload that has not moved for so long has lost its job: somebody removed or cancelled it."""


def declare(organisation: Organisation, uploads: Iterable[Upload]) -> None:
    """Note uploads that an organisation announces: what an endpoint for new uploads would do."""
    with session() as db, db.begin():
        db.merge(organisation)
        db.add_all(uploads)


def organisations() -> list[str]:
    """Return the ids of all organisations."""
    with session() as db:
        return list(db.scalars(select(Organisation.id).order_by(Organisation.id)))


def keys(organisation_id: str) -> set[str]:
    """Return the keys of all the organisation's uploads."""
    with session() as db:
        return set(db.scalars(select(Upload.key).where(Upload.organisation_id == organisation_id)))


def pending(organisation_id: str) -> dict[str, UploadJob]:
    """Return what nobody works on, by key."""
    stale = and_(Upload.status == Status.PROCESSING, Upload.updated_at < now() - STALE)
    query = select(Upload.key, Upload.id).where(
        Upload.organisation_id == organisation_id, or_(Upload.status == Status.PENDING, stale)
    )
    with session() as db:
        return {
            key: UploadJob(organisation_id=organisation_id, upload_id=id)
            for key, id in db.execute(query.order_by(Upload.id))
        }


def begin(job: UploadJob) -> Upload:
    """Say that an upload is being worked on, and return it. Raises ``UnknownUpload``."""
    _change(job, status=Status.PROCESSING, error=None)
    with session() as db:
        upload = db.scalar(select(Upload).where(*_is(job)))
    if upload is None:
        raise UnknownUpload(f"{job.organisation_id} has no upload {job.upload_id}")
    return upload


def advance(job: UploadJob, progress: float) -> None:
    """Say how far the work has come, from 0 to 1."""
    _change(job, progress=progress)


def note(job: UploadJob, error: str) -> None:
    """Say what an attempt found; there will be another."""
    _change(job, error=error)


def fail(job: UploadJob, error: str) -> None:
    """Give up on an upload."""
    _change(job, status=Status.FAILED, error=error)


def complete(job: UploadJob, thumbnails: Iterable[Thumbnail]) -> None:
    """Note the thumbnails, in place of any earlier ones: the upload is done."""
    with session() as db, db.begin():
        upload = db.scalars(select(Upload).where(*_is(job)).with_for_update()).one()
        upload.status, upload.progress, upload.error = Status.COMPLETED, 1.0, None
        upload.thumbnails = list(thumbnails)


def _change(job: UploadJob, **values: Any) -> None:
    """Write to the row, unless it is completed: a late report must not take that back."""
    with session() as db, db.begin():
        db.execute(
            update(Upload).where(*_is(job), Upload.status != Status.COMPLETED).values(values)
        )


def _is(job: UploadJob) -> tuple[Any, ...]:
    """The id alone would do. Asking for its owner too keeps one tenant's job off another's rows."""
    return Upload.id == job.upload_id, Upload.organisation_id == job.organisation_id
