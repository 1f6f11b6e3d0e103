"""What an operator sees of one job and of the queues, and changes in them."""

from __future__ import annotations

from collections.abc import Sequence

from stoker.broker.base import Detail, Patch, QueueSettings, QueueStats
from stoker.broker.redis.connection import Line
from stoker.broker.redis.records import stored
from stoker.broker.redis.server import Server
from stoker.job.model import Log
from stoker.job.states import State

_SCANNED_AT_ONCE = 1_000
_COUNTED = (State.WAITING, State.DELAYED, State.ACTIVE, State.COMPLETED, State.FAILED)


async def update(server: Server, queue: str, id: str, patch: Patch) -> bool:
    """Change one job, if its state and lease allow it."""
    call = server.new_call()
    call.place(queue)
    call.add(id)
    for given in (patch.token, patch.data, patch.priority, patch.delay_ms, patch.progress):
        call.add("0" if given is None else "1", given)
    call.add(len(patch.log), *patch.log)
    return bool(await server.run("update", call))


async def detail(server: Server, queue: str, id: str) -> Detail | None:
    """Return one job with its log."""
    call = server.new_call()
    call.place(queue)
    call.add(id)
    answer = await server.run("detail", call)
    if answer is None:
        return None
    record, lines, times = answer
    job = stored(queue, record)
    ats = [int(at) for at in times.split(",") if at.isdigit()]
    # BullMQ keeps lines without their times: those before ours are as old as the job.
    ats = [job.created_at] * (len(lines) - len(ats)) + ats[max(len(ats) - len(lines), 0) :]
    return Detail(job, [Log(at, line) for at, line in zip(ats, lines, strict=True)])


async def queues(server: Server, names: Sequence[str] | None) -> list[QueueStats]:
    """Return the state of the queues named, or of all."""
    server.check_open()
    if names is None:
        async with server.line() as line:
            names = await _queue_names(line, server.prefix)
    if not names:
        return []
    call = server.new_call()
    for name in names:
        call.place(name)
    return [
        QueueStats(name, dict(zip(_COUNTED, counts, strict=False)), paused=bool(counts[-1]))
        for name, counts in zip(call.queues, await server.run("queues", call), strict=True)
    ]


async def configure(server: Server, queue: str, settings: QueueSettings) -> None:
    """Pause a queue, or let it go on."""
    left = settings.paused is not None
    while left:
        call = server.new_call()
        call.place(queue)
        call.add("1" if settings.paused else "0")
        left = bool(await server.run("configure", call))


async def _queue_names(line: Line, prefix: str) -> list[str]:
    """Return all queues by name; each has a hash ``meta``."""
    found: set[str] = set()
    async for key in line.patient.scan_iter(
        match=f"{_literally(prefix)}:*:meta", count=_SCANNED_AT_ONCE
    ):
        name = key.removeprefix(f"{prefix}:").removesuffix(":meta")
        if ":" not in name:
            found.add(name)
    return sorted(found)


def _literally(text: str) -> str:
    return "".join(f"\\{character}" if character in "*?[]^\\" else character for character in text)
