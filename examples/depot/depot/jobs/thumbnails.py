"""An upload in several sizes."""

from __future__ import annotations

from stoker import JobContext

from depot import pictures, queues, storage, uploads
from depot.app import app
from depot.jobs.tracked import UploadProcessor
from depot.models import Thumbnail
from depot.queues import UploadJob


@app.processor
class MakeThumbnails(UploadProcessor):
    """Computes, and reads what strangers sent: so each runs in a child process."""

    queue = queues.THUMBNAILS
    name = queues.MAKE_THUMBNAILS
    run_in = "process"
    timeout = "1m"

    def process(self, job: JobContext[UploadJob]) -> list[str]:
        """Return the thumbnails' keys."""
        upload = uploads.begin(job.data)
        data = storage.load(upload.organisation_id, upload.key)
        picture = pictures.read(data, upload.content_type)
        made: list[Thumbnail] = []
        for size in sorted(pictures.SIZES, reverse=True):
            picture = pictures.shrink(picture, size)  # from the next larger one: far less to read
            key = storage.thumbnail_key(upload.key, size)
            storage.save(upload.organisation_id, key, pictures.webp(picture), "image/webp")
            made.append(Thumbnail(size=size, key=key, width=picture.width, height=picture.height))
            progress = len(made) / len(pictures.SIZES)
            job.progress(progress)
            uploads.advance(job.data, progress)
        uploads.complete(job.data, made)
        return [thumbnail.key for thumbnail in made]
