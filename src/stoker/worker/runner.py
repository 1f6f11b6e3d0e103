"""Runs claimed jobs: from a record to an outcome. Nothing in here touches the broker."""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import time
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextvars import Context, copy_context
from typing import Any

import msgspec

from stoker.context import JobContext
from stoker.errors import ConfigError, InvalidPayload, Unrecoverable
from stoker.events import emit
from stoker.failure import Failure
from stoker.job.duration import describe
from stoker.job.model import JobRecord, Lease, failure_in, lease_of
from stoker.job.outcome import (
    Failed,
    Interrupted,
    Outcome,
    Raised,
    Released,
    Report,
    Retried,
    Retry,
    decide,
    failure_of,
)
from stoker.job.retry import BUILT_IN, policy_for, with_strategy
from stoker.registry import Registry
from stoker.worker.crowd import Crowd
from stoker.worker.deadlines import Deadlines
from stoker.worker.executors import Executors
from stoker.worker.finisher import Finisher
from stoker.worker.hooks import call_hooks
from stoker.worker.line import Line
from stoker.worker.pace import Pace
from stoker.worker.reporter import Reporter
from stoker.worker.run import Run, Stop
from stoker.worker.slots import Slots

_log = logging.getLogger("stoker.worker")
_UNHAPPY = (Failed, Retried)


class Runner:
    """Starts a task for each job and turns how it ended into an outcome for the finisher."""

    def __init__(
        self,
        registry: Registry,
        executors: Executors,
        deadlines: Deadlines,
        slots: Slots,
        pace: Pace,
        finisher: Finisher,
        reports: Reporter,
        held: dict[Lease, float],
        max_stalls: int,
    ) -> None:
        self._registry = registry
        self._executors = executors
        self._deadlines = deadlines
        self._slots = slots
        self._pace = pace
        self._finisher = finisher
        self._reports = reports
        self._held = held
        self._max_stalls = max_stalls
        self._runs: dict[Lease, Run] = {}
        self._line = Line(self._leave)
        self._crowd = Crowd(slots, finisher.nudge)
        self._filling = False
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._rng = random.Random()
        self._telling: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def running(self) -> int:
        """Jobs that are being run."""
        return len(self._runs)

    def start(self, jobs: Sequence[JobRecord]) -> None:
        """Begin to run jobs that were claimed for slots of ours."""
        if not jobs:
            return
        emit("jobs.claimed", jobs=jobs)
        now = time.monotonic()
        self._empty.clear()
        leases = [lease_of(record) for record in jobs]
        # All before the first begins: a handler that blocks the loop must not leave the leases of
        # those behind it unknown to the keeper.
        self._held.update(dict.fromkeys(leases, now))
        for record, lease in zip(jobs, leases, strict=True):
            run = self._prepare(record, lease)
            if isinstance(run, Failed):
                self._reject(record, run)
            else:
                self._line.put(run)
        self._fill()
        self._line.watch()

    def _fill(self) -> None:
        """Begin what waits, as far as there are slots and children."""
        if self._filling:
            return  # a job that never waits ended inside the loop below
        self._filling = True
        try:
            while len(self._runs) < self._slots.total:
                run = self._line.next(child_free=self._slots.child_free)
                if run is None:
                    break
                self._begin(run)
        finally:
            self._filling = False
        if not self._runs:
            self._empty.set()

    def _begin(self, run: Run) -> None:
        self._runs[run.lease] = run
        if run.in_child:
            self._slots.take_child()
        else:
            self._crowd.passed(run.record.queue)
        run.began = time.monotonic()
        # This may be the end of another job, in its context: what that set is not this one's.
        run.task = _task(self._run(run), self._loop, self._context.copy())

    def refuse(self, jobs: Iterable[JobRecord]) -> None:
        """Hand back jobs that came while the worker was being stopped."""
        for record in jobs:
            self._slots.leave(record.queue)
            self._finisher.put(Released(lease_of(record)))

    def hand_back(self) -> None:
        """Hand back jobs that wait here."""
        for run in self._line.take_all():
            self._leave(run)

    def _leave(self, run: Run) -> None:
        """Give a job back that was not begun."""
        self._slots.leave(run.record.queue)
        if run.in_child and not self._slots.child_free:
            self._crowd.turned_away(run.record.queue)
        else:
            self._pace.forget()
        self._finisher.put(Released(run.lease))

    def stop_all(self, why: Stop) -> None:
        """Interrupt whatever runs."""
        for run in list(self._runs.values()):
            run.stop(why)

    def buried(self, jobs: Iterable[JobRecord]) -> None:
        """Tell the processors of jobs that became dead letters because their workers died."""
        for record in jobs:
            run = self._prepare(record, lease_of(record))
            if isinstance(run, Run):
                failure = failure_in(record)
                told = call_hooks(run.handler, run.context, failure, failed=False, dead=True)
                task = asyncio.ensure_future(told)
                self._telling.add(task)
                task.add_done_callback(self._telling.discard)

    def lost(self, leases: Mapping[Lease, JobRecord | None]) -> None:
        """Interrupt the runs whose leases are no longer ours: cancelled, removed or taken over.

        With each comes the job as it is now, if it is still there.
        """
        for lease, now in leases.items():
            self._held.pop(lease, None)
            if (run := self._runs.get(lease)) is not None:
                emit("lease.broken", job=run.record, now=now)
                run.stop("lost")
            elif (run := self._line.take(lease)) is not None:
                self._slots.leave(run.record.queue)
                self._finisher.nudge()

    def abandon_all(self) -> None:
        """Hand back what could not be interrupted; its threads end with the process."""
        for run in list(self._runs.values()):
            self._end(run, Released(run.lease))

    def on_loop(self) -> JobRecord | None:
        """Return the job whose handler holds the event loop now. For other threads to ask."""
        holder = asyncio.current_task(self._loop)
        for run in list(self._runs.values()):
            # One that is begun in this moment has no task yet; see _task.
            if holder is not None and run.task in (holder, None):
                return run.record
        return None

    async def idle(self) -> None:
        """Wait until nothing runs."""
        await self._empty.wait()

    def _prepare(self, record: JobRecord, lease: Lease) -> Run | Failed:
        """Look up and read all that a run needs, or say why the job is a dead letter."""
        handler = self._registry.find(record.queue, record.name)
        if handler is None:
            names = ", ".join(known.name for known in self._registry.handlers()) or "none"
            return Failed(
                lease, Failure("unknown-task", f"no task {record.name!r} here; there is: {names}")
            )
        try:
            policy = policy_for(handler.policy, record.options, self._max_stalls)
            data = handler.decode(record.data)
        except (InvalidPayload, msgspec.DecodeError) as error:
            what = str(error) if isinstance(error, InvalidPayload) else f"its options: {error}"
            return Failed(lease, Failure("undecodable", what), handler.policy.keep_failed)
        context = JobContext(record, data, policy.attempts, self._reports)
        return Run(record, lease, handler, policy, context)

    async def _run(self, run: Run) -> None:
        run.begun = True
        try:
            report = await self._executors.run(run) if run.stopped is None else Interrupted()
        except asyncio.CancelledError as error:
            report = _interrupted(run, error)
        except Unrecoverable as error:
            report = Raised(failure_of(error, "unrecoverable"), final=True)
        except BaseException as error:
            # SystemExit too: a handler that calls sys.exit() fails its job, not the worker.
            report = Raised(failure_of(error))
        run.ended = True
        if run.in_child:
            self._slots.return_child()
            self._fill()
        self._deadlines.discard(run)
        try:
            outcome = self._decide(run, report)
            if isinstance(outcome, _UNHAPPY) or self._reports.has(run.lease):
                await self._report(run, outcome)
            self._end(run, outcome)
        except BaseException:
            # A bug of ours. Without an end the slot and the lease would be held for ever; counted
            # as a crash, the job cannot come back more often than allowed.
            _log.exception("job %s of %s cannot be concluded", run.record.id, run.record.queue)
            self._end(run, Released(run.lease, crashed=True))

    async def _report(self, run: Run, outcome: Outcome) -> None:
        """Say what there is to say about a run before its outcome, which ends the lease."""
        if isinstance(outcome, _UNHAPPY) and run.stopped != "lost":
            await self._tell(run, outcome)
        if self._reports.has(run.lease):
            await self._reports.flush(run.lease)

    def _decide(self, run: Run, report: Report) -> Outcome:
        policy = run.policy
        retries = isinstance(report, Retry) or (isinstance(report, Raised) and not report.final)
        if retries and policy.backoff.kind not in BUILT_IN:
            try:
                policy = with_strategy(policy, self._registry.backoffs, run.record)
            except Exception as error:  # it is missing, or broken
                # Not tried again: nobody can say when.
                return self._decide(run, Raised(_without_backoff(report, error), final=True))
        try:
            return decide(run.record, run.lease, report, policy, self._rng)
        except ConfigError as error:  # Snooze("soon")
            raised = Raised(failure_of(error))
            return decide(run.record, run.lease, raised, run.policy, self._rng)

    async def _tell(self, run: Run, outcome: Failed | Retried) -> None:
        """Log a failed run with its job, and call the processor's hooks while the lease is ours."""
        dead = isinstance(outcome, Failed)
        self._reports.log(run.record, f"attempt {run.context.attempt} failed: {outcome.failure}")
        emit("job.failed", job=run.record, failure=outcome.failure, dead=dead)
        await call_hooks(run.handler, run.context, outcome.failure, failed=True, dead=dead)

    def _end(self, run: Run, outcome: Outcome) -> None:
        if self._runs.pop(run.lease, None) is None:
            return  # it was abandoned: its slot and its outcome are gone
        now = time.monotonic()
        self._pace.took(now - run.began, now)
        self._slots.leave(run.record.queue)
        if run.stopped == "lost":
            # The broker would refuse it: the job is somebody else's, or gone.
            emit("jobs.lost", leases=frozenset({run.lease}))
            self._finisher.nudge()
        else:
            self._finisher.put(outcome)
        self._fill()

    def _reject(self, record: JobRecord, outcome: Failed) -> None:
        """Settle a job that cannot be run at all."""
        emit("job.failed", job=record, failure=outcome.failure, dead=True)
        self._slots.leave(record.queue)
        self._finisher.put(outcome)


def _task(
    work: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop, context: Context
) -> asyncio.Task[None]:
    """Return a task for ``work``; where Python can, one that never waits is done by then."""
    if sys.version_info >= (3, 12):
        return asyncio.Task(work, loop=loop, context=context, eager_start=True)
    return loop.create_task(work, context=context)


def _without_backoff(report: Report, error: Exception) -> Failure:
    """Return the failure of a run whose backoff's strategy failed as well."""
    failed = report.failure if isinstance(report, Raised) else Failure("error", str(report))
    message = f"{failed.message}; and its backoff: {failure_of(error)}"
    return msgspec.structs.replace(failed, message=message)


def _interrupted(run: Run, error: asyncio.CancelledError) -> Report:
    match run.stopped:
        case "timeout":
            limit = describe(run.policy.timeout_ms or 0)
            if run.handler.run_in == "thread":
                emit("job.stuck", job=run.record)
            return Raised(Failure("timeout", f"it ran longer than its timeout of {limit}"))
        case None:  # not by us: the handler, or what it awaited, was cancelled from inside
            return Raised(failure_of(error))
        case _:
            return Interrupted()
