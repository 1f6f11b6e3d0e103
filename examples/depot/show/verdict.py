"""Compares what became of the uploads with what was planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from depot.models import Status, Upload
from depot.pictures import SIZES
from show.plan import Sample, announced, orphans


def surprises(
    samples: list[Sample],
    rows: Sequence[Upload],
    thumbnails: Mapping[str, set[str]],
    reported: list[str],
) -> list[str]:
    """Return what is not as planned, a line for each.

    ``thumbnails`` are those in the store, by organisation; ``reported`` is what the sweep found.
    """
    return [
        *_in_rows(samples, {(row.organisation_id, row.key): row for row in rows}),
        *_in_store(rows, thumbnails),
        *_in_sweep(set(orphans(samples)), set(reported)),
    ]


def _in_rows(samples: list[Sample], rows: dict[tuple[str, str], Upload]) -> Iterator[str]:
    for sample in announced(samples):
        where = f"{sample.organisation_id}/{sample.key}"
        row = rows.pop((sample.organisation_id, sample.key), None)
        if row is None:
            yield f"{where}: it has no row"
        elif (row.status, row.reason) != (sample.status, sample.reason):
            wanted = f"{sample.status} {sample.reason or ''}".rstrip()
            yield f"{where}: {row.status} {row.error or ''}".rstrip() + f"; planned: {wanted}"
    for organisation, key in rows:
        yield f"{organisation}/{key}: nobody planned it"


def _in_store(rows: Sequence[Upload], thumbnails: Mapping[str, set[str]]) -> Iterator[str]:
    left = {f"{owner}/{key}" for owner, keys in thumbnails.items() for key in keys}
    for row in rows:
        where = f"{row.organisation_id}/{row.key}"
        sizes = tuple(thumbnail.size for thumbnail in row.thumbnails)
        if sizes != (SIZES if row.status is Status.COMPLETED else ()):
            yield f"{where}: {row.status} with the thumbnails {sizes}"
        for thumbnail in row.thumbnails:
            path = f"{row.organisation_id}/{thumbnail.key}"
            if path not in left:
                yield f"{path}: a row, and no file"
            left.discard(path)
    for path in sorted(left):
        yield f"{path}: a file, and no row"


def _in_sweep(planned: set[str], reported: set[str]) -> Iterator[str]:
    for path in sorted(planned ^ reported):
        yield f"{path}: an orphan that the sweep {'missed' if path in planned else 'made up'}"
