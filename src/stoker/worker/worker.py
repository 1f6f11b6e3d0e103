"""Puts a worker together, and takes it through its life: set up, run, drain, let go."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from inspect import isawaitable
from typing import Any, NamedTuple

import msgspec

from stoker.broker.base import Broker, Want
from stoker.config import WorkerSettings
from stoker.errors import ConfigError
from stoker.events import emit
from stoker.handler import Handler
from stoker.job.duration import describe
from stoker.job.model import JobRecord, Lease
from stoker.registry import Registry
from stoker.worker.deadlines import Deadlines
from stoker.worker.executors import Executors
from stoker.worker.executors.process import default_limit
from stoker.worker.fetcher import Fetcher
from stoker.worker.finisher import Finisher
from stoker.worker.keeper import Keeper
from stoker.worker.pace import Pace
from stoker.worker.reporter import Reporter
from stoker.worker.runner import Runner
from stoker.worker.slots import Room, Slots

CANCEL_SECONDS = 5.0
"""What an interrupted ``async`` handler has for its ``finally`` blocks."""
SETTLE_SECONDS = 10.0
"""How long a stopping worker tries to hand over its last outcomes to a broker that fails."""

SHOWN = 10
"""Jobs that one line of the log names."""

_warned: set[str] = set()
_log = logging.getLogger("stoker.worker")


class _Parts(NamedTuple):
    executors: Executors
    finisher: Finisher
    runner: Runner
    fetcher: Fetcher
    keeper: Keeper
    reporter: Reporter
    held: dict[Lease, float]


class Worker:
    """Runs jobs of an application until it is stopped, or in burst mode until none is left."""

    def __init__(self, registry: Registry, broker: Broker, settings: WorkerSettings) -> None:
        self.settings = _complete(settings, registry)
        self._registry = registry
        self._broker = broker
        self._stop = asyncio.Event()
        self._now = asyncio.Event()

    def stop(self) -> None:
        """Claim no more and let what runs end; called again: interrupt it now."""
        if self._stop.is_set():
            self._now.set()
        self._stop.set()

    async def run(self) -> None:
        """Work. Raises what a processor's ``setup`` raises, noting whose; nothing is claimed then.

        A stop that is asked for during an ``async`` ``setup`` interrupts it.
        """
        handlers = [h for h in self._registry.handlers() if h.queue in self.settings.queues]
        parts = self._assemble(handlers)
        _warn(self._broker)
        async with contextlib.AsyncExitStack() as last:  # the other way round, whatever happens
            last.callback(lambda: emit("worker.stopped", settings=self.settings))
            if not await self._unless_stopped(_set_up(handlers, last)):
                return
            last.push_async_callback(parts.executors.close)
            parts.keeper.start()
            last.push_async_callback(parts.keeper.stop)
            loops = [asyncio.create_task(loop.run()) for loop in (parts.finisher, parts.reporter)]
            last.push_async_callback(_end, loops)
            emit("worker.started", settings=self.settings)
            await self._fetch(parts.fetcher, [*loops, parts.keeper.died])
            parts.finisher.fetching = False
            emit("worker.stopping", running=parts.runner.running, settings=self.settings)
            await self._drain(parts.runner)
            await _within(SETTLE_SECONDS, _settled(parts.finisher))
            if parts.held:
                _say_left(parts.held, self.settings)

    def _assemble(self, handlers: Sequence[Handler]) -> _Parts:
        settings, broker = self.settings, self._broker
        deadlines = Deadlines(lambda run: run.stop("timeout"))
        executors = Executors(deadlines)
        slots = Slots(
            settings.concurrency,
            _limits(settings, handlers),
            children=settings.processes,
            narrow=_narrow(settings, handlers),
        )
        pace = Pace(settings.concurrency)
        held: dict[Lease, float] = {}
        reporter = Reporter(broker)

        def want(room: Room) -> Want:
            return Want(room.queues, room.count, settings.name, settings.lease_ms)

        def start(jobs: Sequence[JobRecord]) -> None:
            (runner.refuse if self._stop.is_set() else runner.start)(jobs)

        finisher = Finisher(broker, slots, pace, want, start, held)
        runner = Runner(
            self._registry,
            executors,
            deadlines,
            slots,
            pace,
            finisher,
            reporter,
            held,
            settings.max_stalls,
        )
        fetcher = Fetcher(broker, slots, finisher, want, start, burst=settings.burst)
        keeper = Keeper(
            broker,
            held,
            runner.lost,
            runner.buried,
            settings.queues,
            lease_ms=settings.lease_ms,
            recover_ms=settings.recover_ms,
            max_stalls=settings.max_stalls,
            on_loop=runner.on_loop,
        )
        return _Parts(executors, finisher, runner, fetcher, keeper, reporter, held)

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> bool:
        """Do ``work``; ``False`` if a stop was asked for before it was done."""
        working = asyncio.create_task(work)
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            working.cancel()  # nothing to one that is done
            await asyncio.gather(working, stopping, return_exceptions=True)
        if working.cancelled():
            return False
        working.result()
        return True

    async def _fetch(self, fetcher: Fetcher, others: Sequence[asyncio.Future[None]]) -> None:
        """Fetch until the fetcher ends by itself or a stop is asked for.

        None of ``others`` ever ends unless by a bug: then the worker must not look alive.
        """
        fetching = asyncio.create_task(fetcher.run())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            done, _ = await asyncio.wait(
                {fetching, stopping, *others}, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for task in (fetching, stopping):
                task.cancel()
            await asyncio.gather(fetching, stopping, return_exceptions=True)
        for ended in done:
            ended.result()

    async def _drain(self, runner: Runner) -> None:
        """Let running jobs end; past the grace period, or told twice, interrupt them."""
        runner.hand_back()
        idle = asyncio.create_task(runner.idle())
        now = asyncio.create_task(self._now.wait())
        grace = self.settings.grace_ms / 1_000
        await asyncio.wait({idle, now}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        now.cancel()
        if not idle.done():
            runner.stop_all("shutdown")
            await _within(CANCEL_SECONDS, runner.idle())
            runner.abandon_all()
        idle.cancel()


def _say_left(held: Iterable[Lease], settings: WorkerSettings) -> None:
    """Say whose end the broker could not be told of."""
    jobs = sorted(f"{lease.id} of {lease.queue}" for lease in held)
    shown = ", ".join(jobs[:SHOWN]) + (", …" if len(jobs) > SHOWN else "")
    _log.warning(
        "the broker could not be told what became of %d %s (%s): to be run again when the lease of "
        "%s has ended",
        len(jobs), "job" if len(jobs) == 1 else "jobs", shown, describe(settings.lease_ms),
    )  # fmt: skip


def _warn(broker: Broker) -> None:
    """Say, once a process, what of the store's settings may cost jobs."""
    for warning in broker.warnings():
        if warning not in _warned:
            _warned.add(warning)
            _log.warning("%s", warning)


async def _set_up(handlers: Sequence[Handler], last: contextlib.AsyncExitStack) -> None:
    """Set processors up, and see to it that those which were are torn down."""
    for handler in handlers:
        if handler.hooks is not None and handler.run_in != "process":
            try:
                await _call(handler.hooks.setup)
            except Exception as error:
                error.add_note(f"in setup() of {handler.name}, processor of queue {handler.queue}")
                raise
            last.push_async_callback(_call, handler.hooks.teardown)


async def _end(loops: Sequence[asyncio.Task[None]]) -> None:
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)


async def _settled(finisher: Finisher) -> None:
    while not finisher.idle:
        await finisher.next_idle()


async def _within(seconds: float, work: Awaitable[None]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await work


async def _call(hook: Callable[[], Any]) -> None:
    result = hook()
    if isawaitable(result):
        await result


def _complete(settings: WorkerSettings, registry: Registry) -> WorkerSettings:
    """Fill in what depends on the application and the machine; refuse what cannot work."""
    known = registry.queues()
    if not known:
        raise ConfigError("this app has no tasks", hint="put @app.task above a function")
    for queue in settings.queues:
        if queue not in known:
            raise ConfigError(
                f"no task belongs to queue {queue!r}", hint=f"there is: {', '.join(known)}"
            )
    return msgspec.structs.replace(
        settings,
        name=settings.name or f"{socket.gethostname()}:{os.getpid()}",
        queues=settings.queues or tuple(known),
        processes=settings.processes or default_limit(),
    )


def _limits(settings: WorkerSettings, handlers: Sequence[Handler]) -> dict[str, int]:
    """Return how many jobs of each queue may run at once."""
    limits = dict.fromkeys(settings.queues, settings.concurrency)
    for handler in handlers:
        if handler.concurrency is not None:
            limits[handler.queue] = min(limits[handler.queue], handler.concurrency)
    return limits


def _narrow(settings: WorkerSettings, handlers: Sequence[Handler]) -> list[str]:
    """Return the queues whose tasks all run in child processes.

    A job of theirs that was claimed only to wait for a child would be kept from another worker's.
    """
    wide = {handler.queue for handler in handlers if handler.run_in != "process"}
    return [queue for queue in settings.queues if queue not in wide]
