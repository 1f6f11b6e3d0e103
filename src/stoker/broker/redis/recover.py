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
    while asked:
        part = asked[:RENEWED_AT_ONCE]
        call = server.new_call()
        call.add(lease_ms, len(part))
        for lease in part:
            call.args += [call.place(lease.queue), lease.id, lease.token]
        places, looked_at = await server.run("extend", call)
        lost.update(part[int(place) - 1] for place in places)
        # Where many run, the script may have looked at the first few only.
        asked = asked[len(part) if looked_at is None else int(looked_at) :]
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
