"""Renew leases, and take back jobs whose lease has run out."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from stoker.broker.redis.records import extra_of
from stoker.broker.redis.server import Server
from stoker.job.model import Lease
from stoker.job.outcome import crash_failure

RENEWED_AT_ONCE = 500
"""Leases that one call of ``extend`` renews."""
LOOKED_AT_AT_ONCE = 250
"""Active jobs that one call of ``recover`` looks at."""


async def extend(server: Server, leases: Collection[Lease], lease_ms: int) -> set[Lease]:
    """Make the leases last so long from now; return those that are lost."""
    asked = list(leases)
    lost: set[Lease] = set()
    for start in range(0, len(asked), RENEWED_AT_ONCE):
        lost |= await _extend(server, asked[start : start + RENEWED_AT_ONCE], lease_ms)
    return lost


async def _extend(server: Server, leases: Sequence[Lease], lease_ms: int) -> set[Lease]:
    lost: set[Lease] = set()
    look_from = 0
    while leases:
        call = server.new_call()
        call.add(lease_ms, look_from, len(leases))
        for lease in leases:
            call.args += [call.place(lease.queue), lease.id, lease.token]
        gone, left, look_from = await server.run("extend", call)
        lost.update(leases[int(place) - 1] for place in gone)
        leases = [leases[int(place) - 1] for place in left]
    return lost


async def recover(
    server: Server, queues: Sequence[str], max_stalls: int, patience_ms: int
) -> list[str]:
    """Take back, queue by queue, what nobody holds any more; return the ids."""
    server.check_open()
    taken: list[str] = []
    for queue in queues:
        taken += await _recover(server, queue, max_stalls, patience_ms)
    return taken


async def _recover(server: Server, queue: str, max_stalls: int, patience_ms: int) -> list[str]:
    failure = crash_failure(0, "its lease ran out")
    message, _, _ = failure.message.partition("0 times")
    taken: list[str] = []
    offset: int | None = 0
    while offset is not None:
        call = server.new_call()
        call.place(queue)
        call.add(max_stalls, patience_ms, message, extra_of(failure))
        call.add(offset, LOOKED_AT_AT_ONCE)
        ids, offset = await server.run("recover", call)
        taken += ids
    return taken
