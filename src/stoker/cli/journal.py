"""Turns a worker's events into log lines, and counts what was done."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from stoker.config import WorkerSettings
from stoker.errors import BrokerError
from stoker.events import subscribe
from stoker.failure import Failure
from stoker.job.duration import describe
from stoker.job.model import JobRecord, Lease, failure_in, lease_of
from stoker.job.outcome import Done, Failed, Outcome, Released, Retried, Snoozed
from stoker.job.states import State

QUIET_SECONDS = 10.0
"""How long a failure of the broker that was logged keeps its likes out of the log."""
MOST_FAILURES = 20
"""Failed jobs of one task that are logged in a second."""
MOST_NAMED = 5

ALWAYS = ("done", "failed", "retried")
AT_TIMES = ("snoozed", "crashed and put back", "handed back")
"""What may become of a job, in the order of a worker's sum: the latter only where it was."""

_log = logging.getLogger("stoker.worker")


class Journal:
    """Subscribes to the events of this process. Every method may be called in any thread."""

    def __init__(self, *, verbose: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self.counts: Counter[str] = Counter()
        self._verbose = verbose
        self._clock = clock
        self._faults = _Faults(clock)
        self._flood = _Flood(clock)
        self._begun: dict[Lease, tuple[str, float]] = {}
        self._known_lost: set[Lease] = set()
        self._tell: dict[str, Callable[..., None]] = {
            "worker.started": self._started,
            "worker.stopping": self._stopping,
            "jobs.claimed": self._claimed,
            "jobs.finished": self._finished,
            "jobs.lost": self._lost,
            "lease.broken": self._broken,
            "jobs.recovered": self._recovered,
            "job.failed": self._failed,
            "job.stuck": self._stuck,
            "broker.failed": self._faults.failed,
            "broker.answers": self._faults.over,
            "loop.blocked": self._blocked,
        }

    def begin(self) -> Callable[[], None]:
        """Listen; return what ends that."""
        return subscribe(self._hear)

    def _hear(self, event: str, fields: dict[str, Any]) -> None:
        tell = self._tell.get(event)
        if tell is not None:
            tell(**fields)

    def _started(self, **_: Any) -> None:
        _log.info("ready")

    def _stopping(self, running: int, settings: WorkerSettings, **_: Any) -> None:
        if running:
            _log.info(
                "waiting up to %s for %s; one more SIGTERM or Ctrl-C hands %s back now",
                describe(settings.grace_ms),
                "1 running job" if running == 1 else f"{running:,} running jobs",
                "it" if running == 1 else "them",
            )

    def _claimed(self, jobs: list[JobRecord], **_: Any) -> None:
        self._faults.over()
        if self._verbose:
            now = self._clock()
            for job in jobs:
                self._begun[Lease(job.queue, job.id, job.token or "")] = (job.name, now)

    def _finished(
        self, outcomes: list[Outcome], lost: frozenset[Lease] = frozenset(), **_: Any
    ) -> None:
        self._faults.over()
        for outcome in outcomes:
            name, begun = self._begun.pop(outcome.lease, ("", 0.0))
            if outcome.lease in lost:
                continue
            self.counts[_word(outcome)] += 1
            if isinstance(outcome, Released) and outcome.crashed:
                _log.warning(
                    "%s: its process died while it ran; it is put back", _job(outcome.lease, name)
                )
            if self._verbose and isinstance(outcome, Done):
                taken = describe((self._clock() - begun) * 1_000)
                _log.info("%s: done in %s", _job(outcome.lease, name), taken)

    def _failed(self, job: JobRecord, failure: Failure, dead: bool, **_: Any) -> None:
        if held_back := self._flood.held_back(job.name):
            _log.warning("%s: %s more jobs failed that were not logged", job.name, held_back)
        if not self._flood.admits(job.name):
            return
        what = "is a dead letter" if dead else f"failed attempt {job.attempts + 1}, to be retried"
        _log.warning("%s: %s: %s", _job(job, job.name), what, _one_line(str(failure)))
        if self._verbose and failure.traceback:
            _log.warning("%s", failure.traceback.rstrip())

    def _lost(self, leases: frozenset[Lease], **_: Any) -> None:
        for lease in leases:
            name, _begun = self._begun.pop(lease, ("", 0.0))
            if lease in self._known_lost:
                self._known_lost.discard(lease)
                continue
            _log.warning(
                "%s: no longer ours: cancelled, removed or taken over; its result is not stored",
                _job(lease, name),
            )

    def _broken(self, job: JobRecord, now: JobRecord | None, **_: Any) -> None:
        self._known_lost.add(lease_of(job))
        named = _job(job, job.name)
        if now is None:
            _log.warning("%s: removed while it ran; interrupting it", named)
        elif _is_cancelled(now):
            _log.info("%s: cancelled while it ran; interrupting it", named)
        else:
            whose = f" by {now.worker}" if now.worker and now.state is State.ACTIVE else ""
            why = "its lease was not renewed in time"
            _log.warning("%s: taken over%s, for %s; interrupting it", named, whose, why)

    def _recovered(self, queue: str, ids: list[str], **_: Any) -> None:
        named = ", ".join(ids[:MOST_NAMED])
        more = f" and {len(ids) - MOST_NAMED} more" if len(ids) > MOST_NAMED else ""
        _log.warning("recovered from a worker that died: job %s%s of %s", named, more, queue)

    def _stuck(self, job: JobRecord, **_: Any) -> None:
        _log.warning(
            "%s: its thread overran and cannot be stopped: it goes on beside whatever runs next "
            '(with run_in="process" it would be killed)',
            _job(job, job.name),
        )

    def _blocked(self, seconds: float, job: JobRecord | None = None, **_: Any) -> None:
        _log.warning(
            "the event loop has not answered for %s: %s blocks it "
            "(a plain def runs in a thread and does not)",
            describe(seconds * 1_000),
            "an async task" if job is None else _job(job, job.name),
        )


class _Faults:
    """Failures of the broker: one line at once, then one now and then, then that it is over."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since: float | None = None
        self._logged_at = 0.0
        self._untold = 0

    def failed(self, error: BrokerError, doing: str, **_: Any) -> None:
        now = self._clock()
        with self._lock:
            if self._since is None:
                self._since = now
            elif now - self._logged_at < QUIET_SECONDS:
                self._untold += 1
                return
            more = f" ({self._untold} more since the last line)" if self._untold else ""
            self._logged_at, self._untold = now, 0
        _log.error("the broker failed to %s, will be tried again: %s%s", doing, error, more)

    def over(self, **_: Any) -> None:
        if self._since is None:  # as nearly always: no lock for that
            return
        with self._lock:
            since, self._since = self._since, None
            self._untold = 0
        _log.info("the broker answers again, after %s", describe((self._clock() - since) * 1_000))


class _Flood:
    """Counts the failures of each task in each second, so that none floods the log."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._second = 0
        self._seen: Counter[str] = Counter()
        self._held_back: Counter[str] = Counter()

    def admits(self, task: str) -> bool:
        """Count one more; return whether it may be logged."""
        self._turn()
        self._seen[task] += 1
        if self._seen[task] <= MOST_FAILURES:
            return True
        self._held_back[task] += 1
        return False

    def held_back(self, task: str) -> int:
        """Return how many were not logged in earlier seconds, once."""
        self._turn()
        return 0 if self._seen[task] else self._held_back.pop(task, 0)

    def _turn(self) -> None:
        second = int(self._clock())
        if second != self._second:
            self._second = second
            self._seen.clear()


def _word(outcome: Outcome) -> str:
    match outcome:
        case Done():
            return "done"
        case Failed():
            return "failed"
        case Retried():
            return "retried"
        case Snoozed():
            return "snoozed"
        case Released(crashed=True):
            return "crashed and put back"
        case Released():
            return "handed back"


def _job(job: JobRecord | Lease, name: str) -> str:
    return f"{name or 'job'} {job.id} of {job.queue}"


def _is_cancelled(job: JobRecord) -> bool:
    try:
        return job.state is State.FAILED and failure_in(job).reason == "cancelled"
    except msgspec.MsgspecError:  # somebody else's words
        return False


def _one_line(text: str) -> str:
    return " ".join(text.split()) if "\n" in text else text
