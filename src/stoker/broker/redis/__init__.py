"""The broker on Redis or Valkey, in BullMQ's own data layout."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
import time
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

from stoker.broker.base import (
    Added,
    Broker,
    Clock,
    Detail,
    EventPage,
    Finished,
    Page,
    Patch,
    QueueSettings,
    QueueStats,
    Select,
    Swept,
    Want,
    system_clock,
)
from stoker.broker.redis import (
    add,
    checks,
    claim,
    events,
    finish,
    inspect,
    rights,
    schedulers,
    scripts,
    sweep,
)
from stoker.broker.redis.bell import Bell
from stoker.broker.redis.calls import Call
from stoker.broker.redis.connection import BLOCK_SECONDS, Line, Lines
from stoker.broker.redis.faults import CLIENT_FAULTS, in_our_words, translated
from stoker.broker.redis.records import extra_of
from stoker.broker.redis.standby import Standby
from stoker.config import BrokerURL, ServerAddress
from stoker.errors import BrokerError, BrokerUnavailable
from stoker.job.model import Failure, JobRecord, Lease, NewJob, lease_of
from stoker.job.outcome import Outcome, Released, crash_failure

__all__ = ["RedisBroker"]

RECOVERED_AT_ONCE = 500
"""Active jobs that one call of ``recover`` looks at."""
SETTLED_AT_ONCE = 500
"""Outcomes that one call of ``finish`` settles."""


class RedisBroker(Broker):
    """One script for each operation; connections of its own for every event loop."""

    def __init__(
        self, url: BrokerURL, server: ServerAddress, *, clock: Clock = system_clock
    ) -> None:
        self._url = url
        self._prefix = server.prefix
        self._clock = clock
        self._lines = Lines(lambda: Line(url, server))
        self._in_doubt: set[Lease] = set()
        """Whose outcomes were sent, and for which no answer came: they may have been settled."""
        self._info: Mapping[str, Any] = {}
        self._unchecked = set(scripts.names() if server.user else ())
        """Scripts of which it is not known yet whether the server's user may run them."""
        self._server_ahead_ms = 0
        """How far the server's clock was ahead of ours when it was last claimed."""
        self._state = "new"

    async def open(self) -> Self:
        if self._state == "new":
            try:
                with in_our_words(self._url):
                    info = await (await self._lines.here()).info()
                checks.refuse(info, self._url)
            except BaseException:
                await self._lines.close()
                raise
            self._info = info
            self._state = "open"
        return self

    def warnings(self) -> Sequence[str]:
        return checks.warnings(self._info, self._url)

    async def close(self) -> None:
        self._state = "closed"
        await self._lines.close()

    # The road of a job

    async def add(self, jobs: Sequence[NewJob]) -> list[Added]:
        if not jobs:
            return []
        call = self._call()
        add.add(call, jobs)
        return add.added(await self._run("add", call))

    async def claim(self, want: Want, timeout: float = 0.0) -> list[JobRecord]:
        deadline = time.monotonic() + timeout
        jobs, due = await self._unharmed(self._claim(want))
        while not jobs:
            if due is not None and due <= self._clock():
                # A script does so much at once: there is more to be looked at.
                jobs, due = await self._unharmed(self._claim(want))
            elif (left := deadline - time.monotonic()) > 0:
                until_due = BLOCK_SECONDS if due is None else (due - self._clock()) / 1_000
                jobs, due = await self._wait(want, min(left, BLOCK_SECONDS, max(until_due, 0.001)))
            else:
                break
        return jobs

    async def _claim(self, want: Want) -> tuple[list[JobRecord], int | None]:
        call = self._call()
        call.want(want, secrets.token_hex(8))
        return await self._brought(call, want, await self._run("claim", call))

    async def _brought(
        self, call: Call, want: Want, answer: Any
    ) -> tuple[list[JobRecord], int | None]:
        """Return the jobs that ``claim`` answered with, and when the next may be there."""
        given, call.now, self._server_ahead_ms = answer
        return await self._to_run(call, want, given), given[-1]

    async def _to_run(self, call: Call, want: Want, given: Sequence[Any]) -> list[JobRecord]:
        """Return the jobs of an answer that are to be run; arm schedulers, end what is doomed."""
        claimed = claim.read(call, want.worker, given)
        for born in claimed.born:
            await self._arm(born)
        if claimed.doomed:
            await self._settle(claimed.doomed, None)
            await self._refund(claimed.doomed)
        return claimed.jobs

    async def _arm(self, born: claim.Born) -> None:
        call = self._call()
        following = schedulers.following(born, call.now)
        if following is not None:
            call.place(born.queue)
            call.add(born.scheduler, born.id, following.due, following.opts)
            await self._run("schedule", call)

    async def _unharmed(
        self,
        claiming: Coroutine[Any, Any, tuple[list[JobRecord], int | None]],
        standby: Standby | None = None,
    ) -> tuple[list[JobRecord], int | None]:
        """Claim to the end though the caller is cancelled meanwhile, and then hand back."""
        task = asyncio.ensure_future(claiming)
        if standby is not None:  # also one that is cancelled, with its loop, before it begins
            task.add_done_callback(lambda _: standby.end())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            with contextlib.suppress(BrokerError):
                if standby is not None:
                    await standby.call_back()
                jobs, _ = await task
                if jobs:
                    await self.finish([Released(lease_of(job)) for job in jobs])
            raise

    async def _wait(self, want: Want, seconds: float) -> tuple[list[JobRecord], int | None]:
        """Wait until there may be something to claim, and claim."""
        async with self._line() as line:
            bells = [
                line.bell(f"{self._prefix}:{queue}:marker", self._worker_name(queue, want))
                for queue, most in want.queues.items()
                if most > 0
            ]
        loop = asyncio.get_running_loop()
        ringing: asyncio.Future[None] = loop.create_future()
        standby = bells[0].take_standby() if bells else None
        for bell in bells[0 if standby is None else 1 :]:
            bell.wake(ringing)
        # The server's own timer is up to a tenth of a second late.
        timer = loop.call_later(seconds, lambda: ringing.done() or ringing.set_result(None))
        try:
            if standby is not None:
                ringing.add_done_callback(lambda _: standby.hasten())
                claiming = self._claim_later(bells[0], standby, want, seconds)
                return await self._unharmed(claiming, standby)
            await ringing
        finally:
            timer.cancel()
            ringing.cancel()
        return await self._unharmed(self._claim(want))

    async def _claim_later(
        self, bell: Bell, standby: Standby, want: Want, seconds: float
    ) -> tuple[list[JobRecord], int | None]:
        call = self._call()
        call.want(want, secrets.token_hex(8))
        if self._clock is system_clock:
            call.later(self._server_ahead_ms)
        words = scripts.words("claim", call.keys, call.args)
        answer = await bell.stand_by(standby, words, seconds)
        jobs = [] if answer is None else (await self._brought(call, want, answer))[0]
        return jobs, self._clock()  # if there are none: it is time to look, by our own clock

    def _worker_name(self, queue: str, want: Want) -> str:
        """Return the name by which BullMQ and Bull Board list a queue's workers."""
        encoded = base64.b64encode(queue.encode()).decode()
        worker = "".join(c if c.isascii() and c.isprintable() and c != " " else "_"
                         for c in want.worker)  # fmt: skip
        return f"{self._prefix}:{encoded}:w:{worker}"

    async def finish(self, outcomes: Sequence[Outcome], want: Want | None = None) -> Finished:
        if not outcomes and want is None:
            self._check_open()
            return Finished()
        lost: frozenset[Lease] = frozenset()
        while len(outcomes) > SETTLED_AT_ONCE:
            part, outcomes = outcomes[:SETTLED_AT_ONCE], outcomes[SETTLED_AT_ONCE:]
            lost |= (await self._settle(part, None)).lost
        answer = await self._settle(outcomes, want)
        return Finished(lost | answer.lost, answer.jobs)

    async def _settle(self, outcomes: Sequence[Outcome], want: Want | None) -> Finished:
        if self._in_doubt:
            outcomes = await self._unsettled(outcomes)
        call = self._call()
        first, repeated = finish.without_repeats(outcomes)
        leases = finish.settle(call, first)
        call.want(want, secrets.token_hex(8))
        try:
            lost, given = await self._run("finish", call)
        except BaseException:
            self._in_doubt.update(outcome.lease for outcome in outcomes)
            raise
        jobs = await self._to_run(call, want, given) if want is not None else []
        if unrun := [outcome for outcome in outcomes if finish.was_never_run(outcome)]:
            await self._refund(unrun)
        return Finished(repeated | {leases[int(place) - 1] for place in lost}, jobs)

    async def _refund(self, outcomes: Sequence[Outcome]) -> None:
        """Let jobs that could not be run count for nothing in the rate limit of their queue."""
        call = self._call()
        for queue, count in Counter(outcome.lease.queue for outcome in outcomes).items():
            call.place(queue)
            call.add(count)
        with contextlib.suppress(BrokerError):  # the outcomes count, whatever becomes of this
            await self._run("refund", call)

    async def _unsettled(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """Return the outcomes less those that an earlier call settled without being answered."""
        resent = [outcome for outcome in outcomes if outcome.lease in self._in_doubt]
        if not resent:
            return outcomes
        call = self._call()
        finish.resent(call, resent)
        places = await self._run("settled", call)
        settled = {resent[int(place) - 1].lease for place in places}
        self._in_doubt.difference_update(outcome.lease for outcome in resent)
        return [outcome for outcome in outcomes if outcome.lease not in settled]

    async def extend(self, leases: Collection[Lease], lease_ms: int) -> set[Lease]:
        if not leases:
            return set()
        asked = list(leases)
        lost: set[Lease] = set()
        for start in range(0, len(asked), SETTLED_AT_ONCE):
            part = asked[start : start + SETTLED_AT_ONCE]
            call = self._call()
            call.add(lease_ms, len(part))
            for lease in part:
                call.args += [call.place(lease.queue), lease.id, lease.token]
            lost.update(part[int(place) - 1] for place in await self._run("extend", call))
        return lost

    async def recover(
        self, queues: Sequence[str], max_stalls: int, patience_ms: int = 0
    ) -> list[str]:
        self._check_open()
        taken: list[str] = []
        for queue in queues:
            taken += await self._recover(queue, max_stalls, patience_ms)
        return taken

    async def _recover(self, queue: str, max_stalls: int, patience_ms: int) -> list[str]:
        failure = crash_failure(0, "its lease ran out")
        message, _, _ = failure.message.partition("0 times")
        taken: list[str] = []
        offset: int | None = 0
        while offset is not None:
            call = self._call()
            call.place(queue)
            call.add(max_stalls, patience_ms, message, extra_of(failure))
            call.add(offset, RECOVERED_AT_ONCE)
            ids, offset = await self._run("recover", call)
            taken += ids
        return taken

    # An operator's hand

    async def find(self, select: Select) -> Page:
        piece = sweep.piece_of(select)
        call = self._call()
        call.place(select.queue)
        call.selection(select, piece.most, piece.ids)
        return sweep.page(select.queue, piece, await self._run("find", call))

    async def requeue(self, select: Select) -> Swept:
        return await self._sweep("requeue", select)

    async def remove(self, select: Select, *, force: bool = False) -> Swept:
        return await self._sweep("remove", select, "1" if force else "0")

    async def cancel(self, select: Select, why: str) -> Swept:
        return await self._sweep("cancel", select, why, extra_of(Failure("cancelled", why)))

    async def _sweep(self, name: str, select: Select, *args: str) -> Swept:
        piece = sweep.piece_of(select)
        call = self._call()
        call.place(select.queue)
        call.add(*args)
        call.selection(select, piece.most, piece.ids)
        return sweep.swept(piece, await self._run(name, call))

    async def update(self, queue: str, id: str, patch: Patch) -> bool:
        call = self._call()
        call.place(queue)
        call.add(id)
        for given in (patch.token, patch.data, patch.priority, patch.delay_ms, patch.progress):
            call.add("0" if given is None else "1", given)
        call.add(len(patch.log), *patch.log)
        return bool(await self._run("update", call))

    async def detail(self, queue: str, id: str) -> Detail | None:
        call = self._call()
        call.place(queue)
        call.add(id)
        return inspect.detail(queue, await self._run("detail", call))

    async def queues(self, names: Sequence[str] | None = None) -> list[QueueStats]:
        self._check_open()
        if names is None:
            async with self._line() as line:
                names = await inspect.queue_names(line, self._prefix)
        if not names:
            return []
        call = self._call()
        for name in names:
            call.place(name)
        return inspect.stats(call.queues, await self._run("queues", call))

    async def configure(self, queue: str, settings: QueueSettings) -> None:
        left = settings.paused is not None
        while left:
            call = self._call()
            call.place(queue)
            call.add("1" if settings.paused else "0")
            left = bool(await self._run("configure", call))

    async def events(self, queue: str, after: str | None, timeout: float = 0.0) -> EventPage:
        key = f"{self._prefix}:{queue}:events"
        deadline = time.monotonic() + timeout
        async with self._line() as line:
            if after is None:
                return EventPage((), await inspect.last_event(line, key))
            gap = await inspect.has_gap(line, key, after)
        while True:
            left = deadline - time.monotonic()
            async with self._line() as line:
                entries = await inspect.entries(line, key, after, min(left, BLOCK_SECONDS))
            page = EventPage(events.read(queue, entries), entries[-1][0] if entries else after, gap)
            after = page.cursor
            if page.events or gap or (left <= 0 and not entries):
                return page

    # Calling

    def _call(self) -> Call:
        return Call(self._prefix, self._clock)

    async def _run(self, name: str, call: Call) -> Any:
        self._check_open()
        try:
            line = await self._lines.here()
            if name in self._unchecked and call.keys:
                await rights.check(line, name, call.keys[0], self._url)
                self._unchecked.discard(name)
            return await line.run(name, call.keys, call.args)
        except CLIENT_FAULTS as error:
            raise translated(error, self._url) from error

    @asynccontextmanager
    async def _line(self) -> AsyncGenerator[Line]:
        self._check_open()
        with in_our_words(self._url):
            yield await self._lines.here()

    def _check_open(self) -> None:
        if self._state != "open":
            raise BrokerUnavailable(f"the broker on {self._url} is closed")
