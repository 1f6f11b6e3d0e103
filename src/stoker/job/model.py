"""What is stored of a job, and the plain values that travel to and from a broker.

Times are whole milliseconds since the Unix epoch (``…_at``) or whole milliseconds (``…_ms``).
``data``, ``progress`` and ``result`` are JSON *text*: a broker never looks inside them.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from stoker.failure import Failure, Reason
from stoker.job.duration import Duration, milliseconds
from stoker.job.states import State

MAX_PRIORITY = 2_097_151
"""The least urgent priority; 0 is the most urgent and the default (BullMQ's range)."""

# Checked where they are read from a store: nothing is reckoned with numbers nobody can have meant.
_Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=100 * 365 * 86_400_000)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Attempts = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
_Timeout = Annotated[int, msgspec.Meta(ge=1, le=100 * 365 * 86_400_000)]


class Backoff(msgspec.Struct, frozen=True, omit_defaults=True):
    """How long to wait before the next attempt.

    ``exponential`` doubles from ``delay_ms`` up to ``max_ms``. ``jitter`` is the share of the
    delay, 0 to 1, that is drawn at random, so that jobs that failed together do not return
    together. The formula is BullMQ's. Any other kind is the name of a strategy that the worker's
    application has registered (``Stoker.backoff``).
    """

    kind: str = "exponential"
    delay_ms: _Milliseconds = 1_000
    max_ms: _Milliseconds = 3_600_000
    jitter: _Share = 0.5

    @classmethod
    def fixed(cls, delay: Duration, *, jitter: float = 0.0) -> Backoff:
        """Wait ``delay`` before every further attempt."""
        ms = milliseconds(delay, "backoff delay")
        return cls("fixed", ms, max_ms=ms, jitter=jitter)

    @classmethod
    def exponential(
        cls, delay: Duration = 1, *, max: Duration = "1h", jitter: float = 0.5
    ) -> Backoff:
        """Wait ``delay``, twice that, four times that, … but never longer than ``max``."""
        return cls(
            "exponential",
            milliseconds(delay, "backoff delay"),
            milliseconds(max, "backoff max"),
            jitter,
        )


class Keep(msgspec.Struct, frozen=True, omit_defaults=True, cache_hash=True):
    """How many finished jobs of a queue and state to keep, and for how long.

    ``None`` is no limit. When a job ends, its own ``Keep`` is applied to all jobs of its queue that
    ended the same way, oldest first; but ``Keep(count=0)`` concerns that job alone, which is not
    kept (BullMQ's rules).
    """

    count: _Count | None = None
    age_ms: _Milliseconds | None = None
    limit: _Count | None = None
    """How many one job that ends removes for their age, at the most (BullMQ's ``limit``); the store
    has a bound of its own too, and removes what is left over when it keeps house."""

    @classmethod
    def for_(cls, age: Duration, *, count: int | None = None) -> Keep:
        """Keep what finished within ``age``, and of that the last ``count`` at the most."""
        return cls(count, milliseconds(age, "keep age"))


class Dedup(msgspec.Struct, frozen=True, omit_defaults=True):
    """Do not add a job while another with the same ``key`` counts.

    Without ``ttl_ms`` the other counts until it is finished; with it, for that long after it was
    added, finished or not (BullMQ's *simple* and *throttle* modes).
    """

    key: str
    ttl_ms: int | None = None

    @classmethod
    def within(cls, ttl: Duration, key: str) -> Dedup:
        """One job for ``key`` in ``ttl``, counted from when it was added."""
        return cls(key, milliseconds(ttl, "dedup ttl"))


class JobOptions(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a producer set on one job. ``UNSET`` leaves the choice to the task that runs it."""

    attempts: _Attempts | msgspec.UnsetType = msgspec.UNSET
    backoff: Backoff | msgspec.UnsetType = msgspec.UNSET
    timeout_ms: _Timeout | msgspec.UnsetType | None = msgspec.UNSET
    keep_completed: Keep | msgspec.UnsetType = msgspec.UNSET
    keep_failed: Keep | msgspec.UnsetType = msgspec.UNSET


class NewJob(msgspec.Struct, frozen=True):
    """A job to add. The broker takes it as it is: whoever builds it has validated it."""

    queue: str
    name: str
    data: str = "{}"
    id: str | None = None
    """The caller's own id, unique in the queue and not a whole number; ``None``: the broker's."""
    priority: int = 0
    delay_ms: int = 0
    lifo: bool = False
    dedup: Dedup | None = None
    options: str = "{}"
    """``JobOptions`` as JSON text."""


class JobRecord(msgspec.Struct, frozen=True, array_like=True):
    """A job as it is stored, at one moment.

    Array-like: as JSON or MessagePack it is a list of its values in this order, so that a broker
    can bring a hundred of them as one text and decode it in a few microseconds each.
    """

    queue: str
    id: str
    name: str
    data: str
    options: str
    state: State
    priority: int
    created_at: int
    due_at: int | None = None
    """When a delayed job may run."""
    claimed_at: int | None = None
    """When it was last claimed."""
    finished_at: int | None = None
    attempts: int = 0
    """Runs that ended by completing or failing. Shutdowns, snoozes and crashes do not count."""
    starts: int = 0
    """Times it was claimed."""
    crashes: int = 0
    """Times its lease was lost: the worker or the child process died."""
    worker: str | None = None
    """Who holds it, or held it last."""
    token: str | None = None
    """The lease's token, while active; a store may show an empty one for a lease that ran out."""
    progress: str | None = None
    result: str | None = None
    failure: str | None = None
    """The last ``Failure`` as JSON text; a job that is to be retried has one too."""


def failure_in(record: JobRecord) -> Failure:
    """Return the failure that is stored with a job."""
    if record.failure is None:
        return Failure("error", "no reason was stored")
    return msgspec.json.decode(record.failure, type=Failure)


def reason_in(record: JobRecord) -> Reason | None:
    """Return why a job's last run failed; ``error`` where none that we know is stored."""
    if record.failure is None:
        return None
    try:
        return failure_in(record).reason
    except msgspec.MsgspecError:
        return "error"


class Lease(msgspec.Struct, frozen=True, cache_hash=True):
    """A worker's ownership of a claimed job. Only who shows it may write to that job."""

    queue: str
    id: str
    token: str


def lease_of(job: JobRecord) -> Lease:
    """Return the lease that a claimed job came with."""
    return Lease(job.queue, job.id, job.token or "")


class Log(msgspec.Struct, frozen=True):
    """One line that a handler, or Stoker itself, wrote about a job."""

    at: int
    line: str


class Event(msgspec.Struct, frozen=True):
    """Something that happened to jobs of a queue; ``fields`` depend on the kind."""

    cursor: str
    kind: str
    queue: str
    at: int
    ids: tuple[str, ...] = ()
    fields: dict[str, Any] = {}
