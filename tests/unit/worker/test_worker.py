"""The worker as a whole, on a broker in memory: what it takes on, and how it ends."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from stoker import ConfigError, JobContext, Processor, Stoker, WorkerSettings
from stoker.broker.base import Want
from stoker.job.states import State
from stoker.worker import Worker
from tests.unit.support import Watched, soon, turns
from tests.unit.worker.support import Heard

BURST = WorkerSettings(burst=True)


async def counts(app: Stoker, queue: str = "default") -> dict[State, int]:
    return {state: n for state, n in (await app.queue(queue).stats()).counts.items() if n}


async def worker_of(app: Stoker, **settings: Any) -> Worker:
    return await app.worker(WorkerSettings(**settings))


def limits_of(watched: Watched) -> dict[str, int]:
    """Return what the first claim had room for, by queue."""
    want = watched.of("claim")[0][0]
    assert isinstance(want, Want)
    return dict(want.queues)


async def test_a_burst_does_all_there_is_to_do(app: Stoker, brokers: list[Watched]) -> None:
    running = most = 0

    @app.task
    async def work(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return number * 2

    jobs = await work.enqueue_many({"number": number} for number in range(100))
    await soon((await worker_of(app, burst=True, concurrency=7)).run())

    assert await asyncio.gather(*(job.wait(10) for job in jobs)) == list(range(0, 200, 2))
    assert most <= 7
    assert await counts(app) == {State.COMPLETED: 100}


async def test_jobs_that_handlers_add_belong_to_the_burst(app: Stoker) -> None:
    @app.task
    async def count_down(number: int) -> None:
        if number:
            await count_down.enqueue(number - 1)

    await count_down.enqueue(5)
    await soon((await app.worker(BURST)).run())

    assert await counts(app) == {State.COMPLETED: 6}


async def test_what_a_handler_reports_is_written_before_its_outcome(
    app: Stoker, brokers: list[Watched]
) -> None:
    @app.processor
    class Works(Processor[dict[str, Any]]):
        async def process(self, job: JobContext[dict[str, Any]]) -> None:
            job.progress(1)
            job.log("done")

    job = await Works.enqueue({})
    await soon((await app.worker(BURST)).run())

    order = [name for name, _ in brokers[0].calls if name in ("update", "finish")]
    assert order == ["update", "finish"]
    assert (await job.record()).progress == "1"
    assert [log.line for log in await job.logs()] == ["done"]


async def test_a_worker_that_is_told_to_stop_lets_running_jobs_end_and_claims_no_more(
    app: Stoker, heard: Heard
) -> None:
    begun, let_go = asyncio.Event(), asyncio.Event()

    @app.task
    async def work() -> None:
        begun.set()
        await let_go.wait()

    await work.enqueue_many([{}, {}])
    worker = await worker_of(app, concurrency=1)
    running = asyncio.create_task(worker.run())
    await soon(begun.wait())
    worker.stop()
    await turns()
    assert not running.done()
    let_go.set()
    await soon(running)

    assert await counts(app) == {State.COMPLETED: 1, State.WAITING: 1}
    life = [event for event, _ in heard if event.startswith("worker.")]
    assert life == ["worker.started", "worker.stopping", "worker.stopped"]
    assert heard.of("worker.stopping") == [{"running": 1, "settings": worker.settings}]


@pytest.mark.parametrize("how", ["told twice", "past its grace"])
async def test_a_worker_that_waits_no_longer_interrupts_and_hands_back(
    app: Stoker, how: str
) -> None:
    begun = asyncio.Event()

    @app.task
    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()

    job = await work.enqueue()
    worker = await worker_of(app, grace_ms=60_000 if how == "told twice" else 1)
    running = asyncio.create_task(worker.run())
    await soon(begun.wait())
    worker.stop()
    if how == "told twice":
        worker.stop()
    await soon(running)

    record = await job.record()
    assert (record.state, record.attempts, record.crashes) == (State.WAITING, 0, 0)


async def test_a_worker_says_whose_end_the_broker_was_not_told_of(
    app: Stoker,
    brokers: list[Watched],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("stoker.worker.worker.SETTLE_SECONDS", 0.01)
    begun, let_go = asyncio.Event(), asyncio.Event()

    @app.task
    async def work() -> None:
        begun.set()
        await let_go.wait()

    job = await work.enqueue()
    worker = await worker_of(app)
    running = asyncio.create_task(worker.run())
    await soon(begun.wait())
    brokers[0].gates["finish"] = asyncio.Event()  # it answers no more
    worker.stop()
    let_go.set()
    await soon(running)

    [warning] = [each.message for each in caplog.records if each.name == "stoker.worker"]
    assert f"what became of 1 job ({job.id} of default)" in warning
    assert "when the lease of 30s has ended" in warning


async def test_a_worker_leaves_no_task_and_no_keeper_behind(app: Stoker) -> None:
    @app.task
    async def work() -> None: ...

    await work.enqueue()
    await soon((await app.worker(BURST)).run())
    await turns()

    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not [thread for thread in threading.enumerate() if thread.name == "stoker-keeper"]


async def test_a_job_that_is_cancelled_is_interrupted_by_the_next_renewal(app: Stoker) -> None:
    begun, interrupted = asyncio.Event(), asyncio.Event()

    @app.task
    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            interrupted.set()

    job = await work.enqueue()
    worker = await worker_of(app, lease_ms=100)
    running = asyncio.create_task(worker.run())
    await soon(begun.wait())
    await job.cancel("not needed")

    await soon(interrupted.wait())
    worker.stop()
    await soon(running)
    assert await job.state() is State.FAILED


async def test_what_is_no_failure_of_the_broker_ends_the_worker(
    app: Stoker, brokers: list[Watched]
) -> None:
    @app.task
    async def work() -> None: ...

    worker = await app.worker(BURST)
    brokers[0].faults["claim"] = [ZeroDivisionError()]

    with pytest.raises(ZeroDivisionError):
        await soon(worker.run())


async def test_a_keeper_that_breaks_ends_the_worker(app: Stoker, brokers: list[Watched]) -> None:
    @app.task
    async def work() -> None: ...

    worker = await worker_of(app)
    brokers[0].faults["recover"] = [ZeroDivisionError()]

    with pytest.raises(ZeroDivisionError):
        await soon(worker.run())


# What it takes on


async def test_it_takes_every_queue_that_has_a_task_unless_it_is_told_which(app: Stoker) -> None:
    app.task(name="one", queue="a")(lambda: None)
    app.task(name="two", queue="b")(lambda: None)

    every, some = await app.worker(), await worker_of(app, queues=("b",))

    assert every.settings.queues == ("a", "b")
    assert some.settings.queues == ("b",)
    assert every.settings.name
    assert every.settings.processes >= 1


@pytest.mark.parametrize(
    ("settings", "message", "hint"),
    [
        ({"concurrency": 0}, "concurrency=0 is not 1 or more", None),
        ({"lease_ms": 99}, "lease_ms=99 is not 100 or more", None),
        ({"recover_ms": 49}, "recover_ms=49 is not 50 or more", None),
        ({"grace_ms": -1}, "grace_ms=-1 is not 0 or more", None),
        ({"queues": ("mial",)}, "no task belongs to queue 'mial'", "there is: mail"),
    ],
)
async def test_a_setting_that_cannot_work_is_refused(
    app: Stoker, settings: dict[str, Any], message: str, hint: str | None
) -> None:
    app.task(name="send", queue="mail")(lambda: None)

    with pytest.raises(ConfigError) as refusal:
        await worker_of(app, **settings)

    assert (refusal.value.message, refusal.value.hint) == (message, hint)


async def test_a_stop_does_not_wait_for_a_setup_that_hangs(app: Stoker, heard: Heard) -> None:
    begun, life = asyncio.Event(), list[str]()

    class Fine(Limited):
        queue = "fine"

        def teardown(self) -> None:
            life.append("fine torn down")

    class Hangs(Limited):
        queue = "hangs"

        async def setup(self) -> None:
            begun.set()
            await asyncio.Event().wait()

        def teardown(self) -> None:
            life.append("never set up")

    app.processor(Fine)
    app.processor(Hangs)
    worker = await worker_of(app)
    running = asyncio.create_task(worker.run())
    await soon(begun.wait())

    worker.stop()
    await soon(running)

    assert life == ["fine torn down"]
    assert heard.of("worker.started") == []


async def test_an_app_without_tasks_has_no_worker(app: Stoker) -> None:
    with pytest.raises(ConfigError, match=r"^this app has no tasks"):
        await app.worker()


def somewhere() -> None: ...


@pytest.mark.parametrize(
    ("concurrency", "tasks", "limit"),
    [
        (None, ["thread"], 10),
        (4, ["thread"], 4),
        (40, ["thread"], 10),
        (None, ["process"], 2),
        (None, ["process", "thread"], 10),
        (1, ["process"], 1),
    ],
)
async def test_no_more_is_claimed_of_a_queue_than_may_run_at_once(
    app: Stoker, brokers: list[Watched], concurrency: int | None, tasks: list[Any], limit: int
) -> None:
    for number, place in enumerate(tasks):
        app.task(name=f"task{number}", queue="q", run_in=place)(somewhere)
    if concurrency is not None:
        fields = {"queue": "q", "concurrency": concurrency, "run_in": tasks[0]}
        app.processor(type("Limited", (Limited,), fields))

    await soon((await worker_of(app, burst=True, concurrency=10, processes=2)).run())

    assert limits_of(brokers[0]) == {"q": limit}


class Limited(Processor[dict[str, Any]]):
    def process(self, job: JobContext[dict[str, Any]]) -> None: ...
