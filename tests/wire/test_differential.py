"""The same random steps, taken by BullMQ and by Stoker, leave the same in Redis.

BullMQ goes first. Which jobs a step can be about is seen in Redis, and what was done is written
down; Stoker then does exactly that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any, NamedTuple, TypeVar

import pytest
import redis
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.servers.server import Server
from tests.wire.differences import without
from tests.wire.dump import Dump, dump
from tests.wire.peer import PeerQueue
from tests.wire.side import NodeSide, Side, StokerSide

T = TypeVar("T")

EXAMPLES = 40
SOAK_EXAMPLES = 3_000


class Step(NamedTuple):
    """A verb of a side; ``choice`` picks a job among those that it can be about."""

    verb: str
    choice: int = 0
    arguments: tuple[Any, ...] = ()


class Deed(NamedTuple):
    """A step that was taken: the verb and all of its arguments."""

    verb: str
    arguments: tuple[Any, ...]
    options: dict[str, Any] = {}  # noqa: RUF012 - is not changed


def steps() -> st.SearchStrategy[list[Step]]:
    values = st.dictionaries(st.text(max_size=3), st.none() | st.booleans() | st.integers(-9, 9))
    options = st.fixed_dictionaries(
        {},
        optional={
            "attempts": st.integers(1, 3),
            "backoff": st.sampled_from([30_000, {"type": "exponential", "delay": 60_000}]),
            "delay": st.sampled_from([60_000, 120_000]),
            "priority": st.integers(1, 3),
            "lifo": st.just(True),
            "jobId": st.sampled_from(["mine", "yours"]),
            "removeOnComplete": st.sampled_from([True, False, 1, 2, {"age": 3_600}]),
            "removeOnFail": st.sampled_from([True, False, 1, 2, {"age": 3_600, "count": 1}]),
            "deduplication": st.sampled_from(
                [{"id": "a"}, {"id": "b"}, {"id": "a", "ttl": 60_000}]
            ),
        },
    ).filter(
        # With a priority, and after a delay, BullMQ forgets about it; Stoker does not.
        lambda chosen: "lifo" not in chosen or not chosen.keys() & {"priority", "delay"}
    )
    choice = st.integers(0, 9)

    def step(verb: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
        return st.builds(Step, st.just(verb), choice, st.tuples(*arguments))

    adding = step("add", values, options)
    running = [
        step("claim"),
        step("complete", st.none() | st.integers(0, 9) | values),
        step("fail", st.sampled_from(["it broke", "no luck"])),
        step("progress", st.integers(0, 100) | values),
        step("log", st.text(max_size=5)),
        step("change_data", values),
    ]
    by_hand = [step(verb) for verb in ("promote", "retry", "remove", "pause", "resume")]
    return st.lists(
        st.one_of(adding, adding, *running, step("claim"), *by_hand), min_size=3, max_size=25
    )


ABOUT: dict[str, Sequence[str]] = {
    "complete": ["active"],
    "fail": ["active"],
    "progress": ["active"],
    "log": ["active"],
    "change_data": ["active"],
    "promote": ["delayed"],
    "retry": ["failed", "completed"],
    "remove": ["wait", "delayed", "prioritized", "failed", "completed"],
}
"""Of which states the job is that a verb is about."""


@pytest.mark.parametrize(
    "examples", [EXAMPLES, pytest.param(SOAK_EXAMPLES, marks=pytest.mark.soak)]
)
async def test_random_steps_leave_the_same(
    examples: int, theirs: PeerQueue, ours: StokerSide, server: Server
) -> None:
    loop = asyncio.get_running_loop()

    def fresh() -> redis.Redis:
        client = server.connect(decode_responses=True)
        client.flushall()
        return client

    async def bullmqs(wanted: Sequence[Step]) -> tuple[Dump, list[Deed]]:
        with fresh() as client:
            done = [deed async for deed in take(wanted, NodeSide(theirs, server), client)]
            return without(dump(client, "q")), done

    async def stokers(deeds: Sequence[Deed]) -> Dump:
        with fresh() as client:
            ours.forget()
            for deed in deeds:
                await do(ours, deed)
            return without(dump(client, "q"))

    @settings(max_examples=examples, suppress_health_check=[HealthCheck.too_slow])
    @given(wanted=steps())
    def compare(wanted: list[Step]) -> None:
        left, deeds = wait_for(loop, bullmqs(wanted))
        for deed in deeds:
            note(str(deed))
        assert wait_for(loop, stokers(deeds)) == left

    await asyncio.to_thread(compare)


async def take(wanted: Sequence[Step], side: Side, client: redis.Redis) -> AsyncIterator[Deed]:
    """Take the steps that make sense as things stand; yield each that was taken."""
    for step in wanted:
        deed = settle(step, client)
        if deed is not None:
            await do(side, deed)
            yield deed


def settle(step: Step, client: redis.Redis) -> Deed | None:
    """Choose the job; ``None`` if there is none."""
    if step.verb == "add":
        data, options = step.arguments
        return Deed("add", ("perform", data), options)
    if step.verb in ("pause", "resume"):
        # To whom has been told already, BullMQ tells it again.
        paused = client.hexists("bull:q:meta", "paused")
        return None if paused == (step.verb == "pause") else Deed(step.verb, ())
    if step.verb not in ABOUT:
        return Deed(step.verb, step.arguments)
    jobs = [id for state in ABOUT[step.verb] for id in members(client, f"bull:q:{state}")]
    return Deed(step.verb, (jobs[step.choice % len(jobs)], *step.arguments)) if jobs else None


def members(client: redis.Redis, key: str) -> Any:
    kind = client.type(key)
    return client.lrange(key, 0, -1) if kind == "list" else client.zrange(key, 0, -1)


async def do(side: Side, deed: Deed) -> None:
    await getattr(side, deed.verb)(*deed.arguments, **deed.options)
    # What ends in the same millisecond has no order.
    await asyncio.sleep(0.002)


def wait_for(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    """Run on the test's loop, from Hypothesis's thread."""
    return asyncio.run_coroutine_threadsafe(work, loop).result()
