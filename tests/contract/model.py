"""A broker in a few lines of plain Python: what ``test_model.py`` holds every real one against.

It knows no I/O, no batches and no time of its own. Where the contract leaves a choice, the model
takes over the broker's (``adopt_…``) after checking that it is one of those allowed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from stoker.broker.base import Want
from stoker.job.model import Dedup, JobRecord, Keep, Lease, NewJob
from stoker.job.outcome import Done, Failed, Outcome, Released, Retried, Snoozed
from stoker.job.states import FINISHED, State
from tests.contract.support import Clock

Key = tuple[str, str]
"""Queue and id."""


@dataclass
class Job:
    """What the model remembers of a job."""

    queue: str
    id: str
    priority: int
    lifo: bool = False
    state: State = State.WAITING
    place: int = 0
    """Its place in the line of its state: the lowest is next."""
    attempts: int = 0
    starts: int = 0
    crashes: int = 0
    due_at: int = 0
    finished_at: int | None = None
    token: str | None = None
    expires_at: int = 0


@dataclass
class Holder:
    """The job that a dedup key was given to."""

    job: Job
    until: int | None
    """``None``: until the job is finished."""


class Model:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.jobs: dict[Key, Job] = {}
        self.paused: set[str] = set()
        self.keys: dict[Key, Holder] = {}
        self.unclear: set[Key] = set()
        """Dedup keys that may count or not: their job was finished and then requeued, or another
        job that was given its id later was removed."""
        self._places = 0

    # What is there

    def line(self, queue: str, state: State) -> list[Job]:
        """Return the jobs of a state in the order they run, fall due, or ended."""
        jobs = [job for job in self.jobs.values() if (job.queue, job.state) == (queue, state)]
        match state:
            case State.WAITING:
                return sorted(jobs, key=lambda job: (job.priority, job.place))
            case State.DELAYED:
                return sorted(jobs, key=lambda job: (job.due_at, job.place))
            case _:
                return sorted(jobs, key=lambda job: job.finished_at or 0)

    def held(self, lease: Lease) -> Job | None:
        """Return the job that is held under this very lease."""
        job = self.jobs.get((lease.queue, lease.id))
        return job if job and job.state is State.ACTIVE and job.token == lease.token else None

    def duplicate_of(self, new: NewJob) -> str | None:
        """Return the id of the job that keeps this one out."""
        if new.id is not None and (new.queue, new.id) in self.jobs:
            return new.id
        holder = self.keys.get((new.queue, new.dedup.key)) if new.dedup else None
        return holder.job.id if holder and self._counts(holder) else None

    def _counts(self, holder: Holder) -> bool:
        if holder.until is not None:
            return self.clock.now < holder.until
        job = holder.job
        return self.jobs.get((job.queue, job.id)) is job and job.state not in FINISHED

    # The road of a job

    def add(self, new: NewJob, id: str) -> None:
        job = Job(new.queue, id, new.priority, new.lifo)
        self.jobs[new.queue, id] = job
        self._wait_or_delay(job, new.delay_ms)
        if new.dedup is not None:
            self.keys[new.queue, new.dedup.key] = Holder(job, self._until(new.dedup))

    def _until(self, dedup: Dedup) -> int | None:
        return None if dedup.ttl_ms is None else self.clock.now + dedup.ttl_ms

    def claim(self, want: Want) -> list[Job]:
        """Return the jobs a worker gets, in order; ``hand_out`` is told what became of it."""
        taken: list[Job] = []
        for queue, most in want.queues.items():
            room = min(most, want.count - len(taken))
            if room > 0 and queue not in self.paused:
                self.promote(queue)
                taken += self.line(queue, State.WAITING)[:room]
        return taken

    def promote(self, queue: str) -> None:
        for job in self.line(queue, State.DELAYED):
            if job.due_at <= self.clock.now:
                self._wait(job)

    def hand_out(self, record: JobRecord, lease_ms: int) -> None:
        job = self.jobs[record.queue, record.id]
        job.state = State.ACTIVE
        job.starts += 1
        job.token = record.token
        job.expires_at = self.clock.now + lease_ms

    def settle(self, outcomes: Sequence[Outcome]) -> set[Lease]:
        """Settle outcomes; return the leases that were lost.

        Jobs handed back together keep their order, so the first of them goes to the front last.
        """
        released = [outcome for outcome in outcomes if isinstance(outcome, Released)]
        others = [outcome for outcome in outcomes if not isinstance(outcome, Released)]
        in_turn = [*others, *reversed(released)]
        return {outcome.lease for outcome in in_turn if not self.finish(outcome)}

    def finish(self, outcome: Outcome) -> bool:
        """Settle one outcome; return whether its lease was held."""
        job = self.held(outcome.lease)
        if job is None:
            return False
        match outcome:
            case Done(keep=keep):
                job.attempts += 1
                self._end(job, State.COMPLETED, keep)
            case Failed(failure=failure, keep=keep):
                crashed = failure.reason == "crashed"
                job.crashes += crashed
                job.attempts += not crashed
                self._end(job, State.FAILED, keep)
            case Retried(delay_ms=delay_ms):
                job.attempts += 1
                self._wait_or_delay(job, delay_ms)
            case Snoozed(delay_ms=delay_ms):
                self._wait_or_delay(job, delay_ms)
            case Released(crashed=crashed):
                job.crashes += crashed
                self._to_front(job)
        return True

    def extend(self, lease: Lease, lease_ms: int) -> bool:
        job = self.held(lease)
        if job is not None:
            job.expires_at = self.clock.now + lease_ms
        return job is not None

    def recover(self, queues: Collection[str], max_stalls: int) -> list[Job]:
        """Take back what has expired; in which order the jobs go to the front is left open."""
        expired = [
            job
            for job in self.jobs.values()
            if job.queue in queues and job.state is State.ACTIVE and job.expires_at < self.clock.now
        ]
        for job in expired:
            job.crashes += 1
            if job.crashes > max_stalls:
                self._end(job, State.FAILED, Keep())
            else:
                self._to_front(job)
        return expired

    def adopt_front(self, recovered: Sequence[Job], line: Sequence[str]) -> None:
        """Order jobs that went to the front together as the broker's line has them."""
        front = [job for job in recovered if job.state is State.WAITING and job.id in line]
        for job in sorted(front, key=lambda job: line.index(job.id), reverse=True):
            self._to_front(job)

    # An operator's hand

    def requeue(self, job: Job) -> bool:
        if job.state in (State.WAITING, State.ACTIVE):
            return False
        if job.state in FINISHED:
            job.attempts = job.starts = job.crashes = 0
            held = (key for key, holder in self.keys.items() if holder.job is job)
            self.unclear.update(key for key in held if self.keys[key].until is None)
        self._wait(job)
        return True

    def cancel(self, job: Job) -> bool:
        if job.state in FINISHED:
            return False
        self._end(job, State.FAILED, Keep())
        return True

    def remove(self, job: Job, force: bool) -> bool:
        if job.state is State.ACTIVE and not force:
            return False
        del self.jobs[job.queue, job.id]
        for key, holder in list(self.keys.items()):
            if holder.job is job:
                del self.keys[key]
            elif (holder.job.queue, holder.job.id) == (job.queue, job.id):
                self.unclear.add(key)
        return True

    def prioritize(self, job: Job, priority: int) -> bool:
        if job.state not in (State.WAITING, State.DELAYED):
            return False
        job.priority = priority
        if job.state is State.WAITING:
            self._wait(job)
        return True

    def delay(self, job: Job, delay_ms: int) -> bool:
        if job.state not in (State.WAITING, State.DELAYED):
            return False
        self._wait_or_delay(job, delay_ms)
        return True

    # Moves

    def _wait_or_delay(self, job: Job, delay_ms: int) -> None:
        self._wait(job)
        if delay_ms:
            job.state = State.DELAYED
            job.place = self._places
            job.due_at = self.clock.now + delay_ms

    def _wait(self, job: Job) -> None:
        self._places += 1
        job.place = -self._places if job.lifo else self._places
        job.state = State.WAITING
        job.token = job.finished_at = None

    def _to_front(self, job: Job) -> None:
        self._wait(job)
        job.place = -self._places

    def _end(self, job: Job, state: State, keep: Keep) -> None:
        job.state = state
        job.token = None
        job.finished_at = self.clock.now
        if keep.count == 0:
            del self.jobs[job.queue, job.id]
        elif keep.count is not None:
            for old in self.line(job.queue, state)[: -keep.count]:
                del self.jobs[old.queue, old.id]

    def cuts_a_tie(self, queue: str, state: State, count: int) -> bool:
        """Whether keeping so many, one more included, has to choose between jobs of one instant."""
        ended = [job.finished_at for job in self.line(queue, state)]
        cut = len(ended) + 1 - count
        return 0 < cut < len(ended) and ended[cut - 1] == ended[cut]
