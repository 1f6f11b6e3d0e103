"""Waiting for a job's end: one reader wakes many, and whoever gives up leaves nothing behind."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from stoker import BrokerError, ConfigError, JobFailed, JobNotFound, JobTimeout, Stoker
from stoker.broker.base import Broker, Want
from stoker.config import WorkerSettings
from stoker.failure import Failure
from stoker.job.model import lease_of
from stoker.job.outcome import Done, Failed
from stoker.queue import Job
from tests.unit.support import Watched, soon, turns

pytestmark = pytest.mark.usefixtures("brokers")


async def a_job(app: Stoker) -> Job[object]:
    return await app.queue("q").add("x")


async def complete(broker: Broker, count: int = 1) -> None:
    jobs = await broker.claim(Want({"q": count}, count, "w"))
    await broker.finish([Done(lease_of(job), f'"result of {job.id}"') for job in jobs])


async def reading(broker: Watched) -> None:
    """Wait until a reader follows the events."""
    async with asyncio.timeout(10):
        while not readers(broker):  # noqa: ASYNC110 - each turn lets the others go on
            await asyncio.sleep(0)
    await turns()


def readers(broker: Watched) -> int:
    """Return how often somebody has begun to wait for events."""
    return sum(after is not None for _, after, *_ in broker.of("events"))


async def nothing_else_runs() -> bool:
    await turns()
    return asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_job_that_has_ended_is_not_waited_for(app: Stoker) -> None:
    job = await a_job(app)
    await complete(await app.client.broker())

    assert await job.wait(timeout=10) == "result of 1"


async def test_a_wait_takes_a_duration_as_people_write_it(app: Stoker) -> None:
    job = await a_job(app)
    await complete(await app.client.broker())

    assert await job.wait(timeout="5s") == "result of 1"
    assert await job.wait(timedelta(minutes=1)) == "result of 1"


@pytest.mark.parametrize("timeout", [-1, True, "soon"])
async def test_a_wait_for_no_duration_is_refused(app: Stoker, timeout: float | str) -> None:
    with pytest.raises(ConfigError, match=f"^timeout={timeout!r} is"):
        await app.queue("q").job("1").wait(timeout)


async def test_the_end_of_a_job_wakes_who_waits_without_asking_meanwhile(
    app: Stoker, brokers: list[Watched]
) -> None:
    job = await a_job(app)
    waiting = asyncio.create_task(job.wait())
    await reading(brokers[0])

    await complete(brokers[0].broker)

    assert await soon(waiting) == "result of 1"
    assert brokers[0].count("detail") == 2
    assert await nothing_else_runs()


async def test_many_who_wait_have_one_reader(app: Stoker, brokers: list[Watched]) -> None:
    jobs = [await a_job(app) for _ in range(10)]
    waiting = [asyncio.create_task(job.wait()) for job in jobs * 5]
    await reading(brokers[0])

    begun = readers(brokers[0])
    await complete(brokers[0].broker, 10)

    assert begun == 1
    assert await soon(asyncio.gather(*waiting)) == [f"result of {job.id}" for job in jobs] * 5
    assert await nothing_else_runs()


async def test_each_queue_has_a_reader_of_its_own(app: Stoker, brokers: list[Watched]) -> None:
    jobs = [await app.queue(name).add("x") for name in ("a", "b")]
    waiting = [asyncio.create_task(job.wait()) for job in jobs]
    await reading(brokers[0])

    for name in ("a", "b"):
        [record] = await brokers[0].broker.claim(Want({name: 1}, 1, "w"))
        await brokers[0].broker.finish([Done(lease_of(record), f'"{name}"')])

    assert await soon(asyncio.gather(*waiting)) == ["a", "b"]


async def test_the_waiting_has_an_end_if_one_is_given(app: Stoker) -> None:
    job = await a_job(app)

    with pytest.raises(JobTimeout) as error:
        await job.wait(timeout=0.01)

    assert isinstance(error.value, TimeoutError)
    assert error.value.message == "job 1 of queue 'q' did not end in 10ms"
    assert error.value.hint == "it goes on, if a worker takes its queue; wait again, or cancel it"
    assert await nothing_else_runs()


async def test_who_has_waited_too_long_may_wait_again(app: Stoker, brokers: list[Watched]) -> None:
    job = await a_job(app)
    with pytest.raises(JobTimeout):
        await job.wait(timeout=0)

    waiting = asyncio.create_task(job.wait())
    await reading(brokers[0])
    await complete(brokers[0].broker)

    assert await soon(waiting) == "result of 1"


async def test_a_job_that_never_was_is_not_found(app: Stoker) -> None:
    with pytest.raises(JobNotFound, match=r"^there is no job nope in queue 'q'"):
        await app.queue("q").job("nope").wait()

    assert await nothing_else_runs()


async def test_a_job_that_is_removed_meanwhile_is_not_found(
    app: Stoker, brokers: list[Watched]
) -> None:
    job = await a_job(app)
    waiting = asyncio.create_task(job.wait())
    await reading(brokers[0])

    await job.remove()

    with pytest.raises(JobNotFound):
        await soon(waiting)


async def test_a_job_that_failed_raises_with_its_failure(
    app: Stoker, brokers: list[Watched]
) -> None:
    job = await a_job(app)
    waiting = asyncio.create_task(job.wait())
    await reading(brokers[0])

    [record] = await brokers[0].broker.claim(Want({"q": 1}, 1, "w"))
    await brokers[0].broker.finish([Failed(lease_of(record), Failure("timeout", "too long"))])

    with pytest.raises(JobFailed) as error:
        await soon(waiting)
    assert (error.value.queue, error.value.id) == ("q", "1")
    assert error.value.failure == Failure("timeout", "too long")
    assert str(error.value) == "job 1 of queue 'q' failed: [timeout] too long"


async def test_a_job_that_is_cancelled_raises_at_once(app: Stoker, brokers: list[Watched]) -> None:
    job = await a_job(app)
    waiting = asyncio.create_task(job.wait())
    await reading(brokers[0])

    await job.cancel("not needed")

    with pytest.raises(JobFailed, match=r"\[cancelled\] not needed$"):
        await soon(waiting)


async def test_a_result_has_the_type_that_its_task_says(app: Stoker) -> None:
    @app.task
    async def tomorrow(today: date) -> date:
        return date.fromordinal(today.toordinal() + 1)

    job = await tomorrow.enqueue(date(2026, 12, 31))
    await (await app.worker(WorkerSettings(burst=True))).run()

    assert await job.wait(timeout=10) == date(2027, 1, 1)
    assert await app.queue().job(job.id).wait(timeout=10) == "2027-01-01"


@pytest.mark.parametrize("held", ["events", "detail", None])
async def test_who_gives_up_leaves_nothing_behind(
    app: Stoker, brokers: list[Watched], held: str | None
) -> None:
    job = await a_job(app)
    gate = asyncio.Event()
    if held is not None:
        brokers[0].gates[held] = gate
    waiting = asyncio.create_task(job.wait())
    await (turns() if held else reading(brokers[0]))

    waiting.cancel()
    await asyncio.wait([waiting])
    gate.set()

    with pytest.raises(JobNotFound):
        await soon(app.queue("q").job("another").wait())
    assert await nothing_else_runs()


async def test_who_gives_up_disturbs_no_other(app: Stoker, brokers: list[Watched]) -> None:
    job = await a_job(app)
    waiting = [asyncio.create_task(job.wait()) for _ in range(3)]
    await reading(brokers[0])

    waiting[0].cancel()
    await complete(brokers[0].broker)

    results = await soon(asyncio.gather(*waiting, return_exceptions=True))
    assert results[1:] == ["result of 1"] * 2
    assert isinstance(results[0], asyncio.CancelledError)


async def test_when_the_broker_goes_all_who_wait_are_told(
    app: Stoker, brokers: list[Watched]
) -> None:
    job = await a_job(app)
    waiting = [asyncio.create_task(job.wait()) for _ in range(3)]
    await reading(brokers[0])

    await app.close()

    results = await soon(asyncio.gather(*waiting, return_exceptions=True))
    assert [isinstance(result, BrokerError) for result in results] == [True] * 3


async def test_a_failure_of_the_broker_is_not_for_ever(app: Stoker, brokers: list[Watched]) -> None:
    job = await a_job(app)
    brokers[0].faults["events"] = [BrokerError("once")]

    with pytest.raises(BrokerError, match="once"):
        await soon(job.wait())
    await complete(brokers[0].broker)

    assert await soon(job.wait()) == "result of 1"
    assert await nothing_else_runs()
