"""The object store. Each organisation has a part of its own, and a job sees no other."""

from __future__ import annotations

from functools import cache
from pathlib import PurePosixPath

from obstore.store import LocalStore, ObjectStore, from_url

from depot.settings import settings

ORIGINALS = "originals"
THUMBNAILS = "thumbnails"


@cache
def store(organisation_id: str) -> ObjectStore:
    """Return the organisation's part of the store: paths in it cannot lead out of it."""
    place = f"{settings.store_url}/{organisation_id}"
    return from_url(place) if "://" in place else LocalStore(place, mkdir=True)


def thumbnail_key(key: str, size: int) -> str:
    """Return where a thumbnail belongs. It is always the same: made again, it replaces itself."""
    inside = PurePosixPath(key).relative_to(ORIGINALS)
    return f"{THUMBNAILS}/{inside}/{size}.webp"


def load(organisation_id: str, key: str) -> bytes:
    """Return a file. Raises ``FileNotFoundError``."""
    return bytes(store(organisation_id).get(key).bytes())


def save(organisation_id: str, key: str, data: bytes, content_type: str) -> None:
    """Write a file, in place of any that has this key."""
    where = store(organisation_id)
    # A folder cannot keep a file's type; an object store serves it with the file.
    attributes = None if isinstance(where, LocalStore) else {"Content-Type": content_type}
    where.put(key, data, attributes=attributes)


async def keys(organisation_id: str, below: str = ORIGINALS) -> set[str]:
    """Return the keys of all files that the organisation has uploaded, or of its thumbnails."""
    found: set[str] = set()
    async for files in store(organisation_id).list(below):
        found.update(file["path"] for file in files)
    return found
