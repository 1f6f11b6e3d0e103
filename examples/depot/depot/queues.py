"""What the application asks of its worker: the names, the payloads, and a function for each job.

Jobs are added by name. Whoever wants one needs this module and none of the worker's.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from stoker import Job

from depot.app import app

MAINTENANCE = "maintenance"
VERIFY = "verify"
THUMBNAILS = "thumbnails"

SYNC_UPLOADS = "sync-uploads"
VERIFY_UPLOAD = "verify-upload"
MAKE_THUMBNAILS = "make-thumbnails"

OrganisationId = Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,64}$")]


class TenantJob(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What every job says: whose it is. As JSON: ``{"organisationId": "alpine-club"}``."""

    organisation_id: OrganisationId


class UploadJob(TenantJob, frozen=True, kw_only=True):
    """A job for one upload: ``{"organisationId": "alpine-club", "uploadId": 17}``."""

    upload_id: int


async def sync_uploads() -> Job[Any]:
    """Compare the rows with the store, and begin with what has arrived."""
    return await app.queue(MAINTENANCE).add(SYNC_UPLOADS, dedup=SYNC_UPLOADS)


async def verify(job: UploadJob) -> Job[Any]:
    """Check an upload. Asked for twice before it is done, it is one job."""
    return await _add(VERIFY, VERIFY_UPLOAD, job)


async def make_thumbnails(job: UploadJob) -> Job[Any]:
    """Make an upload's thumbnails; the same holds."""
    return await _add(THUMBNAILS, MAKE_THUMBNAILS, job)


async def _add(queue: str, name: str, job: UploadJob) -> Job[Any]:
    data = msgspec.to_builtins(job)
    return await app.queue(queue).add(name, data, dedup=f"upload-{job.upload_id}")
