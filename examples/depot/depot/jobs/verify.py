"""Checks that an upload is in the store, and is what was declared."""

from __future__ import annotations

import hashlib
from asyncio import to_thread

from stoker import Backoff, JobContext

from depot import queues, storage, uploads
from depot.app import app
from depot.jobs.tracked import UploadProcessor
from depot.models import Status, Upload
from depot.queues import UploadJob
from depot.rejections import ChecksumDiffers, Missing, SizeDiffers


@app.processor
class VerifyUpload(UploadProcessor):
    """Waits for the store most of the time, so it is ``async`` and many run at once."""

    queue = queues.VERIFY
    name = queues.VERIFY_UPLOAD
    timeout = "1m"
    # A missing file may still be on its way. Here it gets some seconds; a real one, an hour.
    attempts = 5
    backoff = Backoff.exponential("500ms")

    async def process(self, job: JobContext[UploadJob]) -> None:
        upload = await to_thread(uploads.begin, job.data)
        if upload.status is Status.COMPLETED:
            return  # an earlier run came this far, and was not heard
        await check(upload)
        await queues.make_thumbnails(job.data)


async def check(upload: Upload) -> None:
    """Read the stored file once. Raises what is wrong with it."""
    try:
        file = await storage.store(upload.organisation_id).get_async(upload.key)
    except FileNotFoundError:
        raise Missing("it is not in the store") from None
    if file.meta["size"] != upload.size:
        raise SizeDiffers(f"declared {upload.size:,} bytes, are {file.meta['size']:,}")
    digest = hashlib.sha256()
    async for chunk in file.stream():
        digest.update(chunk)
    if digest.hexdigest() != upload.sha256:
        raise ChecksumDiffers(f"declared {upload.sha256[:12]}…, is {digest.hexdigest()[:12]}…")
