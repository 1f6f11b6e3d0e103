"""What handlers report on the way: gathered, in order, and written before the lease ends."""

from __future__ import annotations

import asyncio
import threading
from typing import cast

import pytest

from stoker import BrokerUnavailable
from stoker.broker.base import Broker, Detail
from stoker.job.model import JobRecord, lease_of
from stoker.worker.reporter import Reporter
from tests.unit.support import Watched
from tests.unit.worker.support import Heard, claimed, done


@pytest.fixture
async def job(watched: Watched) -> JobRecord:
    [job] = await claimed(watched)
    return job


@pytest.fixture
async def reporter(watched: Watched) -> Reporter:
    return Reporter(cast(Broker, watched))


async def stored(watched: Watched, job: JobRecord) -> Detail:
    detail = await watched.broker.detail(job.queue, job.id)
    assert detail is not None
    return detail


async def lines(watched: Watched, job: JobRecord) -> list[str]:
    return [log.line for log in (await stored(watched, job)).logs]


async def test_all_that_was_reported_is_one_call_with_the_latest_progress(
    reporter: Reporter, watched: Watched, job: JobRecord
) -> None:
    for number in range(5):
        reporter.progress(job, str(number))
        reporter.log(job, f"line {number}")

    await reporter.flush(lease_of(job))

    assert watched.count("update") == 1
    assert (await stored(watched, job)).job.progress == "4"
    assert await lines(watched, job) == [f"line {number}" for number in range(5)]


async def test_lines_stay_in_order_over_many_calls(
    reporter: Reporter, watched: Watched, job: JobRecord
) -> None:
    for number in range(10):
        reporter.log(job, f"line {number}")
        await reporter.flush(lease_of(job))

    assert await lines(watched, job) == [f"line {number}" for number in range(10)]


async def test_a_line_leaves_the_progress_as_it_is(
    reporter: Reporter, watched: Watched, job: JobRecord
) -> None:
    reporter.progress(job, "0.5")
    await reporter.flush(lease_of(job))
    reporter.log(job, "half done")
    await reporter.flush(lease_of(job))

    assert (await stored(watched, job)).job.progress == "0.5"


async def test_where_nothing_was_reported_nothing_is_written(
    reporter: Reporter, watched: Watched, job: JobRecord
) -> None:
    assert not reporter.has(lease_of(job))
    await reporter.flush(lease_of(job))

    reporter.log(job, "x")
    assert reporter.has(lease_of(job))
    await reporter.flush(lease_of(job))
    await reporter.flush(lease_of(job))

    assert not reporter.has(lease_of(job))
    assert watched.count("update") == 1


async def test_a_flood_of_lines_is_cut_and_says_so(
    reporter: Reporter, watched: Watched, job: JobRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stoker.worker.reporter.MOST_LINES", 2)

    for number in range(5):
        reporter.log(job, f"line {number}")
    await reporter.flush(lease_of(job))
    reporter.log(job, "later")
    await reporter.flush(lease_of(job))

    assert await lines(watched, job) == [
        "line 0",
        "line 1",
        "(3 lines were dropped: too many at once)",
        "later",
    ]


async def test_a_report_under_a_lease_that_is_gone_changes_nothing(
    reporter: Reporter, watched: Watched, job: JobRecord
) -> None:
    await watched.broker.finish([done(job)])

    reporter.progress(job, "1")
    reporter.log(job, "too late")
    await reporter.flush(lease_of(job))

    assert (await stored(watched, job)).job.progress is None
    assert await lines(watched, job) == []


async def test_a_report_that_cannot_be_written_is_dropped_and_told(
    reporter: Reporter, watched: Watched, job: JobRecord, heard: Heard
) -> None:
    fault = BrokerUnavailable("away")
    watched.faults["update"] = [fault]

    reporter.log(job, "lost")
    await reporter.flush(lease_of(job))
    reporter.log(job, "kept")
    await reporter.flush(lease_of(job))

    assert heard.of("broker.failed") == [{"error": fault, "doing": "report"}]
    assert await lines(watched, job) == ["kept"]


async def test_reports_from_any_thread_are_written_while_the_jobs_run(
    reporter: Reporter, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stoker.worker.reporter.EVERY_SECONDS", 0)
    jobs = await claimed(watched, 4)

    def work(job: JobRecord) -> None:
        for number in range(50):
            reporter.log(job, f"line {number}")
            reporter.progress(job, str(number))

    writing = asyncio.create_task(reporter.run())
    threads = [threading.Thread(target=work, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    async with asyncio.timeout(10):
        for job in jobs:
            while (await stored(watched, job)).job.progress != "49":
                pass
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)

    for job in jobs:
        assert await lines(watched, job) == [f"line {number}" for number in range(50)]
