"""Opening and closing a broker, and what calls answer then."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from stoker.broker.base import Broker
from stoker.errors import BrokerUnavailable
from stoker.job.states import State
from tests.contract.support import (
    counts,
    every,
    find,
    looked,
    many,
    new,
    put,
    some,
    soon,
    take,
    want,
)


async def test_opening_gives_the_broker_itself(broker: Broker) -> None:
    opened = await broker.open()

    assert opened is broker


async def test_opening_again_does_nothing(broker: Broker) -> None:
    await put(broker, *many(3))

    await broker.open()

    assert await counts(broker) == {State.WAITING: 3}


async def test_closing_again_does_nothing(broker: Broker) -> None:
    await broker.close()

    await soon(broker.close())


@pytest.mark.parametrize(
    "call",
    [
        lambda broker: broker.add([new()]),
        lambda broker: broker.claim(want()),
        lambda broker: broker.claim(want(), 60.0),
        lambda broker: settle_and_want(broker),
        lambda broker: broker.recover(["q"], 3),
        lambda broker: broker.find(every(State.WAITING)),
        lambda broker: broker.remove(some("a")),
        lambda broker: broker.detail("q", "a"),
        lambda broker: broker.queues(),
        lambda broker: broker.events("q", None),
    ],
    ids=[
        *("add", "claim", "waiting claim", "finish", "recover"),
        *("find", "remove", "detail", "queues", "events"),
    ],
)
async def test_a_closed_broker_is_unavailable(broker: Broker, call) -> None:
    await broker.close()

    with pytest.raises(BrokerUnavailable):
        await soon(call(broker))


async def settle_and_want(broker: Broker) -> None:
    await broker.finish([], want())


async def test_closing_ends_the_calls_that_wait(broker: Broker) -> None:
    cursor = (await broker.events("q", None)).cursor
    claim = asyncio.create_task(broker.claim(want(), 60.0))
    events = asyncio.create_task(broker.events("q", cursor, 60.0))
    await looked(broker)

    await soon(broker.close())

    ended, waiting = await asyncio.wait([claim, events], timeout=10)
    assert not waiting
    for task in ended:
        with contextlib.suppress(BrokerUnavailable):
            await task


async def test_closing_finishes_what_was_begun(broker: Broker) -> None:
    adding = [asyncio.create_task(broker.add([new()])) for _ in range(10)]
    await asyncio.sleep(0)  # no waiting: one turn of the loop, so that they have begun

    await soon(broker.close())

    answers = await asyncio.gather(*adding, return_exceptions=True)
    assert all(isinstance(answer, list | BrokerUnavailable) for answer in answers)


async def test_a_call_that_is_cancelled_harms_no_other(broker: Broker) -> None:
    await put(broker, *many(5))
    calls = [asyncio.create_task(find(broker, every(State.WAITING))) for _ in range(10)]
    calls += [asyncio.create_task(take(broker, 0)) for _ in range(10)]
    await asyncio.sleep(0)  # no waiting: one turn of the loop, so that they have begun

    for call in calls[::2]:
        call.cancel()
    await asyncio.wait(calls)

    assert all(call.cancelled() or not call.exception() for call in calls)
    assert await counts(broker) == {State.WAITING: 5}
