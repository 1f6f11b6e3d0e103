"""What is done to a queue, step by step, by either side. Each leaves a dump to compare."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.wire.eventually import eventually
from tests.wire.side import Side

Scenario = Callable[[Side], Awaitable[None]]
SCENARIOS: dict[str, Scenario] = {}
ADDED_BY_NODE: set[str] = set()
"""Those whose jobs have what only BullMQ's own producers can set."""


def scenario(function: Scenario) -> Scenario:
    SCENARIOS[function.__name__] = function
    return function


def added_by_node(function: Scenario) -> Scenario:
    ADDED_BY_NODE.add(function.__name__)
    return scenario(function)


# Adding


@scenario
async def plain_jobs(side: Side) -> None:
    for number in range(3):
        await side.add("perform", {"number": number, "text": "Ünïcode ☃ \u2028"})


@scenario
async def an_id_of_ones_own(side: Side) -> None:
    await side.add("perform", {"a": 1}, jobId="mine")
    await side.add("perform", {"a": 2}, jobId="mine")


@scenario
async def delayed(side: Side) -> None:
    await side.add("perform", delay=60_000)
    await side.add("perform", delay=30_000)
    await side.add("perform", delay=60_000, priority=5)


@scenario
async def priorities(side: Side) -> None:
    for priority in (5, 1, 5, 0, 2_097_151):
        await side.add("perform", {"p": priority}, **({"priority": priority} if priority else {}))
    await side.claim()
    await side.claim()


@scenario
async def lifo(side: Side) -> None:
    await side.add("perform", {"n": 1})
    await side.add("perform", {"n": 2}, lifo=True)
    await side.add("perform", {"n": 3}, lifo=True)
    await side.claim()


@scenario
async def deduplicated_until_finished(side: Side) -> None:
    first = await side.add("perform", {"n": 1}, deduplication={"id": "key"})
    await side.add("perform", {"n": 2}, deduplication={"id": "key"})
    await side.claim()
    await side.complete(first, "done")
    await side.add("perform", {"n": 3}, deduplication={"id": "key"})


@scenario
async def deduplicated_for_a_while(side: Side) -> None:
    first = await side.add("perform", {"n": 1}, deduplication={"id": "key", "ttl": 60_000})
    await side.claim()
    await side.complete(first)
    await side.add("perform", {"n": 2}, deduplication={"id": "key", "ttl": 60_000})


@scenario
async def options_of_retrying_and_keeping(side: Side) -> None:
    await side.add("perform", attempts=3, backoff={"type": "fixed", "delay": 5_000})
    await side.add(
        "perform", attempts=5, backoff={"type": "exponential", "delay": 2_000, "jitter": 0.5}
    )
    await side.add("perform", removeOnComplete=True, removeOnFail=7)
    await side.add("perform", removeOnComplete={"age": 60, "count": 3}, removeOnFail={"age": 60})


# Running


@scenario
async def claimed(side: Side) -> None:
    await side.add("perform")
    await side.add("perform")
    await side.claim()


@scenario
async def completed(side: Side) -> None:
    for value in (None, 0, "text", {"a": [1, 2.5, None]}, []):
        id = await side.add("perform")
        await side.claim()
        await side.complete(id, value)


@scenario
async def completed_and_not_kept(side: Side) -> None:
    for keep in (True, 1, 1):
        id = await side.add("perform", removeOnComplete=keep)
        await side.claim()
        await side.complete(id)


@scenario
async def failed(side: Side) -> None:
    id = await side.add("perform")
    await side.claim()
    await side.fail(id, "it broke")
    unlucky = await side.add("perform", attempts=3)
    await side.claim()
    await side.fail(unlucky, "no use", final=True)


@scenario
async def failed_and_not_kept(side: Side) -> None:
    for keep in (True, 1, 1):
        id = await side.add("perform", removeOnFail=keep)
        await side.claim()
        await side.fail(id, "it broke")


@scenario
async def retried_at_once(side: Side) -> None:
    id = await side.add("perform", attempts=3)
    await side.add("perform")
    await side.claim()
    await side.fail(id, "first")
    await side.claim()


@scenario
async def retried_until_there_is_no_attempt_left(side: Side) -> None:
    id = await side.add("perform", attempts=2)
    for message in ("first", "second"):
        await side.claim()
        await side.fail(id, message)


@scenario
async def retried_later(side: Side) -> None:
    for backoff in (
        20_000,
        {"type": "fixed", "delay": 30_000},
        {"type": "exponential", "delay": 40_000},
    ):
        id = await side.add("perform", attempts=3, backoff=backoff)
        await side.claim()
        await side.fail(id, "first")


@scenario
async def a_prioritized_job_is_retried(side: Side) -> None:
    id = await side.add("perform", priority=3, attempts=2)
    await side.add("perform", priority=3)
    await side.claim()
    await side.fail(id, "first")


@scenario
async def progress_logs_and_new_data(side: Side) -> None:
    id = await side.add("perform", {"old": 1})
    await side.claim()
    await side.progress(id, 42)
    await side.progress(id, {"done": 3, "of": 4})
    await side.log(id, "one")
    await side.log(id, "two")
    await side.change_data(id, {"new": 2})
    await side.complete(id)


# An operator's hand


@scenario
async def paused(side: Side) -> None:
    await side.add("perform")
    await side.pause()
    await side.add("perform")
    await side.add("perform", priority=1)
    assert await side.claim() is None


@scenario
async def paused_and_resumed(side: Side) -> None:
    await side.pause()
    await side.add("perform")
    await side.resume()
    await side.claim()


@scenario
async def promoted(side: Side) -> None:
    id = await side.add("perform", delay=60_000)
    urgent = await side.add("perform", delay=60_000, priority=2)
    await side.add("perform", delay=60_000)
    await side.promote(id)
    await side.promote(urgent)


@scenario
async def retried_by_hand(side: Side) -> None:
    id = await side.add("perform")
    await side.claim()
    await side.fail(id, "it broke")
    other = await side.add("perform")
    await side.claim()
    await side.complete(other, "done")
    await side.retry(id)
    await side.retry(other)


@scenario
async def removed(side: Side) -> None:
    waiting = await side.add("perform", {"n": 1})
    urgent = await side.add("perform", {"n": 2}, priority=1)
    later = await side.add("perform", {"n": 3}, delay=60_000)
    await side.add("perform", {"n": 4})
    single = await side.add("perform", deduplication={"id": "key"})
    for id in (waiting, urgent, later, single):
        await side.remove(id)


@scenario
async def a_finished_job_is_removed(side: Side) -> None:
    id = await side.add("perform")
    await side.claim()
    await side.log(id, "one")
    await side.complete(id)
    await side.remove(id)


@scenario
async def another_priority(side: Side) -> None:
    first = await side.add("perform")
    second = await side.add("perform", priority=4)
    third = await side.add("perform", delay=60_000)
    await side.change_priority(first, 7)
    await side.change_priority(second, 0)
    await side.change_priority(third, 2)


@scenario
async def another_delay(side: Side) -> None:
    id = await side.add("perform", delay=60_000)
    await side.change_delay(id, 120_000)


@scenario
async def a_delayed_job_falls_due(side: Side) -> None:
    await side.add("perform", delay=50)
    await side.add("perform", delay=60_000)
    id = await eventually(side.claim, "a job to fall due")
    assert id is not None
    await side.complete(id)


@scenario
async def a_worker_was_lost(side: Side) -> None:
    await side.add("perform")
    await side.add("perform")
    id = await side.claim()
    assert id is not None
    await side.lose_lease(id)
    await side.recover()
    await side.claim()
    await side.complete(id)


# What BullMQ's producers can set, and nobody else can


@added_by_node
async def a_limit_on_logs(side: Side) -> None:
    id = await side.add("perform", keepLogs=2)
    await side.claim()
    for line in ("one", "two", "three"):
        await side.log(id, line)
    await side.complete(id)


@added_by_node
async def a_limit_on_stack_traces(side: Side) -> None:
    id = await side.add("perform", attempts=4, stackTraceLimit=2)
    for message in ("first", "second", "third"):
        await side.claim()
        await side.fail(id, message)


@added_by_node
async def telemetry_is_carried(side: Side) -> None:
    id = await side.add("perform", telemetry={"metadata": '{"traceparent":"00-1-2-01"}'})
    await side.claim()
    await side.complete(id)


@added_by_node
async def debounced(side: Side) -> None:
    again = {"id": "key", "ttl": 60_000, "extend": True, "replace": True}
    await side.add("perform", {"n": 1}, delay=60_000, deduplication=again)
    await side.add("perform", {"n": 2}, delay=60_000, deduplication=again)
    await side.add("perform", {"n": 3}, delay=60_000, deduplication=again)


@added_by_node
async def the_last_one_is_kept_while_one_runs(side: Side) -> None:
    latest = {"id": "key", "keepLastIfActive": True}
    first = await side.add("perform", {"n": 1}, deduplication=latest)
    await side.claim()
    await side.add("perform", {"n": 2}, deduplication=latest)
    await side.add("perform", {"n": 3}, deduplication=latest)
    await side.complete(first)
    await side.claim()


@added_by_node
async def a_dedup_key_outlives_a_failed_attempt(side: Side) -> None:
    first = await side.add("perform", {"n": 1}, attempts=2, deduplication={"id": "key"})
    await side.claim()
    await side.fail(first, "once")
    await side.add("perform", {"n": 2}, deduplication={"id": "key"})
    await side.claim()
    await side.fail(first, "twice")
    await side.add("perform", {"n": 3}, deduplication={"id": "key"})


@added_by_node
async def unknown_options_are_carried(side: Side) -> None:
    id = await side.add("perform", attempts=2, group={"id": "tenant"}, whatever=[1, {"a": None}])
    await side.claim()
    await side.fail(id, "once")
    await side.claim()
    await side.complete(id)


@added_by_node
async def a_scheduled_job_arms_the_next(side: Side) -> None:
    await side.schedule("clock", {"every": 3_600_000}, "perform")
    id = await side.claim()
    assert id is not None
    await side.complete(id)


@added_by_node
async def a_scheduled_job_that_fails_arms_the_next_once(side: Side) -> None:
    await side.schedule("clock", {"every": 3_600_000, "limit": 5}, "perform")
    id = await side.claim()
    assert id is not None
    await side.fail(id, "it broke")


# Parents


@added_by_node
async def a_parent_waits_for_its_children(side: Side) -> None:
    await side.add_flow({"jobId": "parent"}, {"jobId": "one"}, {"jobId": "two"})
    for value in ({"a": 1}, "text"):
        id = await side.claim()
        assert id is not None
        await side.complete(id, value)
    await side.claim()


@added_by_node
async def a_parent_waits_for_a_failed_child(side: Side) -> None:
    await side.add_flow({"jobId": "parent"}, {"jobId": "one"}, {"jobId": "two"})
    await fail_one_complete_two(side)


@added_by_node
async def a_parent_fails_with_its_child(side: Side) -> None:
    await side.add_flow(
        {"jobId": "parent"}, {"jobId": "one", "failParentOnFailure": True}, {"jobId": "two"}
    )
    await fail_one_complete_two(side)


@added_by_node
async def a_failed_child_is_ignored(side: Side) -> None:
    await side.add_flow(
        {"jobId": "parent"}, {"jobId": "one", "ignoreDependencyOnFailure": True}, {"jobId": "two"}
    )
    await fail_one_complete_two(side)


@added_by_node
async def a_failed_child_is_forgotten(side: Side) -> None:
    await side.add_flow(
        {"jobId": "parent"}, {"jobId": "one", "removeDependencyOnFailure": True}, {"jobId": "two"}
    )
    await fail_one_complete_two(side)


@added_by_node
async def a_parent_goes_on_when_a_child_fails(side: Side) -> None:
    await side.add_flow(
        {"jobId": "parent"}, {"jobId": "one", "continueParentOnFailure": True}, {"jobId": "two"}
    )
    await fail_one_complete_two(side)


@added_by_node
async def a_parent_with_a_priority_and_one_with_a_delay(side: Side) -> None:
    await side.add_flow({"jobId": "urgent", "priority": 3}, {"jobId": "one"})
    await side.add_flow({"jobId": "late", "delay": 60_000}, {"jobId": "two"})
    for _ in range(2):
        id = await side.claim()
        assert id is not None
        await side.complete(id)


@added_by_node
async def a_child_is_retried_before_its_parent_fails(side: Side) -> None:
    await side.add_flow(
        {"jobId": "parent"}, {"jobId": "one", "attempts": 2, "failParentOnFailure": True}
    )
    for message in ("first", "second"):
        await side.claim()
        await side.fail("one", message)


@added_by_node
async def a_child_is_not_kept(side: Side) -> None:
    await side.add_flow({"jobId": "parent"}, {"jobId": "one", "removeOnComplete": True})
    await side.claim()
    await side.complete("one", 1)


@added_by_node
async def a_waiting_child_is_removed(side: Side) -> None:
    await side.add_flow({"jobId": "parent"}, {"jobId": "one"})
    await side.remove("one")


async def fail_one_complete_two(side: Side) -> None:
    await side.claim()
    await side.fail("one", "it broke")
    if await side.claim() == "two":
        await side.complete("two")
    await side.claim()
