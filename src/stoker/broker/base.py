"""The contract between the queue's semantics and a store. The suite in tests/contract defines it.

A broker does only what has to be atomic with a job's state. What need not be (backoff, cron
arithmetic, timeouts, serialisation, metrics) lives above it. Values in, values out; a batch is the
primitive; ownership is a lease and "lost" is an answer, not an error.

What every broker promises:

- **Order.** Within a queue: priority (0 first), then the order in which jobs became waiting. A LIFO
  job, and one handed back or recovered, goes to the front of its priority.
- **Leases.** A claimed job is not given out again while its lease lives. Each claim makes a new
  token; a write that shows an older one changes nothing. A lease that has run out is still its
  holder's until ``recover`` takes it, so a late answer counts if nobody stepped in; renewed in
  time, it lives again.
- **Counting.** ``attempts`` grows by finishing with Done, Failed or Retried; ``crashes`` by a lost
  lease; a run that was interrupted or snoozed leaves both as they were.
- **Durability.** When a call returns, what it wrote survives to the broker's stated level. A claim
  need not: undone, its job waits again. A job may be claimed, and run, before its ``add`` returns.
- **Cost.** No call grows with the number of jobs stored. The sweeping calls do one bounded chunk
  and hand back a cursor for the next.
- **Anywhere.** All calls may come from several event loops and threads of one process at once,
  and from many processes. ``recover`` may run anywhere, any number of times.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal, Self

import msgspec

from stoker.failure import REASONS, Reason
from stoker.job.model import Event, JobRecord, Lease, Log, NewJob
from stoker.job.outcome import Outcome
from stoker.job.states import State

Clock = Callable[[], int]
"""Milliseconds since the Unix epoch."""


def system_clock() -> int:
    """Return the time of this machine's clock."""
    return time.time_ns() // 1_000_000


class Added(msgspec.Struct, frozen=True):
    """What became of one job that was to be added."""

    id: str
    """The job's id; of the job that was there already if ``duplicate``."""
    duplicate: bool = False
    """The custom id or the dedup key was taken: nothing was added."""


class Want(msgspec.Struct, frozen=True):
    """What a worker has room for."""

    queues: Mapping[str, int]
    """Queue → the most jobs from it; tried in this order."""
    count: int
    """The most jobs in all."""
    worker: str
    """The worker's name, for people to read."""
    lease_ms: int = 30_000


class Finished(msgspec.Struct, frozen=True):
    """The answer to ``finish``."""

    lost: frozenset[Lease] = frozenset()
    """Leases that were no longer held: their outcomes changed nothing."""
    jobs: Sequence[JobRecord] = ()
    """The next jobs, if they were wanted."""


class Select(msgspec.Struct, frozen=True):
    """Which jobs of a queue: those with these ids, or those of one state that match all filters."""

    queue: str
    ids: tuple[str, ...] | None = None
    state: State | None = None
    """Required unless ``ids`` is given; then it is one more filter."""
    name: str | None = None
    text: str | None = None
    """Occurs, without regard to ASCII case, in the job's data or failure."""
    reasons: tuple[Reason, ...] | None = None
    """Why the last run failed. A failure that names none that we know counts as ``error``."""
    since: int | None = None
    until: int | None = None
    """A half-open interval over ``finished_at`` (finished jobs), ``due_at`` (delayed jobs) or
    ``created_at`` (others)."""
    newest_first: bool = False
    after: str | None = None
    """Go on behind this cursor, which an earlier answer to the same selection gave."""
    limit: int = 100


def reasons_listed(reasons: Collection[Reason]) -> tuple[list[str], bool]:
    """Return reasons to look for, and whether these are meant or all but these.

    What is stored of no known reason counts as ``error``, and can only be found by the others.
    """
    if "error" in reasons:
        return sorted(REASONS - set(reasons)), False
    return sorted(reasons), True


class Page(msgspec.Struct, frozen=True):
    """Jobs found by one bounded look."""

    jobs: Sequence[JobRecord]
    next: str | None
    """Where to go on, or ``None`` at the end. A page may be empty and still have a next."""


class Swept(msgspec.Struct, frozen=True):
    """The jobs that one bounded chunk of a bulk operation changed."""

    ids: Sequence[str]
    next: str | None


class Patch(msgspec.Struct, frozen=True):
    """Changes to one job. ``None`` leaves a field as it is."""

    token: str | None = None
    """If set, the job must be active under this lease, or nothing is changed."""
    data: str | None = None
    priority: int | None = None
    """Of a job that is not active or finished; it goes to the end of its new priority's line."""
    delay_ms: int | None = None
    """From now; makes a waiting job delayed, and with 0 a delayed one waiting."""
    progress: str | None = None
    log: tuple[str, ...] = ()
    """Lines to append."""


class Detail(msgspec.Struct, frozen=True):
    """A job with everything that is kept about it."""

    job: JobRecord
    logs: Sequence[Log] = ()


class QueueStats(msgspec.Struct, frozen=True):
    """A queue at one moment. A state with no jobs may be missing from ``counts``."""

    name: str
    counts: Mapping[State, int]
    paused: bool = False


class QueueSettings(msgspec.Struct, frozen=True):
    """Settings of a queue, the same for all its workers. ``None`` leaves one as it is."""

    paused: bool | None = None


class EventPage(msgspec.Struct, frozen=True):
    """What happened in a queue since a cursor."""

    events: Sequence[Event]
    cursor: str
    """Give this to the next call."""
    gap: bool = False
    """Events were trimmed before they were read, or undone: look at the jobs themselves."""


EventKind = Literal[
    "added",
    "promoted",
    "claimed",
    "completed",
    "failed",
    "retried",
    "snoozed",
    "released",
    "recovered",
    "requeued",
    "cancelled",
    "removed",
    "updated",
    "progress",
    "paused",
    "resumed",
]
"""What ``Event.kind`` may be. ``progress`` carries ``fields["progress"]`` as JSON text;
``failed`` is also sent for each job that ``cancel`` or ``recover`` made a dead letter."""


class Broker(ABC):
    """Where jobs are kept. Open it with ``stoker.broker.open_broker``."""

    settled_at_once = 250
    """Outcomes that a worker should give one call of ``finish`` at the most. More would hardly be
    cheaper, and the store would keep all others waiting."""

    @abstractmethod
    async def open(self) -> Self:
        """Connect and prepare the store; calling it again does nothing.

        Raises ``BrokerUnavailable``, ``BrokerCorrupt`` or ``ConfigError``.
        """

    def warnings(self) -> Sequence[str]:
        """Return by which of its settings the open store may lose jobs, and what to set instead.

        Workers and ``stoker check`` say it, others would say it too often.
        """
        return ()

    @abstractmethod
    async def close(self) -> None:
        """Finish what was begun and let go of the store. Jobs still claimed keep their leases."""

    # The road of a job

    @abstractmethod
    async def add(self, jobs: Sequence[NewJob]) -> list[Added]:
        """Store ``jobs``, all or none, and answer for each in order.

        A custom id that exists, or a dedup key that counts, makes that one job a duplicate; the
        others are added all the same. Raises ``BrokerFull`` when there is no space.

        All or none means that a store may do nothing else meanwhile. So a call costs everybody as
        much as there are jobs in it: who adds many divides them, as the client does.
        """

    @abstractmethod
    async def claim(self, want: Want, timeout: float = 0.0) -> list[JobRecord]:
        """Take jobs for a worker, waiting up to ``timeout`` seconds for the first.

        Delayed jobs whose time has come are moved to waiting on the way. Cancelling the call
        loses no job: what was claimed in that moment is handed back, or recovered later.
        """

    @abstractmethod
    async def finish(self, outcomes: Sequence[Outcome], want: Want | None = None) -> Finished:
        """Settle ``outcomes``, then claim what is wanted, without waiting, in the same round trip.

        Atomic for each outcome. Those whose lease is lost change nothing and are named.
        """

    @abstractmethod
    async def extend(self, leases: Collection[Lease], lease_ms: int) -> set[Lease]:
        """Make the leases last ``lease_ms`` from now; return those that are lost."""

    @abstractmethod
    async def recover(
        self, queues: Sequence[str], max_stalls: int, patience_ms: int = 0
    ) -> list[str]:
        """Take back jobs whose lease has run out, count a crash for each, and return their ids.

        With patience, only what a call at least that long ago found run out already, and what has
        not been renewed since. Give it the time in which a living holder is sure to renew: when
        the store, or the machine, comes back after longer than a lease, all leases have run out
        at once, and who holds one comes before who would take it.

        A job that has crashed more than ``max_stalls`` times becomes a dead letter with reason
        ``crashed``; the others wait again. Also does the store's own housekeeping (retention by
        age, trimming of events), a bounded piece at a time.
        """

    # An operator's hand

    @abstractmethod
    async def find(self, select: Select) -> Page:
        """Return the jobs selected, in the order they will run, fall due, or have finished."""

    @abstractmethod
    async def requeue(self, select: Select) -> Swept:
        """Make delayed, completed and failed jobs waiting: promote, run again, replay.

        A finished job starts over: attempts, starts and crashes at 0, result, failure and progress
        cleared.
        """

    @abstractmethod
    async def remove(self, select: Select, *, force: bool = False) -> Swept:
        """Delete jobs. An active one only with ``force``, which breaks its lease.

        Where jobs have children, one that is named by its id takes them along, in as many calls as
        that needs; without ``force`` it stays while one that it waits for is active.
        """

    @abstractmethod
    async def cancel(self, select: Select, why: str) -> Swept:
        """End unfinished jobs for good: failed, with reason ``cancelled``. Breaks their leases."""

    @abstractmethod
    async def update(self, queue: str, id: str, patch: Patch) -> bool:
        """Change one job; ``False`` if there is none, or its state or lease does not allow it."""

    @abstractmethod
    async def detail(self, queue: str, id: str) -> Detail | None:
        """Return one job with its log."""

    @abstractmethod
    async def queues(self, names: Sequence[str] | None = None) -> list[QueueStats]:
        """Return the state of the queues named, or of all, by name."""

    @abstractmethod
    async def configure(self, queue: str, settings: QueueSettings) -> None:
        """Change the settings of a queue. Pausing lets running jobs finish."""

    @abstractmethod
    async def events(self, queue: str, after: str | None, timeout: float = 0.0) -> EventPage:
        """Return what happened after the cursor, waiting up to ``timeout`` seconds for the first.

        ``None`` is now: the answer is empty and brings the cursor to go on from.
        """
