"""Run in the depot's image: announce pictures that are big enough to take a while, and begin."""

import asyncio
import io
import sys
from hashlib import sha256

from depot import storage, uploads
from depot.app import app
from depot.database import create_tables
from depot.models import Organisation, Upload
from depot.queues import sync_uploads
from PIL import Image


def picture(number: int, side: int) -> bytes:
    data = io.BytesIO()
    Image.effect_noise((side, side), 20 + number).convert("RGB").save(data, "PNG")
    return data.getvalue()


async def main(prefix: str, count: int, side: int) -> None:
    create_tables()
    rows = []
    for number in range(count):
        data = picture(number, side)
        key = f"originals/{prefix}-{number}.png"
        storage.save("alpine-club", key, data, "image/png")
        digest = sha256(data).hexdigest()
        rows.append(
            Upload(
                organisation_id="alpine-club",
                key=key,
                size=len(data),
                sha256=digest,
                content_type="image/png",
            )
        )
    uploads.declare(Organisation(id="alpine-club", name="Alpine Club"), rows)
    async with app:
        await sync_uploads()


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
