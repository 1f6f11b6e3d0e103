"""Any sequence of operations: the broker and the model must agree after each one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec.structs import replace

from stoker.broker import make_broker
from stoker.broker.base import Patch, QueueSettings, Select, Want
from stoker.failure import Failure
from stoker.job.model import Dedup, JobRecord, Keep, Lease, NewJob
from stoker.job.outcome import Done, Failed, Outcome, Released, Retried, Snoozed
from stoker.job.states import State
from tests.contract.model import Job, Model
from tests.contract.stores import Store
from tests.contract.support import Clock, new, some, sweep

WITHOUT_EXPLANATION = [phase for phase in Phase if phase is not Phase.explain]
"""The explanation traces every line, which takes minutes and says little about a broker."""

QUICK = settings(
    max_examples=30,
    stateful_step_count=50,
    deadline=None,
    phases=WITHOUT_EXPLANATION,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
SOAK = settings(QUICK, max_examples=2_000, stateful_step_count=100)

LEASE_MS = 1_000
QUEUES: tuple[str, ...] = ("a", "b")
SOME = Want({"a": 2, "b": 2}, 4, "w", LEASE_MS)
ENOUGH = 6
"""Jobs below which none is ended or removed by hand: an empty store is a dull one."""
BOOM = Failure("error", "Boom: it broke")
CRASH = Failure("crashed", "it died")

queues = st.sampled_from(QUEUES)
picks = st.integers(0, 30)
"""Which of the jobs or leases that there are; taken modulo their number."""
delays = st.sampled_from([0, 0, 50, 500])
dedups = st.builds(Dedup, st.sampled_from(["k1", "k2"]), st.sampled_from([None, 300]))


@st.composite
def new_jobs(draw: st.DrawFn) -> NewJob:
    delay_ms = draw(delays)
    return new(
        queue=draw(queues),
        id=draw(st.sampled_from([None, None, None, "x", "y"])),
        priority=draw(st.integers(0, 1)),
        delay_ms=delay_ms,
        lifo=draw(st.sampled_from([False, False, True])),
        dedup=draw(st.none() | dedups),
    )


@st.composite
def wants(draw: st.DrawFn) -> Want:
    order = draw(st.permutations(QUEUES))
    counts = draw(st.lists(st.sampled_from([2, 1, 5, 0]), min_size=1, max_size=2))
    most = dict(zip(order, counts, strict=False))
    return Want(most, draw(st.sampled_from([3, 1, 9, 0])), "w", LEASE_MS)


UNHELD = Lease("", "", "")
"""Stands for the lease, which is chosen when the outcome is used."""

keeps = st.sampled_from([Keep(), Keep(count=0)])
outcomes = st.one_of(
    st.builds(Done, st.just(UNHELD), st.just("1"), keeps),
    st.builds(Failed, st.just(UNHELD), st.sampled_from([BOOM, CRASH]), keeps),
    st.builds(Retried, st.just(UNHELD), st.just(BOOM), delays),
    st.builds(Snoozed, st.just(UNHELD), delays),
    st.builds(Released, st.just(UNHELD), st.booleans()),
)


class Machine(RuleBasedStateMachine):
    """Each rule does one thing to the broker and to the model, and compares the answers."""

    def __init__(self, url: str, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.model = Model(self.clock)
        self.leases: list[Lease] = []
        """All that were ever given, so that stale ones are shown too."""
        self.loop = asyncio.new_event_loop()
        self.do = self.loop.run_until_complete
        self.broker = make_broker(url, clock=self.clock)

    @initialize(jobs=st.lists(new_jobs(), min_size=6, max_size=10))
    def open(self, jobs: list[NewJob]) -> None:
        self.do(self.broker.open())
        self.add_all(jobs)

    def teardown(self) -> None:
        self.do(self.broker.close())
        self.loop.close()

    # The road of a job

    @rule(jobs=st.lists(new_jobs(), min_size=1, max_size=5))
    def add(self, jobs: list[NewJob]) -> None:
        self.add_all(jobs)

    def add_all(self, jobs: list[NewJob]) -> None:
        if any(holder.until == self.clock.now for holder in self.model.keys.values()):
            self.clock.advance(1)
        due = {queue: self._due(queue) for queue in QUEUES}
        jobs = [
            replace(job, delay_ms=self._apart(due[job.queue], job.delay_ms))
            for job in jobs
            if not (job.dedup and (job.queue, job.dedup.key) in self.model.unclear)
        ]

        answers = self.do(self.broker.add(jobs))

        assert len(answers) == len(jobs)
        for job, answer in zip(jobs, answers, strict=True):
            taken = self.model.duplicate_of(job)
            assert answer.duplicate == (taken is not None), (job, answer, taken)
            assert answer.id == (taken or job.id or answer.id)
            if taken is None:
                assert (job.queue, answer.id) not in self.model.jobs
                self.model.add(job, answer.id)

    @rule(want=wants())
    def claim(self, want: Want) -> None:
        self.claim_of(want)

    @rule()
    def claim_some(self) -> None:
        self.claim_of(SOME)

    def claim_of(self, want: Want) -> None:
        self._handed_out(want, self.do(self.broker.claim(want)))

    def _handed_out(self, want: Want, records: Sequence[JobRecord]) -> None:
        expected = self.model.claim(want)
        assert [(job.queue, job.id) for job in records] == [(job.queue, job.id) for job in expected]
        for record in records:
            self.model.hand_out(record, want.lease_ms)
            assert record.token is not None
            self.leases.append(Lease(record.queue, record.id, record.token))
        assert len({*self.leases}) == len(self.leases), "a token was given twice"
        for queue in want.queues:
            self._adopt_promotions(queue)

    def _adopt_promotions(self, queue: str) -> None:
        """A claim that gave nothing of a queue may or may not have promoted its due jobs."""
        waiting = {job.id for job in self.do(self.broker.find(_all(queue, State.WAITING))).jobs}
        due = [job for job in self.model.line(queue, State.DELAYED) if job.due_at <= self.clock.now]
        if due and all(job.id in waiting for job in due):
            self.model.promote(queue)

    @precondition(lambda self: self.leases)
    @rule(
        settled=st.lists(st.tuples(picks, outcomes), min_size=1, max_size=4),
        want=st.none() | wants(),
    )
    def finish(self, settled: list[tuple[int, Outcome]], want: Want | None) -> None:
        self.finish_with(settled, want)

    @rule(ends=st.lists(outcomes, min_size=1, max_size=4))
    def work(self, ends: list[Outcome]) -> None:
        self.claim_of(SOME)
        held = sum(self.model.held(lease) is not None for lease in self.leases)
        self.finish_with([(4 * n, end) for n, end in enumerate(ends[:held])], None)

    @rule(max_stalls=st.integers(0, 2))
    def crash(self, max_stalls: int) -> None:
        self.claim_of(SOME)
        self.clock.advance(LEASE_MS + 1)
        self.recover_of({*QUEUES}, max_stalls)

    def finish_with(self, settled: list[tuple[int, Outcome]], want: Want | None) -> None:
        self.clock.advance(1)
        batch = self._batch(settled)

        answer = self.do(self.broker.finish(batch, want))

        assert answer.lost == self.model.settle(batch)
        if want is None:
            assert not answer.jobs
        else:
            self._handed_out(want, answer.jobs)

    @precondition(lambda self: self.leases)
    @rule(pick=picks, completed=st.booleans(), count=st.integers(1, 3))
    def finish_and_trim(self, pick: int, completed: bool, count: int) -> None:
        self.clock.advance(1)
        lease = self._lease(pick)
        state = State.COMPLETED if completed else State.FAILED
        unsure = self.model.cuts_a_tie(lease.queue, state, count)
        keep = Keep() if unsure else Keep(count)
        outcome = Done(lease, "1", keep) if completed else Failed(lease, BOOM, keep)

        answer = self.do(self.broker.finish([outcome]))

        assert answer.lost == self.model.settle([outcome])

    @precondition(lambda self: self.leases)
    @rule(chosen=st.lists(picks, min_size=1, max_size=4), lease_ms=st.sampled_from([100, 2_000]))
    def extend(self, chosen: list[int], lease_ms: int) -> None:
        leases = {self._lease(pick) for pick in chosen}

        lost = self.do(self.broker.extend(leases, lease_ms))

        assert lost == {lease for lease in leases if not self.model.extend(lease, lease_ms)}

    @rule(ms=st.sampled_from([1_001, 50, 300, 500, 1, 5_000]))
    def advance(self, ms: int) -> None:
        self.clock.advance(ms)

    @rule(named=st.sampled_from([{*QUEUES}, {"a"}, {"b"}]), max_stalls=st.integers(0, 2))
    def recover(self, named: set[str], max_stalls: int) -> None:
        self.recover_of(named, max_stalls)

    def recover_of(self, named: set[str], max_stalls: int) -> None:
        while any(job.expires_at == self.clock.now for job in self.model.jobs.values()):
            self.clock.advance(1)

        taken = self.do(self.broker.recover(sorted(named), max_stalls))

        recovered = self.model.recover(named, max_stalls)
        assert sorted(taken) == sorted(job.id for job in recovered)
        for queue in named:
            line = [job.id for job in self.do(self.broker.find(_all(queue, State.WAITING))).jobs]
            self.model.adopt_front([job for job in recovered if job.queue == queue], line)

    # An operator's hand

    @precondition(lambda self: self.model.jobs)
    @rule(pick=picks)
    def requeue(self, pick: int) -> None:
        job = self._job(pick)

        swept = self.do(self.broker.requeue(some(job.id, queue=job.queue)))

        assert list(swept.ids) == ([job.id] if self.model.requeue(job) else [])

    @precondition(lambda self: len(self.model.jobs) > ENOUGH)
    @rule(chosen=st.lists(picks, min_size=1, max_size=3))
    def cancel(self, chosen: list[int]) -> None:
        for select, jobs in self._selections(chosen):
            chunks = self.do(sweep(lambda select: self.broker.cancel(select, "no"), select))

            assert _flat(chunks) == sorted(job.id for job in jobs if self.model.cancel(job))

    @precondition(lambda self: len(self.model.jobs) > ENOUGH)
    @rule(queue=queues, state=st.sampled_from([State.ACTIVE, State.DELAYED, State.FAILED]))
    def cancel_all(self, queue: str, state: State) -> None:
        chunks = self.do(
            sweep(lambda select: self.broker.cancel(select, "no"), _all(queue, state, limit=2))
        )

        jobs = self.model.line(queue, state)
        assert _flat(chunks) == sorted(job.id for job in jobs if self.model.cancel(job))

    @precondition(lambda self: len(self.model.jobs) > ENOUGH)
    @rule(chosen=st.lists(picks, min_size=1, max_size=3), force=st.booleans())
    def remove(self, chosen: list[int], force: bool) -> None:
        for select, jobs in self._selections(chosen):
            chunks = self.do(sweep(lambda select: self.broker.remove(select, force=force), select))

            assert _flat(chunks) == sorted(job.id for job in jobs if self.model.remove(job, force))

    @precondition(lambda self: self.model.jobs)
    @rule(pick=picks, priority=st.integers(0, 1))
    def prioritize(self, pick: int, priority: int) -> None:
        job = self._job(pick)
        if job.priority == priority or job.lifo:
            return  # what place the job has then is not promised

        changed = self.do(self.broker.update(job.queue, job.id, Patch(priority=priority)))

        assert changed == self.model.prioritize(job, priority)

    @precondition(lambda self: self.model.jobs)
    @rule(pick=picks, delay_ms=delays)
    def delay(self, pick: int, delay_ms: int) -> None:
        job = self._job(pick)
        if job.state is State.WAITING and not delay_ms:
            return  # whether the job keeps its place then is not promised
        delay_ms = self._apart(self._due(job.queue), delay_ms)

        changed = self.do(self.broker.update(job.queue, job.id, Patch(delay_ms=delay_ms)))

        assert changed == self.model.delay(job, delay_ms)

    @rule(queue=queues, paused=st.sampled_from([False, False, True]))
    def pause(self, queue: str, paused: bool) -> None:
        self.do(self.broker.configure(queue, QueueSettings(paused=paused)))

        (self.model.paused.add if paused else self.model.paused.discard)(queue)

    # What must hold after each step

    @invariant()
    def agree(self) -> None:
        """Every job is in exactly one state and in its place, with the right counts."""
        for stats in self.do(self.broker.queues(QUEUES)):
            assert stats.paused == (stats.name in self.model.paused)
            for state in State:
                records = self.do(self.broker.find(_all(stats.name, state))).jobs
                stored = [_of_record(job) for job in records]
                line = self.model.line(stats.name, state)
                expected = [_of_model(job, self.clock.now) for job in line]
                if state not in (State.WAITING, State.DELAYED):
                    stored, expected = sorted(stored), sorted(expected)
                assert stored == expected
                assert stats.counts.get(state, 0) == len(stored)
                for job in records:
                    runs = job.attempts + job.crashes + (state is State.ACTIVE)
                    assert runs <= job.starts, "something is counted that did not happen"

    # Choosing

    def _job(self, pick: int) -> Job:
        return list(self.model.jobs.values())[pick % len(self.model.jobs)]

    def _batch(self, settled: list[tuple[int, Outcome]]) -> list[Outcome]:
        """Return the outcomes with leases, each lease once."""
        due = {queue: self._due(queue) for queue in QUEUES}
        batch: dict[Lease, Outcome] = {}
        for pick, outcome in settled:
            lease = self._lease(pick)
            batch[lease] = replace(outcome, lease=lease)
            if isinstance(outcome, Retried | Snoozed):
                delay_ms = self._apart(due[lease.queue], outcome.delay_ms)
                batch[lease] = replace(outcome, lease=lease, delay_ms=delay_ms)
                due[lease.queue].add(self.clock.now + delay_ms)
        return list(batch.values())

    def _due(self, queue: str) -> set[int]:
        return {job.due_at for job in self.model.line(queue, State.DELAYED)}

    def _apart(self, due: set[int], delay_ms: int) -> int:
        """Prolong a delay until it ends at an instant of its own: a tie has no promised order."""
        while delay_ms and self.clock.now + delay_ms in due:
            delay_ms += 1
        return delay_ms

    def _lease(self, pick: int) -> Lease:
        """Return a lease that is held, or one of a job that is held under another, or any."""
        held = [lease for lease in self.leases if self.model.held(lease)]
        keys = {(lease.queue, lease.id) for lease in held}
        stale = [
            lease
            for lease in self.leases
            if (lease.queue, lease.id) in keys and not self.model.held(lease)
        ]
        choice = (held, stale, held, self.leases)[pick % 4] or self.leases
        return choice[-1 - pick // 4 % len(choice)]

    def _selections(self, picks: list[int]) -> list[tuple[Select, list[Job]]]:
        """Return a selection for each queue, and the jobs that it names."""
        chosen = {(job.queue, job.id): job for job in map(self._job, picks)}
        return [
            (some("unknown", *(id for _, id in keys), queue=queue), [chosen[key] for key in keys])
            for queue in QUEUES
            if (keys := [key for key in chosen if key[0] == queue])
        ]


def _all(queue: str, state: State, limit: int = 1_000) -> Select:
    return Select(queue, state=state, limit=limit)


def _flat(chunks: list[list[str]]) -> list[str]:
    return sorted(id for chunk in chunks for id in chunk)


def _of_record(job: JobRecord) -> tuple[object, ...]:
    due_at = job.due_at if job.state is State.DELAYED else None
    counted = (job.attempts, job.crashes, job.starts)
    return (job.id, job.priority, counted, due_at, job.finished_at, Token(job.token))


def _of_model(job: Job, now: int) -> tuple[object, ...]:
    due_at = job.due_at if job.state is State.DELAYED else None
    counted = (job.attempts, job.crashes, job.starts)
    token = Token(job.token, ran_out=job.token is not None and job.expires_at <= now)
    return (job.id, job.priority, counted, due_at, job.finished_at, token)


class Token:
    """A token; of a lease that has run out, a store may have kept none."""

    def __init__(self, token: str | None, *, ran_out: bool = False) -> None:
        self.possible = {token, ""} if ran_out else {token}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and bool(self.possible & other.possible)

    def __lt__(self, other: object) -> bool:
        return False  # the id, which stands before it, decides every order

    __hash__ = None  # type: ignore[assignment]


def drive(store: Store, folders: pytest.TempPathFactory, settings: settings) -> None:
    """Run the machine, each example on an empty store of its own."""

    class OnStore(Machine):
        def __init__(self) -> None:
            super().__init__(store.url(folders.mktemp("store")), store.clock())

    run_state_machine_as_test(OnStore, settings=settings)


@pytest.mark.timeout(600)  # only a failure takes long: it is made as short as can be
def test_the_broker_and_the_model_agree(
    store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    drive(store, tmp_path_factory, QUICK)


@pytest.mark.soak
def test_the_broker_and_the_model_agree_for_long(
    store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    drive(store, tmp_path_factory, SOAK)
