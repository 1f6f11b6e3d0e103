# pyright: strict
"""The public API as a type checker sees it; ``tests/unit/test_typing.py`` runs one over this file.

``assert_type`` says what an expression is. A line with ``# pyright: ignore[...]`` is a mistake that
the checker has to find: a comment that silences nothing is an error of its own. Nothing here runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, assert_type

from stoker import (
    Backoff,
    Cancel,
    Dedup,
    Failure,
    Filter,
    Job,
    JobContext,
    JobFailed,
    Keep,
    Processor,
    Queue,
    Retry,
    Snooze,
    State,
    Stoker,
    Task,
    current_job,
)

app = Stoker("sqlite://:memory:")
DAY = date(2026, 12, 24)

# ---- tasks --------------------------------------------------------------------------------------


@app.task
async def remind(customer: int, on: date) -> str:
    return f"{customer} {on}"


@app.task(queue="mail", attempts=5, backoff=Backoff.exponential("2s", max="10m"), timeout=None)
def send(to: list[str], subject: str, body: str = "") -> int:
    return len(to)


def one_at_a_time(product: str) -> Dedup:
    return Dedup.within("10m", f"reindex:{product}")


@app.task(dedup=one_at_a_time, run_in="process")
async def reindex(product: str) -> None: ...


@app.task
async def poll(url: str) -> str | Snooze | Retry | Cancel:
    return Snooze("30s") if url else Retry(in_=timedelta(minutes=5))


@app.task
def untyped(anything):  # pyright: ignore[reportMissingParameterType, reportUnknownParameterType]
    return anything  # pyright: ignore[reportUnknownVariableType]


async def tasks_stay_functions() -> None:
    assert_type(await remind(1, DAY), str)
    assert_type(await remind(customer=1, on=DAY), str)
    assert_type(send(["a"], "Hi"), int)
    assert_type(send(to=["a"], subject="Hi", body="…"), int)
    assert_type(await poll("x"), str | Snooze | Retry | Cancel)

    remind("1", DAY)  # pyright: ignore[reportArgumentType, reportUnusedCoroutine]
    send(["a"])  # pyright: ignore[reportCallIssue]
    send("a", "Hi")  # pyright: ignore[reportArgumentType]
    send(["a"], "Hi", cc=[])  # pyright: ignore[reportCallIssue]
    send.delay(["a"])  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


async def enqueueing_takes_what_the_function_takes() -> None:
    assert_type(await remind.enqueue(1, DAY), Job[str])
    assert_type(await remind.enqueue(1, on=DAY), Job[str])
    assert_type(await send.enqueue(["a"], "Hi", body="…"), Job[int])
    assert_type(await reindex.enqueue("x"), Job[None])
    assert_type(await poll.enqueue("x"), Job[str])
    assert_type(poll.enqueue_sync("x"), Job[str])
    assert_type(await poll.options(delay=1).enqueue_many([{"url": "x"}]), list[Job[str]])
    assert_type(await (await poll.enqueue("x")).wait(), str)
    assert_type(send.enqueue_sync(["a"], "Hi"), Job[int])
    assert_type(await send.enqueue_many([{"to": ["a"], "subject": "Hi"}]), list[Job[int]])

    await remind.enqueue("1", DAY)  # pyright: ignore[reportArgumentType]
    await remind.enqueue(1)  # pyright: ignore[reportCallIssue]
    await remind.enqueue(1, DAY, urgent=True)  # pyright: ignore[reportCallIssue]
    await send.enqueue("a", "Hi")  # pyright: ignore[reportArgumentType]
    send.enqueue_sync(["a"], 7)  # pyright: ignore[reportArgumentType]
    await send.enqueue_many([(["a"], "Hi")])  # pyright: ignore[reportArgumentType]


def accepts_any_task_of_a_result(task: Task[..., Any, str]) -> None:
    assert_type(task.enqueue_sync(1), Job[str])


def tasks_are_passed_on() -> None:
    accepts_any_task_of_a_result(remind)
    accepts_any_task_of_a_result(send)  # pyright: ignore[reportArgumentType]


async def options_keep_the_types_and_are_checked() -> None:
    urgent = remind.options(priority=0, attempts=1, keep_completed=Keep.for_("1h"), id="a")
    assert_type(await urgent.enqueue(1, DAY), Job[str])
    assert_type(await send.options(delay=1.5, lifo=True).enqueue(["a"], "Hi"), Job[int])
    send.options(delay="5m", backoff=Backoff.fixed(timedelta(seconds=1)), keep_failed=False)

    await urgent.enqueue("1", DAY)  # pyright: ignore[reportArgumentType]
    send.options(atempts=1)  # pyright: ignore[reportCallIssue]
    send.options(priority="high")  # pyright: ignore[reportArgumentType]
    send.options(run_in="thread")  # pyright: ignore[reportCallIssue]
    send.options(timeout=[1])  # pyright: ignore[reportArgumentType]
    app.task(attemps=1)  # pyright: ignore[reportCallIssue]
    app.task(run_in="gpu")  # pyright: ignore[reportArgumentType]
    app.task("send")  # pyright: ignore[reportArgumentType, reportCallIssue]


async def a_job_knows_the_type_of_its_result() -> None:
    job = await remind.enqueue(1, DAY)
    assert_type(job.id, str)
    assert_type(job.duplicate, bool)
    assert_type(await job.wait(timeout=5), str)
    assert_type(job.wait_sync(), str)
    assert_type(await job.state(), State)
    assert_type(await job.cancel("why"), bool)
    assert_type(await job.change(priority=1, delay="5m"), bool)
    assert_type((await send.enqueue(["a"], "Hi")).wait_sync(5), int)
    assert_type(app.run(job.wait()), str)
    try:
        await job.wait()
    except JobFailed as error:
        assert_type(error.failure, Failure)

    assert_type(await job.wait("5s"), str)
    await job.wait([5])  # pyright: ignore[reportArgumentType]
    await job.change(1)  # pyright: ignore[reportCallIssue]
    job.id.upper(1)  # pyright: ignore[reportCallIssue]


# ---- processors ---------------------------------------------------------------------------------


@dataclass
class Picture:
    path: str
    width: int = 200


@app.processor
class Thumbnails(Processor[Picture]):
    queue = "pictures"
    concurrency = 2
    attempts = 2
    backoff = "10ms"
    timeout = None
    keep_failed = Keep(count=10)

    async def setup(self) -> None:
        self.made = 0

    async def process(self, job: JobContext[Picture]) -> str:
        assert_type(job.data, Picture)
        assert_type(job.data.width, int)
        assert_type(job.attempt, int)
        assert_type(self.made, int)
        job.progress(0.5)
        job.log("half done")
        job.log(7)  # pyright: ignore[reportArgumentType]
        return job.data.path

    async def on_dead(self, job: JobContext[Picture], failure: Failure) -> None:
        assert_type(job.data, Picture)
        assert_type(failure.message, str)


@app.processor
class Anything(Processor[dict[str, Any]]):
    def process(self, job: JobContext[dict[str, Any]]) -> None:
        assert_type(job.data, dict[str, Any])


@app.processor
class WrongData(Processor[Picture]):
    queue = 7  # pyright: ignore[reportAssignmentType]

    def process(self, job: JobContext[str]) -> None: ...  # pyright: ignore[reportIncompatibleMethodOverride]


async def a_processor_takes_its_payload() -> None:
    assert_type(Thumbnails, type[Thumbnails])
    assert_type(await Thumbnails.enqueue(Picture("a.png")), Job[Any])
    assert_type(Thumbnails.enqueue_sync(Picture("a.png")), Job[Any])
    assert_type(await Thumbnails.enqueue_many([Picture("a.png")]), list[Job[Any]])
    assert_type(await Thumbnails.options(delay="5m").enqueue(Picture("a.png")), Job[Any])
    assert_type(await Anything.enqueue({"a": 1}), Job[Any])

    await Thumbnails.enqueue("a.png")  # pyright: ignore[reportArgumentType]
    await Thumbnails.enqueue({"path": "a.png"})  # pyright: ignore[reportArgumentType]
    await Thumbnails.enqueue(Picture("a.png"), width=3)  # pyright: ignore[reportCallIssue]
    await Thumbnails.enqueue_many(["a.png"])  # pyright: ignore[reportArgumentType]
    Thumbnails.options(prio=1)  # pyright: ignore[reportCallIssue]
    await Thumbnails.options(delay=1).enqueue("a.png")  # pyright: ignore[reportArgumentType]
    app.processor(Picture)  # pyright: ignore[reportArgumentType]


# ---- queues, jobs by name, and what runs ---------------------------------------------------------


async def a_queue_is_looked_after() -> None:
    queue = app.queue("pictures")
    assert_type(queue, Queue)
    assert_type(await queue.add("resize", {"path": "a.png"}, delay="5m"), Job[Any])
    assert_type(queue.job("7"), Job[Any])
    page = await queue.find(Filter(state=State.FAILED, text="not a picture"), newest_first=True)
    assert_type([record.id for record in page.jobs], list[str])
    assert_type(await queue.requeue(Filter(state=State.FAILED)), int)
    assert_type(await queue.remove(["7", "8"], force=True), int)
    assert_type((await queue.stats()).paused, bool)

    await queue.add("resize", ["a.png"])  # pyright: ignore[reportArgumentType]
    await queue.add("resize", atempts=1)  # pyright: ignore[reportCallIssue]
    await queue.find(Filter(text="x"))  # pyright: ignore[reportCallIssue]
    await queue.find(Filter(state="failed"))  # pyright: ignore[reportArgumentType]
    await queue.requeue(State.FAILED, limit=1)  # pyright: ignore[reportCallIssue]


def what_a_handler_knows() -> None:
    job = current_job()
    assert_type(job, JobContext[Any])
    assert_type(job.cancelled, bool)
    job.id = "7"  # pyright: ignore[reportAttributeAccessIssue]


def values() -> None:
    Backoff.fixed("2s", jitter=0.5)
    Backoff.exponential(1, max=timedelta(hours=1))
    Keep(count=10)
    Dedup("key")
    Snooze(30)
    Retry()
    Retry("5m", "why")
    Cancel("why")

    Backoff(7)  # pyright: ignore[reportArgumentType]
    Backoff.fixed([2])  # pyright: ignore[reportArgumentType]
    Keep("7d")  # pyright: ignore[reportArgumentType]
    Snooze()  # pyright: ignore[reportCallIssue]
    Failure("bad luck", "")  # pyright: ignore[reportArgumentType]
    Stoker(7)  # pyright: ignore[reportArgumentType]
