"""find, requeue, remove, cancel: selections in bounded pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stoker.broker.base import Page, Select, Swept
from stoker.broker.redis.records import extra_of, stored
from stoker.broker.redis.server import Server
from stoker.failure import Failure

MOST_AT_ONCE = 100
"""Jobs that one call of a script reads or changes."""


async def find(server: Server, select: Select) -> Page:
    """Return jobs that are selected."""
    piece = _piece_of(select)
    call = server.new_call()
    call.place(select.queue)
    call.selection(select, piece.most, piece.ids)
    records, cursor = await server.run("find", call)
    jobs = [stored(select.queue, record) for record in records]
    return Page(jobs, piece.following(cursor))


async def requeue(server: Server, select: Select) -> Swept:
    """Make jobs wait that are delayed or have finished."""
    return await _sweep(server, "requeue", select)


async def remove(server: Server, select: Select, *, force: bool) -> Swept:
    """Delete jobs, active ones too with ``force``."""
    return await _sweep(server, "remove", select, "1" if force else "0")


async def cancel(server: Server, select: Select, why: str) -> Swept:
    """End unfinished jobs for good."""
    return await _sweep(server, "cancel", select, why, extra_of(Failure("cancelled", why)))


async def _sweep(server: Server, name: str, select: Select, *args: str) -> Swept:
    piece = _piece_of(select)
    call = server.new_call()
    call.place(select.queue)
    call.add(*args)
    call.selection(select, piece.most, piece.ids)
    ids, cursor = await server.run(name, call)
    return Swept(ids, piece.following(cursor))


class _Piece(NamedTuple):
    """What one call works on."""

    most: int
    ids: Sequence[str] | None
    """These ids, or ``None`` for the state's jobs from the cursor on."""
    start: int
    """For ids: the place of the first."""
    behind: str | None
    """For ids: the cursor behind them."""

    def following(self, cursor: str | None) -> str | None:
        """Return where to go on, from the script's cursor."""
        if self.ids is None:
            return cursor
        # Of ids, the script may have dealt with the first few only.
        return self.behind if cursor is None else str(self.start + int(cursor))


def _piece_of(select: Select) -> _Piece:
    """Return the next piece of a selection."""
    most = min(select.limit, MOST_AT_ONCE)
    if select.ids is None:
        return _Piece(most, None, 0, None)
    ids = tuple(dict.fromkeys(select.ids))
    start = int(select.after or 0)
    end = start + most
    return _Piece(most, ids[start:end], start, str(end) if end < len(ids) else None)
