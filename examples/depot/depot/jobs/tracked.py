"""What the processors of uploads have in common: their rows learn how their jobs fare."""

from __future__ import annotations

from asyncio import to_thread

from stoker import Failure, JobContext, Processor

from depot import uploads
from depot.queues import UploadJob


class UploadProcessor(Processor[UploadJob]):
    """Writes failures to the upload's row; what goes well, each processor says itself."""

    async def on_failed(self, job: JobContext[UploadJob], failure: Failure) -> None:
        await to_thread(uploads.note, job.data, _said(failure))

    async def on_dead(self, job: JobContext[UploadJob], failure: Failure) -> None:
        await to_thread(uploads.fail, job.data, _said(failure))


def _said(failure: Failure) -> str:
    """Return what failed and how: ``Damaged: …`` if it was raised, or else ``timeout: …``."""
    if failure.reason in ("error", "unrecoverable"):
        return failure.message
    return f"{failure.reason}: {failure.message}"
