"""The keeper: renews what is held, says what is lost, takes back what dead workers left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import msgspec
import pytest

from stoker import BrokerUnavailable
from stoker.broker.base import Broker, Page, Select, Want
from stoker.job.model import JobRecord, Lease, lease_of
from stoker.job.states import State
from stoker.worker.keeper import Keeper
from tests.unit.support import Watched, soon
from tests.unit.worker.support import Heard, claimed, put

LONG_AGO = 0.0


class Keeping(Keeper):
    """A keeper that notes what it would tell the runner, and whose thread may linger."""

    def __init__(self, broker: Watched, **settings: Any) -> None:
        self.held: dict[Lease, float] = {}
        self.lost: asyncio.Queue[Mapping[Lease, JobRecord | None]] = asyncio.Queue()
        self.dead: asyncio.Queue[list[str]] = asyncio.Queue()
        self.linger = threading.Event()
        self.linger.set()
        usual: dict[str, Any] = {"lease_ms": 30, "recover_ms": 60_000, "max_stalls": 0}
        super().__init__(
            cast(Broker, broker),
            self.held,
            self.lost.put_nowait,
            lambda jobs: self.dead.put_nowait([job.id for job in jobs]),
            ["default"],
            **(usual | settings),
        )

    def _serve(self) -> None:
        super()._serve()
        self.linger.wait(10)


@pytest.fixture
async def keeper(watched: Watched) -> AsyncIterator[Keeping]:
    keeper = Keeping(watched)
    yield keeper
    await keeper.stop()


async def dropped(watched: Watched) -> JobRecord:
    """Return a job whose worker died and whose lease has run out."""
    await put(watched)
    [job] = await watched.broker.claim(Want({"default": 1}, 1, "w", lease_ms=-1))
    return job


async def until(watched: Watched, operation: str, count: int) -> None:
    async with asyncio.timeout(10):
        while watched.count(operation) < count:  # noqa: ASYNC110 - the calls come from a thread
            await asyncio.sleep(0)


async def test_a_lease_that_is_gone_is_told_and_the_others_are_renewed(
    keeper: Keeping, watched: Watched
) -> None:
    jobs = await claimed(watched, 2)
    keeper.held |= {lease_of(job): LONG_AGO for job in jobs}
    await watched.broker.cancel(Select("default", ids=(jobs[0].id,)), "not needed")

    keeper.start()

    [(lease, now)] = (await soon(keeper.lost.get())).items()
    assert lease == lease_of(jobs[0])
    assert now is not None
    assert now.state is State.FAILED
    assert set(watched.of("extend")[0][0]) == {lease_of(job) for job in jobs}


async def test_a_lease_that_is_new_is_not_renewed_yet(keeper: Keeping, watched: Watched) -> None:
    [job] = await claimed(watched)
    keeper.held[lease_of(job)] = float("inf")

    keeper.start()
    await until(watched, "extend", 3)

    assert {tuple(leases) for leases, _ in watched.of("extend")} == {()}


async def test_what_a_dead_worker_left_is_taken_back_and_told(
    watched: Watched, heard: Heard
) -> None:
    job = await dropped(watched)
    keeper = Keeping(watched, recover_ms=30)

    keeper.start()

    assert await soon(keeper.dead.get()) == [job.id]
    assert heard.of("jobs.recovered") == [{"queue": "default", "ids": [job.id]}]
    assert watched.count("recover") > 1
    assert {patience for _, _, patience in watched.of("recover")} == {15}
    await keeper.stop()


async def test_all_that_died_are_told_though_a_call_finds_a_few(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = watched.broker.find

    async def few(select: Select) -> Page:
        return await find(msgspec.structs.replace(select, limit=2))

    monkeypatch.setattr(watched.broker, "find", few)
    jobs = [await dropped(watched) for _ in range(5)]
    keeper = Keeping(watched, recover_ms=30)

    keeper.start()

    told: list[str] = []
    while len(told) < len(jobs):
        told += await soon(keeper.dead.get())
    assert sorted(told) == sorted(job.id for job in jobs)
    await keeper.stop()


async def test_while_leases_cannot_be_renewed_none_are_taken_back(
    keeper: Keeping, watched: Watched, heard: Heard
) -> None:
    faults = [BrokerUnavailable("away"), BrokerUnavailable("still away")]
    watched.faults["extend"] = list(faults)

    keeper.start()
    await until(watched, "recover", 1)

    order = [name for name, _ in watched.calls if name in ("extend", "recover")]
    assert order[:4] == ["extend", "extend", "extend", "recover"]
    assert heard.of("broker.failed") == [
        {"error": fault, "doing": "renew leases"} for fault in faults
    ]


async def test_what_is_no_failure_of_the_broker_ends_it_and_is_told(
    keeper: Keeping, watched: Watched
) -> None:
    watched.faults["extend"] = [ZeroDivisionError()]

    keeper.start()

    with pytest.raises(ZeroDivisionError):
        await soon(keeper.died)


async def test_one_that_has_failed_can_be_stopped_while_its_thread_is_about_to_end(
    keeper: Keeping, watched: Watched
) -> None:
    watched.faults["extend"] = [ZeroDivisionError()]
    keeper.linger.clear()
    keeper.start()
    await asyncio.wait([keeper.died])

    stopping = asyncio.create_task(keeper.stop())
    await asyncio.sleep(0)
    keeper.linger.set()

    await soon(stopping)
    assert isinstance(keeper.died.exception(), ZeroDivisionError)


async def test_one_that_was_never_started_can_be_stopped(keeper: Keeping) -> None:
    await keeper.stop()
