"""What an application sees of a queue and of the jobs in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar, Unpack, cast

import msgspec

from stoker.broker.base import (
    Broker,
    Page,
    Patch,
    QueueSettings,
    QueueStats,
    Select,
    Swept,
    system_clock,
)
from stoker.client import Client
from stoker.errors import ConfigError, JobFailed, JobNotFound
from stoker.failure import REASONS, Failure, Reason
from stoker.job.duration import Duration, milliseconds
from stoker.job.model import JobRecord, Log, failure_in
from stoker.job.payload import by_name, encode_each
from stoker.job.settings import JobSettings, check_name, settle
from stoker.job.states import FINISHED, State

R = TypeVar("R")
T = TypeVar("T")

Encoder = Callable[[str, str, Mapping[str, Any]], str]
"""queue, task name, data → JSON text; raises ``InvalidPayload`` or ``UnknownTask``."""
Decoder = Callable[[str], Any]
Progress = Callable[[int], None] | None
"""Called after each chunk of a long operation with the number of jobs it changed."""


class Job(Generic[R]):
    """A handle on one job: cheap, and good in any process that reaches the broker."""

    __slots__ = ("_client", "_decode", "duplicate", "id", "queue")

    def __init__(
        self,
        client: Client,
        queue: str,
        id: str,
        *,
        duplicate: bool = False,
        decode: Decoder = msgspec.json.decode,
    ) -> None:
        self.queue = queue
        self.id = id
        self.duplicate = duplicate
        """It was there already: its id or its dedup key was taken, and nothing was added."""
        self._client = client
        self._decode = decode

    def __repr__(self) -> str:
        return f"Job(queue={self.queue!r}, id={self.id!r})"

    async def record(self) -> JobRecord:
        """Return the job as it is stored now; raises ``JobNotFound``."""
        detail = await (await self._client.broker()).detail(self.queue, self.id)
        if detail is None:
            raise JobNotFound(f"there is no job {self.id} in queue {self.queue!r}")
        return detail.job

    async def state(self) -> State:
        """Return where the job stands; raises ``JobNotFound``."""
        return (await self.record()).state

    async def failure(self) -> Failure | None:
        """Return why the last run failed, also while the job is to be retried."""
        record = await self.record()
        return None if record.failure is None else failure_in(record)

    async def logs(self) -> list[Log]:
        """Return the lines that were logged for the job, oldest first."""
        detail = await (await self._client.broker()).detail(self.queue, self.id)
        return [] if detail is None else list(detail.logs)

    async def wait(self, timeout: Duration | None = None) -> R:
        """Return the job's result, waiting up to ``timeout`` for it (``None``: for ever).

        Raises ``JobFailed`` if it became a dead letter, ``JobTimeout``, ``JobNotFound``, or
        ``ConfigError`` for a timeout that is none.
        """
        seconds = None if timeout is None else milliseconds(timeout, "timeout") / 1_000
        record = await self._client.results().ended(self.queue, self.id, seconds)
        if record.state is State.FAILED:
            raise JobFailed(self.queue, self.id, failure_in(record))
        return cast(R, self._decode(record.result or "null"))

    def wait_sync(self, timeout: Duration | None = None) -> R:
        """``wait`` for synchronous code."""
        return self._client.run(self.wait(timeout))

    async def cancel(self, why: str = "cancelled") -> bool:
        """End the job for good, running or not; ``False`` if it had ended already."""
        return bool((await (await self._client.broker()).cancel(self._select(), why)).ids)

    async def retry(self) -> bool:
        """Run a finished job again from the start; ``False`` if it is not finished."""
        return await self.state() in (State.FAILED, State.COMPLETED) and await self._requeue()

    async def promote(self) -> bool:
        """Let a delayed job run now; ``False`` if it is not delayed."""
        return await self.state() is State.DELAYED and await self._requeue()

    async def remove(self, *, force: bool = False) -> bool:
        """Delete the job, a running one only with ``force``; ``False`` if it was not deleted.

        Children that a producer of BullMQ's gave it go with it, as they do there.
        """
        broker = await self._client.broker()
        select = self._select()
        while True:
            swept = await broker.remove(select, force=force)
            if swept.ids or swept.next is None:
                return bool(swept.ids)
            select = msgspec.structs.replace(select, after=swept.next)  # of many children

    async def change(self, *, priority: int | None = None, delay: Duration | None = None) -> bool:
        """Give a job that has not begun another priority or delay (from now)."""
        if priority is not None:
            settle({"priority": priority}, "change")
        delay_ms = None if delay is None else milliseconds(delay, "delay")
        broker = await self._client.broker()
        return await broker.update(self.queue, self.id, Patch(priority=priority, delay_ms=delay_ms))

    def _select(self) -> Select:
        return Select(self.queue, ids=(self.id,))

    async def _requeue(self) -> bool:
        return bool((await (await self._client.broker()).requeue(self._select())).ids)


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which jobs of a queue an operation is for."""

    state: State
    name: str | None = None
    """The task's name."""
    text: str | None = None
    """Occurs in the data or the failure, in any case."""
    reasons: tuple[Reason, ...] | None = None
    """Why they failed: ``("timeout", "crashed")``. Only jobs that have failed match."""
    since: int | None = None
    until: int | None = None
    """Milliseconds since the epoch, half-open; see ``Select``."""

    def __post_init__(self) -> None:
        try:
            msgspec.convert(self.reasons, tuple[Reason, ...] | None)
        except msgspec.ValidationError:
            raise ConfigError(
                f"reasons={self.reasons!r} is not a tuple of reasons",
                hint=", ".join(sorted(REASONS)),
            ) from None

    def select(self, queue: str, **more: Any) -> Select:
        """Return it as the broker wants it."""
        return Select(queue, **msgspec.structs.asdict(self), **more)


class Queue:
    """A named line of jobs."""

    def __init__(self, name: str, client: Client, encode: Encoder) -> None:
        self.name = check_name(name, "queue")
        self._client = client
        self._encode = encode

    def __repr__(self) -> str:
        return f"Queue({self.name!r})"

    async def add(
        self, name: str, data: Mapping[str, Any] | None = None, **settings: Unpack[JobSettings]
    ) -> Job[Any]:
        """Add a job for the task called ``name``; the code of the task need not be importable.

        ``data`` is an object of the task's parameters. Raises ``InvalidPayload``, ``UnknownTask``
        (this app has tasks in this queue, and that is none of them) or ``ConfigError``.
        """
        where = f"{self.name}.add({name!r})"
        settled = settle(settings, where)
        text = self._text(check_name(name, "name"), {} if data is None else data)
        added = await self._client.add(settled.job(self.name, name, text))
        return Job(self._client, self.name, added.id, duplicate=added.duplicate)

    def add_sync(
        self, name: str, data: Mapping[str, Any] | None = None, **settings: Unpack[JobSettings]
    ) -> Job[Any]:
        """``add`` for synchronous code."""
        return self._client.run(self.add(name, data, **settings))

    async def add_many(
        self, name: str, data: Iterable[Mapping[str, Any]], **settings: Unpack[JobSettings]
    ) -> list[Job[Any]]:
        """Add a job for each of ``data``, in large batches; all are checked before the first.

        Raises ``InvalidPayload`` naming the one at fault.
        """
        settled = settle(settings, f"{self.name}.add_many({name!r})")
        check_name(name, "name")
        texts = encode_each(data, lambda one: self._text(name, one), "data")
        jobs = [settled.job(self.name, name, text) for text in texts]
        return [
            Job(self._client, self.name, added.id, duplicate=added.duplicate)
            for added in await self._client.add_many(jobs)
        ]

    def job(self, id: str) -> Job[Any]:
        """Return a handle on the job with this id, whether there is one or not.

        Raises ``ConfigError`` for an id that is not text.
        """
        return Job(self._client, self.name, _id(id))

    async def find(
        self,
        filter: Filter,
        *,
        newest_first: bool = False,
        after: str | None = None,
        limit: int = 100,
    ) -> Page:
        """Return jobs, a bounded look at a time; go on with ``after=page.next``."""
        select = filter.select(self.name, newest_first=newest_first, after=after, limit=limit)
        return await (await self._client.broker()).find(select)

    async def stats(self) -> QueueStats:
        """Return the counts by state and the settings."""
        (stats,) = await (await self._client.broker()).queues([self.name])
        return stats

    async def pause(self) -> None:
        """Give out no more jobs, to any worker; those that run go on."""
        await (await self._client.broker()).configure(self.name, QueueSettings(paused=True))

    async def resume(self) -> None:
        """Give out jobs again."""
        await (await self._client.broker()).configure(self.name, QueueSettings(paused=False))

    async def requeue(self, which: Filter | Iterable[str], *, progress: Progress = None) -> int:
        """Promote delayed jobs, or run finished ones again; return how many."""
        return await self._sweep(which, lambda broker, select: broker.requeue(select), progress)

    async def remove(
        self, which: Filter | Iterable[str], *, force: bool = False, progress: Progress = None
    ) -> int:
        """Delete jobs, running ones only with ``force``; return how many."""
        return await self._sweep(
            which, lambda broker, select: broker.remove(select, force=force), progress
        )

    async def cancel(
        self, which: Filter | Iterable[str], why: str = "cancelled", progress: Progress = None
    ) -> int:
        """End jobs for good, running ones too; return how many."""
        return await self._sweep(which, lambda broker, select: broker.cancel(select, why), progress)

    def _text(self, name: str, data: Mapping[str, Any]) -> str:
        return self._encode(self.name, name, by_name(data, f"{self.name}.add({name!r})"))

    async def _sweep(
        self,
        which: Filter | Iterable[str],
        verb: Callable[[Broker, Select], Any],
        progress: Progress,
    ) -> int:
        """Go through a selection chunk by chunk, so that no chunk holds up the workers."""
        broker = await self._client.broker()
        if isinstance(which, Filter):
            # Those that finish while this goes on are not meant: else a replay would find the jobs
            # it has just replayed, once they have failed again, and never end.
            if which.until is None and which.state in FINISHED:
                which = msgspec.structs.replace(which, until=system_clock() + 1)
            select = which.select(self.name, limit=_SWEEP_CHUNK)
        else:
            select = Select(self.name, ids=_ids(which), limit=_SWEEP_CHUNK)
        total = 0
        while True:
            swept: Swept = await verb(broker, select)
            total += len(swept.ids)
            if progress is not None:
                progress(len(swept.ids))
            if swept.next is None:
                return total
            select = msgspec.structs.replace(select, after=swept.next)


_SWEEP_CHUNK = 500


def _ids(given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise ConfigError(f"ids={given!r} is one text, not several ids", hint=f"[{given!r}]")
    return tuple(map(_id, given))


def _id(given: object) -> str:
    if not isinstance(given, str):
        whole = isinstance(given, int) and not isinstance(given, bool)
        raise ConfigError(
            f"id={given!r} is not text, and ids are", hint=repr(str(given)) if whole else "job.id"
        )
    return given
