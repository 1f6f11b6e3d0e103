"""The runner: from a claimed record to an outcome, whatever the handler does."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from stoker import (
    Backoff,
    Cancel,
    Failure,
    JobContext,
    Keep,
    Processor,
    Retry,
    Snooze,
    Stoker,
    StokerError,
    Unrecoverable,
    current_job,
)
from stoker.job.model import JobRecord, lease_of
from stoker.job.outcome import Done, Failed, Outcome, Released, Retried, Snoozed
from stoker.job.states import State
from tests.unit.support import Watched, a_job, soon, turns
from tests.unit.worker.support import Heard, Running, claimed

SET_BY_JOB = ContextVar("SET_BY_JOB", default="")
JOB = a_job()
LAST = a_job(attempts=2)
LEASE = lease_of(JOB)
KEEP = Keep(count=7)
NO_DURATION = (
    "Snooze='soon' is not a duration (seconds (30), text ('500ms', '10m', '1h30m', '7d') "
    "or a timedelta, 0 or more)"
)


@dataclass
class Order:
    number: int


def raises(error: BaseException) -> Callable[..., Any]:
    def behave(*_: Any) -> Any:
        raise error

    return behave


def plain(outcome: Outcome) -> Outcome:
    """Return the outcome without what differs from run to run: its traceback."""
    if isinstance(outcome, Failed | Retried):
        failure = msgspec.structs.replace(outcome.failure, traceback="", type="")
        return msgspec.structs.replace(outcome, failure=failure)
    return outcome


@pytest.fixture
async def running(app: Stoker, watched: Watched) -> Running:
    """A runner for the tasks of ``app``."""
    return Running(app, watched)


# What a handler does, and what becomes of the job


@pytest.mark.parametrize(
    ("behave", "record", "outcome"),
    [
        (lambda: {"a": [1]}, JOB, Done(LEASE, '{"a":[1]}', KEEP)),
        (lambda: None, LAST, Done(LEASE, "null", KEEP)),
        (lambda: Snooze("30s"), JOB, Snoozed(LEASE, 30_000)),
        (
            lambda: Retry("5s", "not yet"),
            JOB,
            Retried(LEASE, Failure("error", "not yet"), 5_000),
        ),
        (lambda: Retry(), LAST, Failed(LEASE, Failure("error", Retry().why), KEEP)),
        (lambda: Cancel("no"), JOB, Failed(LEASE, Failure("cancelled", "no"), KEEP)),
        (
            raises(ValueError("boom")),
            JOB,
            Retried(LEASE, Failure("error", "ValueError: boom"), 1_000),
        ),
        (
            raises(ValueError("boom")),
            LAST,
            Failed(LEASE, Failure("error", "ValueError: boom"), KEEP),
        ),
        (
            raises(Unrecoverable("no such customer")),
            JOB,
            Failed(LEASE, Failure("unrecoverable", "Unrecoverable: no such customer"), KEEP),
        ),
        (raises(SystemExit(3)), JOB, Retried(LEASE, Failure("error", "SystemExit: 3"), 1_000)),
        (
            raises(asyncio.CancelledError()),
            JOB,
            Retried(LEASE, Failure("error", "CancelledError"), 1_000),
        ),
        (
            lambda: Snooze("soon"),
            JOB,
            Retried(
                LEASE,
                Failure("error", f"ConfigError: {NO_DURATION}"),
                1_000,
            ),
        ),
    ],
    ids=[
        "a result",
        "nothing",
        "snooze",
        "retry",
        "retry, the last",
        "cancel",
        "error",
        "error, the last",
        "unrecoverable",
        "exit",
        "cancelled from inside",
        "no duration",
    ],
)
@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_what_a_handler_does_decides_what_becomes_of_its_job(
    app: Stoker,
    running: Running,
    kind: str,
    behave: Callable[[], Any],
    record: JobRecord,
    outcome: Outcome,
) -> None:
    settings: Any = {"backoff": Backoff.fixed(1), "keep_completed": 7, "keep_failed": 7}
    if kind == "async":

        @app.task(**settings)
        async def work() -> Any:
            return behave()

    else:

        @app.task(name="work", **settings)
        def work_in_a_thread() -> Any:
            return behave()

    outcomes = await running.run(record)

    assert [plain(one) for one in outcomes] == [outcome]
    assert (running.slots.busy, running.runner.running) == (0, 0)


async def test_a_stop_iteration_from_a_thread_is_an_error_like_any_other(
    app: Stoker, running: Running
) -> None:
    @app.task
    def work() -> Any:
        return next(iter(()))

    [outcome] = await running.run(JOB)

    assert isinstance(outcome, Retried)
    assert outcome.failure.message == "RuntimeError: the handler raised StopIteration()"


async def test_a_result_that_cannot_be_stored_is_not_worked_for_again(
    app: Stoker, running: Running
) -> None:
    @app.task
    async def work() -> Any:
        return {1, object()}

    [outcome] = await running.run(JOB)

    assert isinstance(outcome, Failed)
    assert outcome.failure.reason == "unrecoverable"
    assert outcome.failure.message.startswith("its result cannot be stored: work() result")


async def test_the_traceback_begins_where_the_handler_does(app: Stoker, running: Running) -> None:
    @app.task
    async def work() -> None:
        raise ValueError("boom")

    [outcome] = await running.run(JOB)

    assert isinstance(outcome, Retried)
    assert outcome.failure.type == "ValueError"
    lines = outcome.failure.traceback.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert f'{__file__}"' in lines[1]
    assert lines[-1] == "ValueError: boom"


async def test_nothing_is_kept_of_a_run_that_is_through(app: Stoker, running: Running) -> None:
    kept: list[weakref.ref[Any]] = []

    @app.task(timeout="1h")
    async def work(order: Order) -> None:
        kept.append(weakref.ref(order))

    await running.run(a_job(data='{"order":{"number":7}}'))
    gc.collect()

    assert [reference() for reference in kept] == [None]


async def test_a_bug_of_ours_holds_no_slot_and_no_job_for_ever(
    app: Stoker, running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @app.task
    async def work() -> None: ...

    monkeypatch.setattr("stoker.worker.runner.decide", raises(ZeroDivisionError()))

    assert await running.run(JOB) == [Released(LEASE, crashed=True)]
    assert running.slots.busy == 0
    assert "job 1 of default cannot be concluded" in caplog.text


async def test_the_job_s_own_options_outweigh_its_task_s(app: Stoker, running: Running) -> None:
    @app.task(attempts=9)
    async def work() -> None:
        raise ValueError("boom")

    [outcome] = await running.run(a_job(options='{"attempts":1,"keep_failed":{"count":0}}'))

    assert isinstance(outcome, Failed)
    assert outcome.keep == Keep(count=0)


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_a_handler_knows_its_job(app: Stoker, running: Running, kind: str) -> None:
    known: list[Any] = []

    def look(number: int) -> None:
        job = current_job()
        known.append((job.id, job.queue, job.name, job.attempt, job.max_attempts, job.data))
        known.append(number)

    if kind == "async":

        @app.task(attempts=4)
        async def work(number: int) -> None:
            look(number)

    else:
        app.task(name="work", attempts=4)(look)

    await running.run(a_job(id="7", attempts=1, data='{"number":3}'))

    assert known == [("7", "default", "work", 2, 4, {"number": 3}), 3]
    with pytest.raises(StokerError, match="there is no current job"):
        current_job()


async def test_jobs_run_side_by_side_and_their_leases_are_held(
    app: Stoker, running: Running
) -> None:
    together = asyncio.Barrier(3)
    held: list[int] = []

    @app.task
    async def work() -> None:
        await together.wait()
        held.append(len(running.held))

    outcomes = await running.run(*[a_job(id=str(number), token=str(number)) for number in range(3)])

    assert len(outcomes) == 3
    assert held == [3, 3, 3]


# Jobs that were claimed ahead


class OneByOne:
    """A runner with a single slot, and jobs that end when they are told to."""

    def __init__(self, app: Stoker, watched: Watched) -> None:
        self.running = Running(app, watched, slots=1)
        self.begun: list[str] = []
        self.inherited: list[str] = []
        self.gates: dict[str, asyncio.Event] = {id: asyncio.Event() for id in "abc"}
        self.jobs = [a_job(id=id, token=id) for id in "abc"]

        @app.task(name="work")
        async def work() -> None:
            self.begun.append(current_job().id)
            self.inherited.append(SET_BY_JOB.get())
            SET_BY_JOB.set(current_job().id)
            await self.gates[current_job().id].wait()

    def start(self) -> None:
        room = self.running.slots.reserve(ahead=2)
        assert room is not None
        self.running.slots.settle(room, self.jobs)
        self.running.runner.start(self.jobs)


@pytest.fixture
async def one_by_one(app: Stoker, watched: Watched) -> OneByOne:
    return OneByOne(app, watched)


async def test_no_more_run_than_there_are_slots_and_the_next_begins_when_one_ends(
    one_by_one: OneByOne,
) -> None:
    one_by_one.start()
    assert len(one_by_one.running.held) == 3

    for count, id in enumerate("abc", start=1):
        await turns()
        assert "".join(one_by_one.begun) == "abc"[:count]
        one_by_one.gates[id].set()
    await soon(one_by_one.running.runner.idle())

    assert [outcome.lease.id for outcome in one_by_one.running.outcomes] == ["a", "b", "c"]
    assert one_by_one.running.slots.busy == 0


async def test_a_job_begins_without_what_the_one_before_it_set(one_by_one: OneByOne) -> None:
    for gate in one_by_one.gates.values():
        gate.set()

    one_by_one.start()
    await soon(one_by_one.running.runner.idle())

    assert one_by_one.begun == ["a", "b", "c"]
    assert one_by_one.inherited == [""] * 3


async def test_a_stopping_worker_hands_back_what_it_has_not_begun(one_by_one: OneByOne) -> None:
    one_by_one.start()
    await turns()

    one_by_one.running.runner.hand_back()
    one_by_one.gates["a"].set()
    await soon(one_by_one.running.runner.idle())

    b, c, a = one_by_one.running.outcomes
    assert [b, c] == [Released(lease_of(job)) for job in one_by_one.jobs[1:]]
    assert isinstance(a, Done)
    assert one_by_one.begun == ["a"]
    assert one_by_one.running.slots.busy == 0


async def test_what_waited_in_vain_is_given_back_and_no_more_is_held_ahead(
    one_by_one: OneByOne,
) -> None:
    one_by_one.running.pace.took(0.0, 0.0)
    assert one_by_one.running.pace.ahead == 1

    one_by_one.start()

    assert await one_by_one.running.outcome(2) == Released(lease_of(one_by_one.jobs[2]))
    assert one_by_one.running.pace.ahead == 0
    one_by_one.gates["a"].set()
    await soon(one_by_one.running.runner.idle())


async def test_a_job_that_was_lost_before_it_began_never_begins(one_by_one: OneByOne) -> None:
    one_by_one.start()
    await turns()

    one_by_one.running.runner.lost({lease_of(one_by_one.jobs[1]): None})
    for gate in one_by_one.gates.values():
        gate.set()
    await soon(one_by_one.running.runner.idle())

    assert one_by_one.begun == ["a", "c"]
    assert [outcome.lease.id for outcome in one_by_one.running.outcomes] == ["a", "c"]
    assert one_by_one.running.nudges == 1
    assert one_by_one.running.slots.busy == 0


# Jobs that cannot be run


@pytest.mark.parametrize(
    ("record", "reason", "message"),
    [
        (
            a_job(name="unknown"),
            "unknown-task",
            "no task 'unknown' here; there is: work, other",
        ),
        (a_job(data="{"), "undecodable", "work(): not JSON: input data was truncated"),
        (a_job(data='{"number":"x"}'), "undecodable", "work(): number: "),
        (a_job(data="{}"), "undecodable", "work() missing 1 required argument: 'number'"),
        (
            a_job(data='{"number":1}', options="{"),
            "undecodable",
            "its options: Input data was truncated",
        ),
        (
            a_job(data='{"number":1}', options='{"attempts":"many"}'),
            "undecodable",
            "its options: Expected `int`, got `str` - at `$.attempts`",
        ),
    ],
)
async def test_a_job_that_cannot_be_run_is_a_dead_letter_at_once(
    app: Stoker, running: Running, heard: Heard, record: JobRecord, reason: str, message: str
) -> None:
    @app.task(keep_failed=7)
    async def work(number: int) -> None: ...

    @app.task
    async def other() -> None: ...

    [outcome] = await running.run(record)

    assert isinstance(outcome, Failed)
    assert outcome.failure.reason == reason
    assert outcome.failure.message.startswith(message)
    assert outcome.keep == (Keep() if reason == "unknown-task" else KEEP)
    assert heard.of("job.failed") == [{"job": record, "failure": outcome.failure, "dead": True}]
    assert running.slots.busy == 0


async def test_jobs_that_can_be_run_are_not_kept_from_it_by_others(
    app: Stoker, running: Running
) -> None:
    @app.task
    async def work() -> str:
        return "done"

    outcomes = await running.run(a_job(name="unknown", token="a"), a_job(token="b"))

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Done", "Failed"]


async def test_without_jobs_nothing_begins(running: Running, heard: Heard) -> None:
    running.runner.start([])

    await soon(running.runner.idle())
    assert heard == []


# Interruptions


class Waiting:
    """A handler that waits until it is interrupted, and remembers."""

    def __init__(self, app: Stoker, **settings: Any) -> None:
        self.begun = asyncio.Event()
        self.interrupted = False

        @app.task(name="work", **settings)
        async def work() -> None:
            self.begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.interrupted = current_job().cancelled


async def test_a_run_that_takes_too_long_is_interrupted_and_counts_as_failed(
    app: Stoker, running: Running, heard: Heard
) -> None:
    waiting = Waiting(app, timeout="5ms", backoff=Backoff.fixed(1))

    outcomes = await running.run(JOB)

    failure = Failure("timeout", "it ran longer than its timeout of 5ms")
    assert outcomes == [Retried(LEASE, failure, 1_000)]
    assert waiting.interrupted
    assert heard.of("job.stuck") == []


async def test_a_thread_that_takes_too_long_is_left_behind_and_told_of(
    app: Stoker, running: Running, heard: Heard
) -> None:
    let_go = threading.Event()
    seen: list[bool] = []

    @app.task(timeout="5ms", backoff=Backoff.fixed(1))
    def work() -> None:
        job = current_job()
        let_go.wait(10)
        seen.append(job.cancelled)

    [outcome] = await running.run(JOB)

    assert isinstance(outcome, Retried)
    assert outcome.failure.reason == "timeout"
    assert heard.of("job.stuck") == [{"job": JOB}]
    assert running.slots.busy == 0
    let_go.set()
    async with asyncio.timeout(10):
        while not seen:  # noqa: ASYNC110 - what ends is a thread that nobody waits for
            await asyncio.sleep(0)
    assert seen == [True]


async def test_a_handler_that_ends_in_spite_of_its_timeout_has_ended(
    app: Stoker, running: Running
) -> None:
    @app.task(timeout="5ms")
    async def work() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "saved what there was"
        return ""

    [outcome] = await running.run(JOB)

    assert isinstance(outcome, Done)
    assert outcome.value == '"saved what there was"'


async def test_a_stopping_worker_gives_the_attempt_back(app: Stoker, running: Running) -> None:
    waiting = Waiting(app)
    running.start(JOB)
    await soon(waiting.begun.wait())

    running.runner.stop_all("shutdown")
    await soon(running.runner.idle())

    assert running.outcomes == [Released(LEASE)]
    assert waiting.interrupted


async def test_a_run_whose_lease_is_lost_is_interrupted_and_says_nothing(
    app: Stoker, running: Running, heard: Heard
) -> None:
    waiting = Waiting(app)
    running.start(JOB)
    await soon(waiting.begun.wait())

    running.runner.lost({LEASE: None})
    await soon(running.runner.idle())

    assert waiting.interrupted
    assert running.outcomes == []
    assert running.nudges == 1
    assert running.held == {}
    assert running.slots.busy == 0
    assert heard.of("jobs.lost") == [{"leases": {LEASE}}]
    assert [fields["now"] for fields in heard.of("lease.broken")] == [None]


async def test_a_lease_that_is_lost_as_its_run_is_through_is_not_told_of(
    running: Running, heard: Heard
) -> None:
    running.runner.lost({LEASE: None})

    assert heard.of("lease.broken") == []


@pytest.mark.parametrize(("why", "outcomes"), [("shutdown", 1), ("lost", 0)])
async def test_a_run_that_is_interrupted_before_its_first_step_ends(
    app: Stoker, running: Running, why: str, outcomes: int
) -> None:
    waiting = Waiting(app)
    running.start(JOB)
    if why == "lost":
        running.runner.lost({LEASE: None})
    else:
        running.runner.stop_all("shutdown")

    await soon(running.runner.idle())

    assert not waiting.begun.is_set() or waiting.interrupted  # newer Pythons begin at once
    assert len(running.outcomes) == outcomes
    assert running.slots.busy == 0


async def test_a_lost_lease_outweighs_another_reason_to_stop(app: Stoker, running: Running) -> None:
    waiting = Waiting(app)
    running.start(JOB)
    await soon(waiting.begun.wait())

    running.runner.stop_all("shutdown")
    running.runner.lost({LEASE: None})
    running.runner.stop_all("shutdown")
    await soon(running.runner.idle())

    assert running.outcomes == []


async def test_what_cannot_be_interrupted_is_handed_back_once(
    app: Stoker, running: Running
) -> None:
    let_go, begun, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @app.task
    async def work() -> None:
        begun.set()
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue
        ended.set()

    running.start(JOB)
    await soon(begun.wait())
    running.runner.stop_all("shutdown")
    await turns()
    running.runner.abandon_all()
    await soon(running.runner.idle())
    let_go.set()
    await soon(ended.wait())
    await turns()

    assert running.outcomes == [Released(LEASE)]
    assert running.slots.busy == 0


async def test_jobs_that_come_too_late_are_handed_back(running: Running) -> None:
    room = running.slots.reserve()
    assert room is not None
    running.slots.settle(room, [JOB])

    running.runner.refuse([JOB])

    assert running.outcomes == [Released(LEASE)]
    assert running.slots.busy == 0


# Failures are told


class Telling:
    """A processor whose hooks write down what they are told."""

    def __init__(self, app: Stoker, *, fails: BaseException | None = None, **fields: Any) -> None:
        self.told: list[tuple[str, str, str]] = []
        told = self.told

        class Works(Processor[dict[str, Any]]):
            async def process(self, job: JobContext[Any]) -> None:
                raise ValueError("boom")

            async def on_failed(self, job: JobContext[Any], failure: Failure) -> None:
                told.append(("failed", job.id, failure.message))
                if fails is not None:
                    raise fails

            async def on_dead(self, job: JobContext[Any], failure: Failure) -> None:
                told.append(("dead", job.id, failure.message))
                if fails is not None:
                    raise fails

        app.processor(type("Works", (Works,), fields))


async def test_a_hook_is_told_of_a_failed_attempt_before_its_outcome(
    app: Stoker, running: Running, heard: Heard
) -> None:
    telling = Telling(app)

    [outcome] = await running.run(JOB)

    assert isinstance(outcome, Retried)
    assert telling.told == [("failed", "1", "ValueError: boom")]
    assert heard.of("job.failed") == [{"job": JOB, "failure": outcome.failure, "dead": False}]


async def test_of_the_last_attempt_both_hooks_are_told_in_order(
    app: Stoker, running: Running, heard: Heard
) -> None:
    telling = Telling(app)

    [outcome] = await running.run(LAST)

    assert isinstance(outcome, Failed)
    assert [hook for hook, *_ in telling.told] == ["failed", "dead"]
    assert [fields["dead"] for fields in heard.of("job.failed")] == [True]


@pytest.mark.parametrize(
    "fails",
    [RuntimeError("mail server"), SystemExit(3), asyncio.CancelledError(), TimeoutError()],
    ids=lambda error: type(error).__name__,
)
async def test_a_hook_that_fails_changes_nothing(
    app: Stoker, running: Running, fails: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    telling = Telling(app, fails=fails)

    [outcome] = await running.run(LAST)

    assert isinstance(outcome, Failed)
    assert outcome.failure.message == "ValueError: boom"
    assert [hook for hook, *_ in telling.told] == ["failed", "dead"]
    assert "on_failed of Works failed" in caplog.text


async def test_a_hook_that_hangs_is_not_waited_for_for_ever(
    app: Stoker, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stoker.worker.hooks.HOOK_SECONDS", 0.001)

    async def hangs(self: Any, job: Any, failure: Failure) -> None:
        await asyncio.Event().wait()

    Telling(app, on_failed=hangs)

    [outcome] = await running.run(JOB)

    assert isinstance(outcome, Retried)


async def test_whose_lease_is_lost_is_not_told_of_a_failure(app: Stoker, running: Running) -> None:
    begun = asyncio.Event()

    async def process(self: Any, job: Any) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("what it worked on is gone")

    telling = Telling(app, process=process)
    running.start(JOB)
    await soon(begun.wait())

    running.runner.lost({LEASE: None})
    await soon(running.runner.idle())

    assert telling.told == []


async def test_what_recovery_buried_is_told_as_dead_only(app: Stoker, running: Running) -> None:
    telling = Telling(app)
    failure = msgspec.json.encode(Failure("crashed", "its worker died")).decode()

    running.runner.buried([a_job(state=State.FAILED, failure=failure)])
    await turns()

    assert telling.told == [("dead", "1", "its worker died")]
    assert running.outcomes == []
    assert running.slots.busy == 0


async def test_a_failed_attempt_is_in_the_job_s_log_and_written_before_its_outcome(
    app: Stoker, running: Running, watched: Watched
) -> None:
    @app.task
    async def work() -> None:
        current_job().progress(0.5)
        current_job().log("half done")
        raise ValueError("boom")

    [job] = await claimed(watched)
    await running.run(job)

    order = [name for name, _ in watched.calls if name in ("update", "put")]
    detail = await watched.broker.detail("default", job.id)
    assert detail is not None
    assert order == ["update", "put"]
    assert detail.job.progress == "0.5"
    assert [log.line for log in detail.logs] == [
        "half done",
        "attempt 1 failed: ValueError: boom",
    ]
