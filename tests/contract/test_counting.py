"""Counting: attempts by how runs end, crashes by lost leases, and neither by interruptions."""

from __future__ import annotations

import pytest

from stoker.broker.base import Broker, Patch
from stoker.job.states import State
from tests.contract.support import (
    Clock,
    done,
    failed,
    get,
    new,
    put,
    recover_all,
    released,
    retried,
    settle,
    snoozed,
    some,
    take_one,
)


@pytest.mark.parametrize(
    ("outcome", "attempts", "crashes"),
    [
        (lambda job: done(job), 1, 0),
        (lambda job: failed(job, "error"), 1, 0),
        (lambda job: failed(job, "timeout"), 1, 0),
        (lambda job: failed(job, "unrecoverable"), 1, 0),
        (lambda job: failed(job, "cancelled"), 1, 0),
        (lambda job: failed(job, "crashed"), 0, 1),
        (lambda job: retried(job), 1, 0),
        (lambda job: retried(job, 50), 1, 0),
        (lambda job: snoozed(job), 0, 0),
        (lambda job: snoozed(job, 50), 0, 0),
        (lambda job: released(job), 0, 0),
        (lambda job: released(job, crashed=True), 0, 1),
    ],
    ids=[
        "Done",
        "Failed",
        "Failed: timeout",
        "Failed: unrecoverable",
        "Failed: cancelled",
        "Failed: crashed",
        "Retried",
        "Retried later",
        "Snoozed",
        "Snoozed for a while",
        "Released",
        "Released: crashed",
    ],
)
async def test_an_outcome_counts_what_it_says(
    broker: Broker, outcome, attempts: int, crashes: int
) -> None:
    await put(broker, new())
    job = await take_one(broker)

    await settle(broker, outcome(job))

    stored = await get(broker, job.id)
    assert (stored.attempts, stored.crashes, stored.starts) == (attempts, crashes, 1)


async def test_a_run_counts_nothing_before_it_ends(broker: Broker) -> None:
    await put(broker, new())

    job = await take_one(broker)

    assert (job.attempts, job.crashes, job.starts) == (0, 0, 1)


async def test_counts_add_up_over_the_runs(broker: Broker, clock: Clock) -> None:
    await put(broker, new(id="a"))
    await settle(broker, retried(await take_one(broker)))
    await settle(broker, snoozed(await take_one(broker)))
    await settle(broker, released(await take_one(broker)))
    await settle(broker, released(await take_one(broker), crashed=True))
    await take_one(broker, lease_ms=100)
    clock.advance(101)
    await recover_all(broker)
    await settle(broker, retried(await take_one(broker)))

    await settle(broker, done(await take_one(broker)))

    stored = await get(broker, "a")
    assert (stored.attempts, stored.crashes, stored.starts) == (3, 2, 7)


async def test_a_recovered_job_counts_a_crash_and_no_attempt(broker: Broker, clock: Clock) -> None:
    await put(broker, new(id="a"))
    await take_one(broker, lease_ms=100)

    clock.advance(101)
    await recover_all(broker)

    stored = await get(broker, "a")
    assert (stored.state, stored.attempts, stored.crashes) == (State.WAITING, 0, 1)


async def test_cancelling_a_running_job_counts_nothing(broker: Broker) -> None:
    await put(broker, new(id="a"))
    await take_one(broker)

    await broker.cancel(some("a"), "no")

    stored = await get(broker, "a")
    assert (stored.attempts, stored.crashes, stored.starts) == (0, 0, 1)


@pytest.mark.parametrize("end", [done, failed], ids=["completed", "failed"])
async def test_a_finished_job_that_is_requeued_starts_over(broker: Broker, end) -> None:
    await put(broker, new(id="a"))
    await settle(broker, retried(await take_one(broker)))
    await settle(broker, released(await take_one(broker), crashed=True))
    await settle(broker, end(await take_one(broker)))

    await broker.requeue(some("a"))

    stored = await get(broker, "a")
    assert (stored.state, stored.attempts, stored.crashes) == (State.WAITING, 0, 0)
    assert (stored.result, stored.failure, stored.finished_at) == (None, None, None)


async def test_a_delayed_job_that_is_requeued_keeps_its_history(broker: Broker) -> None:
    await put(broker, new(id="a"))
    await settle(broker, released(await take_one(broker), crashed=True))
    await broker.update("q", "a", Patch(progress="50"))
    await settle(broker, retried(await take_one(broker), 5_000))
    delayed = await get(broker, "a")

    await broker.requeue(some("a"))

    stored = await get(broker, "a")
    assert stored.state == State.WAITING
    assert (stored.attempts, stored.crashes, stored.failure) == (1, 1, delayed.failure)
    assert stored.progress == "50"


@pytest.mark.parametrize("outcome", [snoozed, released], ids=lambda make: make.__name__)
async def test_the_last_failure_stays_over_runs_that_do_not_count(broker: Broker, outcome) -> None:
    await put(broker, new(id="a"))
    await settle(broker, retried(await take_one(broker)))
    failure = (await get(broker, "a")).failure

    await settle(broker, outcome(await take_one(broker)))

    assert failure is not None
    assert (await get(broker, "a")).failure == failure
