"""The line to the broker: opened once a process, shared by loops and threads, gathering adds."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from stoker import BrokerFull, BrokerUnavailable, Stoker
from stoker.adder import ADD_BYTES, ADD_JOBS
from stoker.broker import Broker
from stoker.broker.base import Added
from stoker.client import Client
from stoker.config import BrokerURL
from stoker.errors import LoopRunning
from stoker.job.model import NewJob
from stoker.portal import Portal
from tests.unit.support import Watched, soon, turns


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client(BrokerURL.parse("sqlite://:memory:"))
    yield client
    await client.close()


@pytest.fixture
def client_alone() -> Iterator[Client]:
    """A client for a test without a loop of its own."""
    client = Client(BrokerURL.parse("sqlite://:memory:"))
    yield client
    client.run(client.close())


def job(number: int = 0, size: int = 0) -> NewJob:
    return NewJob("q", str(number), '"' + "x" * size + '"')


# One broker


async def test_nothing_is_opened_before_it_is_needed(
    client: Client, brokers: list[Watched]
) -> None:
    assert brokers == []

    assert await client.broker() is brokers[0]
    assert await client.broker() is brokers[0]
    assert brokers[0].count("open") == 1


async def test_many_loops_and_threads_share_one_broker(
    client: Client, brokers: list[Watched]
) -> None:
    together = threading.Barrier(4)
    found: list[Broker] = []

    def in_a_loop_of_its_own() -> None:
        together.wait()
        found.append(asyncio.run(client.broker()))

    def through_the_portal() -> None:
        together.wait()
        found.append(client.run(client.broker()))

    work = [in_a_loop_of_its_own] * 2 + [through_the_portal] * 2
    await soon(asyncio.gather(*(asyncio.to_thread(one) for one in work)))

    assert len(found) == 4
    assert len(brokers) == 1
    assert brokers[0].count("open") == 1
    assert all(broker is brokers[0] for broker in found)


async def test_an_open_that_fails_fails_for_all_who_wait_and_is_tried_again_by_the_next(
    client: Client, brokers: list[Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = BrokerUnavailable("locked")
    monkeypatch.setattr(Watched, "open", raising(fault))
    failed = await asyncio.gather(*[client.broker() for _ in range(3)], return_exceptions=True)
    monkeypatch.undo()

    assert failed == [fault] * 3
    assert len(brokers) == 1
    assert await client.broker() is not brokers[0]


@pytest.mark.parametrize("cancelled", [0, 1])
async def test_who_gives_up_while_the_broker_opens_takes_it_from_nobody(
    client: Client, brokers: list[Watched], cancelled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = held_open(monkeypatch)
    callers = [asyncio.create_task(client.broker()) for _ in range(3)]
    await turns()

    callers[cancelled].cancel()
    await turns()
    gate.set()

    results = await soon(asyncio.gather(*callers, return_exceptions=True))
    assert isinstance(results.pop(cancelled), asyncio.CancelledError)
    assert results == [brokers[0]] * 2
    assert await client.broker() is brokers[0]


async def test_when_the_loop_that_opens_ends_another_takes_over(
    client: Client, brokers: list[Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    opening, gate = threading.Event(), held_open(monkeypatch)

    async def ends_early() -> None:
        asyncio.get_running_loop().call_later(0, opening.set)
        asyncio.ensure_future(client.broker())  # noqa: RUF006 - cancelled with its loop
        await turns()

    async def waits() -> Broker:
        return await client.broker()

    await asyncio.to_thread(asyncio.run, ends_early())
    assert opening.is_set()
    gate.set()

    assert await soon(waits()) is brokers[1]


@pytest.mark.parametrize("then", ["close", "use"])
def test_a_loop_that_was_closed_while_it_opened_holds_up_nobody(
    client_alone: Client, brokers: list[Watched], monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    gate = held_open(monkeypatch)
    loop = asyncio.new_event_loop()
    opening = loop.create_task(client_alone.broker())
    loop.run_until_complete(turns())
    assert not opening.done()
    loop.close()  # without a word to its tasks, as who writes loops by hand may do

    gate.set()
    if then == "close":
        asyncio.run(soon(client_alone.close()))
    assert client_alone.run(soon(client_alone.broker())) is brokers[-1]


async def test_after_a_close_the_next_use_opens_it_again(tmp_path: Path) -> None:
    async with Stoker(f"sqlite:///{tmp_path}/jobs.db") as app:
        job = await app.queue("q").add("x")
        await app.queue("q").cancel([job.id])
        with pytest.raises(Exception, match="cancelled"):
            await job.wait(10)

        await app.close()

        assert (await app.queue("q").add("x")).id == "2"
        with pytest.raises(Exception, match="cancelled"):
            await job.wait(10)


async def test_what_is_still_being_opened_when_it_is_closed_is_closed_too(
    client: Client, brokers: list[Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = held_open(monkeypatch)
    caller = asyncio.create_task(client.broker())
    await turns()
    closing = asyncio.create_task(client.close())
    await turns()
    assert not closing.done()

    gate.set()
    await soon(closing)

    assert brokers[0].count("close") == 1
    with pytest.raises(BrokerUnavailable, match="the app was closed meanwhile"):
        await soon(caller)
    assert await client.broker() is brokers[1]


async def test_an_open_that_fails_says_who_named_the_place(tmp_path: Path) -> None:
    client = Client(BrokerURL.parse(f"sqlite:///{tmp_path}/none/jobs.db", "STOKER_URL"))

    with pytest.raises(BrokerUnavailable, match="the place is from STOKER_URL"):
        await client.broker()


async def test_a_close_may_be_asked_for_from_synchronous_code_and_twice(
    client: Client, brokers: list[Watched]
) -> None:
    def synchronously() -> None:
        client.run(client.broker())
        client.run(client.close())
        client.run(client.close())

    await soon(asyncio.to_thread(synchronously))

    assert brokers[0].count("close") == 1


async def test_a_synchronous_call_in_an_event_loop_is_refused(
    client: Client, brokers: list[Watched]
) -> None:
    with pytest.raises(LoopRunning, match="await the method without _sync"):
        client.run(client.broker())

    assert brokers == []


def test_also_in_the_loop_that_serves_synchronous_code(client_alone: Client) -> None:
    async def nested() -> None:
        client_alone.run(client_alone.broker())

    with pytest.raises(LoopRunning):
        client_alone.run(nested())


async def test_who_calls_synchronously_while_it_closes_is_told() -> None:
    async def nothing() -> None: ...

    async def forever() -> None:
        await asyncio.Event().wait()

    portal = Portal()
    portal.stop()
    portal.run(nothing())  # behind the look at what runs there

    for _ in range(2):  # before its end and, most likely, after it
        with pytest.raises(BrokerUnavailable, match="the app was closed meanwhile"):
            await soon(asyncio.to_thread(portal.run, forever()))


async def test_who_waits_synchronously_is_told_of_a_close(client: Client) -> None:
    begun = threading.Event()

    async def forever() -> None:
        begun.set()
        await asyncio.Event().wait()

    waiting = asyncio.create_task(asyncio.to_thread(client.run, forever()))
    assert await asyncio.to_thread(begun.wait, 10)
    await client.close()

    with pytest.raises(BrokerUnavailable, match="the app was closed meanwhile"):
        await soon(waiting)


# Gathering

CROWD = 2
"""Calls of the broker that ``crowded`` makes."""


async def crowded(client: Client) -> None:
    """Add jobs at once, so that the next ones are gathered: the first goes alone, two share."""
    await asyncio.gather(*(client.add(job()) for _ in range(3)))


async def test_what_is_added_in_one_turn_of_the_loop_is_one_call(
    client: Client, brokers: list[Watched]
) -> None:
    await crowded(client)

    answers = await asyncio.gather(*(client.add(job(number)) for number in range(100)))

    [(jobs,)] = brokers[0].of("add")[CROWD:]
    assert [one.name for one in jobs] == [str(number) for number in range(100)]
    assert [int(answer.id) for answer in answers] == list(range(4, 104))


async def test_who_adds_alone_does_not_wait_for_a_turn_of_the_loop(
    client: Client, brokers: list[Watched]
) -> None:
    await client.broker()
    gate = brokers[0].gates["add"] = asyncio.Event()
    adding = [asyncio.ensure_future(client.add(job(number))) for number in range(3)]

    await asyncio.sleep(0)  # in which each of them begins

    assert [len(jobs) for (jobs,) in brokers[0].of("add")] == [1]
    gate.set()
    await asyncio.gather(*adding)
    assert [len(jobs) for (jobs,) in brokers[0].of("add")] == [1, 2]


async def test_who_adds_alone_does_not_go_past_what_was_gathered_before(
    client: Client, brokers: list[Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def add(jobs: Sequence[NewJob]) -> list[Added]:
        return [Added(one.name) for one in jobs]

    async def one_after_the_other() -> None:
        await client.add(job(1))
        await client.add(job(3))

    await client.broker()
    monkeypatch.setattr(brokers[0].broker, "add", add)
    gate = brokers[0].gates["add"] = asyncio.Event()
    alone = asyncio.ensure_future(one_after_the_other())
    await turns()
    gathered = asyncio.ensure_future(client.add(job(2)))
    await asyncio.sleep(0)  # it is in line
    gate.set()

    await asyncio.gather(alone, gathered)
    assert [one.name for (jobs,) in brokers[0].of("add") for one in jobs] == ["1", "2", "3"]


async def test_a_crowd_that_has_gone_is_forgotten(client: Client, brokers: list[Watched]) -> None:
    await crowded(client)

    for number in range(3):
        await client.add(job(number))
    crowd = [client.add(job(number)) for number in range(10)]

    await asyncio.gather(*crowd)
    assert [len(jobs) for (jobs,) in brokers[0].of("add")[CROWD:]] == [1, 1, 1, 1, 9]


async def test_what_is_added_one_after_the_other_waits_for_nobody(
    client: Client, brokers: list[Watched]
) -> None:
    for number in range(3):
        await client.add(job(number))

    assert [len(jobs) for (jobs,) in brokers[0].of("add")] == [1, 1, 1]


@pytest.mark.parametrize(
    ("sizes", "calls"),
    [
        ([0] * (ADD_JOBS + 1), [ADD_JOBS, 1]),
        ([0] * ADD_JOBS * 2, [ADD_JOBS, ADD_JOBS]),
        ([ADD_BYTES // 2 - 2] * 3, [2, 1]),
        ([ADD_BYTES, ADD_BYTES, 1], [1, 1, 1]),
        ([1, ADD_BYTES * 2, 1], [1, 1, 1]),
    ],
    ids=["jobs", "jobs twice", "bytes", "one is full", "one is above"],
)
@pytest.mark.parametrize("at_once", [True, False])
async def test_no_call_holds_more_than_a_transaction_should(
    client: Client, brokers: list[Watched], sizes: list[int], calls: list[int], at_once: bool
) -> None:
    jobs = [job(number, size) for number, size in enumerate(sizes)]
    await crowded(client)

    if at_once:
        answers = await client.add_many(jobs)
    else:
        answers = await asyncio.gather(*map(client.add, jobs))

    chunks = [chunk for (chunk,) in brokers[0].of("add")[CROWD:]]
    assert [len(chunk) for chunk in chunks] == calls
    assert [one for chunk in chunks for one in chunk] == jobs
    assert [int(answer.id) for answer in answers] == list(range(4, 4 + len(jobs)))


async def test_an_error_reaches_everyone_who_shared_the_call_and_nobody_else(
    client: Client, brokers: list[Watched]
) -> None:
    await crowded(client)
    fault = BrokerFull("no space")
    brokers[0].faults["add"] = [fault]

    shared = await asyncio.gather(*(client.add(job()) for _ in range(3)), return_exceptions=True)

    assert shared == [fault] * 3
    assert (await client.add(job())).id == "4"


async def test_one_job_that_cannot_be_stored_keeps_no_other_from_it(
    client: Client, brokers: list[Watched]
) -> None:
    await crowded(client)
    fault = ValueError("half a surrogate pair")
    brokers[0].faults["add"] = [fault, fault]  # of all three at once, then of the first alone

    shared = await asyncio.gather(*(client.add(job(n)) for n in range(3)), return_exceptions=True)

    assert shared == [fault, Added("4"), Added("5")]


async def test_an_open_that_fails_reaches_everyone_who_adds(
    client: Client, monkeypatch: pytest.MonkeyPatch, brokers: list[Watched]
) -> None:
    fault = BrokerUnavailable("locked")
    monkeypatch.setattr(Watched, "open", raising(fault))

    shared = await asyncio.gather(*(client.add(job()) for _ in range(3)), return_exceptions=True)

    assert shared == [fault] * 3


async def test_who_gives_up_an_add_takes_it_from_nobody(
    client: Client, brokers: list[Watched]
) -> None:
    await client.broker()
    gate = brokers[0].gates["add"] = asyncio.Event()
    adding = [asyncio.ensure_future(client.add(job(number))) for number in range(3)]
    await turns()

    adding[1].cancel()
    await turns()
    gate.set()

    one, other, last = await soon(asyncio.gather(*adding, return_exceptions=True))
    assert (one.id, last.id) == ("1", "3")
    assert isinstance(other, asyncio.CancelledError)


async def test_an_add_whose_task_was_cancelled_at_once_is_in_nobodys_way(client: Client) -> None:
    await client.add(NewJob("q", "t"))
    adding = asyncio.ensure_future(client.add(NewJob("q", "t")))
    while len(others := asyncio.all_tasks() - {asyncio.current_task()}) < 2 and not adding.done():  # noqa: ASYNC110
        await asyncio.sleep(0)
    for task in others:  # as a shutdown does it
        task.cancel()
    await asyncio.wait([adding])

    assert await soon(client.add(NewJob("q", "t")))


async def test_loops_add_side_by_side(client: Client, brokers: list[Watched]) -> None:
    async def adds() -> list[Any]:
        return await asyncio.gather(*(client.add(job(number)) for number in range(10)))

    batches = await soon(
        asyncio.gather(*(asyncio.to_thread(lambda: asyncio.run(adds())) for _ in range(4)))
    )

    ids = {answer.id for batch in batches for answer in batch}
    assert ids == {str(number) for number in range(1, 41)}
    assert sorted(len(jobs) for (jobs,) in brokers[0].of("add")) == [1] * 4 + [9] * 4


# After a fork


def test_a_child_of_a_fork_opens_a_broker_of_its_own(tmp_path: Path) -> None:
    script = f"""
        import os
        from stoker import Stoker

        app = Stoker("sqlite:///{tmp_path}/jobs.db")

        @app.task
        def work(by: str) -> None: ...

        work.enqueue_sync("parent")
        before = app.run(app.client.broker())
        child = os.fork()
        work.enqueue_sync("child" if child == 0 else "parent")
        if child == 0:
            os._exit(app.run(app.client.broker()) is before)
        assert os.waitpid(child, 0)[1] == 0
        assert app.run(app.client.broker()) is before
        print(sorted(app.run(app.queue().stats()).counts.items()))
    """

    result = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", dedent(script)],
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert result.stderr == ""
    assert result.stdout == "[(<State.WAITING: 'waiting'>, 3)]\n"


def raising(error: Exception) -> Any:
    async def fail(broker: Watched) -> None:
        await turns()
        raise error

    return fail


def held_open(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let no broker be open before the event is set."""
    gate = threading.Event()
    real = Watched.open

    async def wait(broker: Watched) -> Watched:
        while not gate.is_set():  # noqa: ASYNC110 - of several loops
            await asyncio.sleep(0)
        return await real(broker)

    monkeypatch.setattr(Watched, "open", wait)
    return gate
