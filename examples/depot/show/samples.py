"""Makes the planned uploads: files in the store and rows in the database, some of them faulty."""

from __future__ import annotations

import os
import random
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

from sqlalchemy import delete, select

from depot import storage, uploads
from depot.database import session
from depot.models import Organisation, Thumbnail, Upload
from show.drawing import KINDS, draw, draw_bomb
from show.plan import ORGANISATIONS, Fate, Sample, announced


def make(samples: list[Sample], seed: int) -> int:
    """Draw and upload all samples, and announce those that have a row; return the bytes stored.

    Files come first: a row without its file looks like one that is on its way.
    """
    # Pillow draws and packs outside of Python's lock, so threads do use both cores.
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        made = list(pool.map(lambda sample: _upload(sample, seed), samples))
    rows = {sample.number: row for sample, (row, _) in zip(samples, made, strict=True)}
    for id in ORGANISATIONS:
        mine = [rows[s.number] for s in announced(samples) if s.organisation_id == id]
        uploads.declare(Organisation(id=id, name=id.replace("-", " ").title()), mine)
    return sum(stored for _, stored in made)


def forget() -> None:
    """Remove what an earlier run left in a database or a store outside of the demo's folder."""
    mine = select(Upload.id).where(Upload.organisation_id.in_(ORGANISATIONS))
    with session() as db, db.begin():
        db.execute(delete(Thumbnail).where(Thumbnail.upload_id.in_(mine)))
        db.execute(delete(Upload).where(Upload.organisation_id.in_(ORGANISATIONS)))
    for organisation in ORGANISATIONS:
        store = storage.store(organisation)
        for files in store.list():
            store.delete([file["path"] for file in files])


def deliver(sample: Sample, seed: int) -> None:
    """Upload a file that was held back."""
    _store(sample, _file(sample, seed))


def _upload(sample: Sample, seed: int) -> tuple[Upload, int]:
    """Store a sample's file, unless it is late or missing; return its row and the bytes stored."""
    data = _file(sample, seed)
    held_back = sample.fate in (Fate.LATE, Fate.NEVER_SENT)
    if not held_back:
        _store(sample, data)
    return _row(sample, data), 0 if held_back else len(data)


def _store(sample: Sample, data: bytes) -> None:
    storage.save(sample.organisation_id, sample.key, data, KINDS[sample.kind].content_type)


def _file(sample: Sample, seed: int) -> bytes:
    """Return what is sent: the picture, or what is left of it."""
    rng = random.Random(f"{seed}:{sample.number}")
    match sample.fate:
        case Fate.BOMB:
            return draw_bomb()
        case Fate.NO_PICTURE:
            return (
                b"<!doctype html><title>Please log in</title>" + rng.randbytes(200).hex().encode()
            )
    data = draw(KINDS[sample.kind], sample.width, sample.height, rng)
    return data[: len(data) // 2] if sample.fate is Fate.TRUNCATED else data


def _row(sample: Sample, data: bytes) -> Upload:
    """Return what the organisation declares, which may be wrong."""
    fate = sample.fate
    content_type = KINDS[sample.kind].content_type
    if fate is Fate.WRONG_TYPE:
        content_type = "image/png" if content_type != "image/png" else "image/jpeg"
    return Upload(
        organisation_id=sample.organisation_id,
        key=sample.key,
        size=len(data) + (1 if fate is Fate.WRONG_SIZE else 0),
        sha256=sha256(b"another picture" if fate is Fate.WRONG_CHECKSUM else data).hexdigest(),
        content_type="image/png" if fate is Fate.BOMB else content_type,
    )
