"""find, requeue, remove, cancel: selections in bounded pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from stoker.broker.base import Page, Select, Swept
from stoker.broker.redis.records import stored

MOST_AT_ONCE = 100
"""Jobs that one call of a script reads or changes."""


class Piece(NamedTuple):
    """What one call works on."""

    most: int
    ids: Sequence[str] | None
    """These ids, or ``None`` for the state's jobs from the cursor on."""
    start: int
    """For ids: the place of the first."""
    following: str | None
    """For ids: the cursor behind them."""


def piece_of(select: Select, most: int = MOST_AT_ONCE) -> Piece:
    """Return the next piece of a selection."""
    most = min(select.limit, most)
    if select.ids is None:
        return Piece(most, None, 0, None)
    ids = tuple(dict.fromkeys(select.ids))
    start = int(select.after or 0)
    end = start + most
    return Piece(most, ids[start:end], start, str(end) if end < len(ids) else None)


def page(queue: str, piece: Piece, answer: tuple[Sequence[Any], str | None]) -> Page:
    """Read what ``find`` answered."""
    records, cursor = answer
    jobs = [stored(queue, record) for record in records]
    return Page(jobs, piece.following if piece.ids is not None else cursor)


def swept(piece: Piece, answer: tuple[Sequence[str], str | None]) -> Swept:
    """Read what a sweeping script answered."""
    ids, cursor = answer
    if piece.ids is None:
        return Swept(ids, cursor)
    # Of ids, the script may have dealt with the first few only.
    return Swept(ids, piece.following if cursor is None else str(piece.start + int(cursor)))
