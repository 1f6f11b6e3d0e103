"""The file is deleted, moved or replaced while in use: what is acknowledged can be found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from stoker.broker import Broker, make_broker
from stoker.broker.base import Want
from stoker.config import BrokerURL
from stoker.errors import BrokerCorrupt, BrokerUnavailable
from stoker.job.model import NewJob, lease_of
from stoker.job.outcome import Done
from stoker.job.states import State
from tests.system.arena import Arena

pytestmark = pytest.mark.system

WAIT = 10.0
SUFFIXES = ("", "-wal", "-shm")
JOB = NewJob("q", "task")

Call = Callable[[Broker], Awaitable[object]]
CALLS: dict[str, Call] = {
    "add": lambda broker: broker.add([JOB]),
    "claim": lambda broker: broker.claim(Want({"q": 1}, 1, "w")),
    "a claim that waits": lambda broker: broker.claim(Want({"other": 1}, 1, "w"), WAIT),
    "queues": lambda broker: broker.queues(),
}


@pytest.fixture
async def broker(arena: Arena) -> AsyncIterator[Broker]:
    broker = await opened(arena)
    yield broker
    await broker.close()


async def opened(arena: Arena) -> Broker:
    return await make_broker(str(BrokerURL.of_file(arena.database))).open()


def files(arena: Arena) -> list[Path]:
    return [Path(f"{arena.database}{suffix}") for suffix in SUFFIXES]


def move(arena: Arena, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for file in files(arena):
        file.rename(folder / file.name)


async def waiting(broker: Broker) -> int:
    [stats] = await broker.queues(["q"])
    return stats.counts.get(State.WAITING, 0)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_once_it_is_deleted_each_call_says_so(
    arena: Arena, broker: Broker, call: Call
) -> None:
    await broker.add([JOB])

    for file in files(arena):
        file.unlink()

    for _ in range(3):
        with pytest.raises(BrokerUnavailable, match="was deleted or moved") as raised:
            await asyncio.wait_for(call(broker), WAIT)
        assert "restart" in str(raised.value.hint)
    assert not arena.database.exists()


async def test_who_waits_when_it_is_deleted_is_told(arena: Arena, broker: Broker) -> None:
    claim = asyncio.create_task(broker.claim(Want({"q": 1}, 1, "w"), 60))
    await broker.queues()

    for file in files(arena):
        file.unlink()

    with pytest.raises(BrokerUnavailable, match="was deleted or moved"):
        await asyncio.wait_for(claim, WAIT)


async def test_when_it_is_put_back_all_its_jobs_are_there(
    arena: Arena, broker: Broker, tmp_path: Path
) -> None:
    await broker.add([JOB] * 3)
    [job] = await broker.claim(Want({"q": 1}, 1, "w"))
    move(arena, tmp_path / "away")
    for call in (broker.add([JOB]), broker.finish([Done(lease_of(job), "1")]), broker.queues()):
        with pytest.raises(BrokerUnavailable):
            await call

    for file in (tmp_path / "away").iterdir():
        file.rename(arena.folder / file.name)

    assert not (await broker.finish([Done(lease_of(job), "1")])).lost
    await broker.add([JOB])
    assert await waiting(broker) == 3


async def test_another_file_in_its_place_is_used_from_then_on(
    arena: Arena, broker: Broker, tmp_path: Path
) -> None:
    await broker.add([JOB] * 3)
    [job] = await broker.claim(Want({"q": 1}, 1, "w"))
    move(arena, tmp_path / "old")
    other = await opened(arena)
    await other.add([JOB])

    with pytest.raises(BrokerUnavailable, match="was replaced"):
        await broker.add([JOB])

    await broker.add([JOB])
    assert (await broker.finish([Done(lease_of(job), "1")])).lost == {lease_of(job)}
    with pytest.raises(BrokerUnavailable, match="was replaced"):
        await broker.queues()
    assert await waiting(broker) == await waiting(other) == 2
    await other.close()


async def test_who_follows_events_is_told_of_a_gap_in_another_file(
    arena: Arena, broker: Broker, tmp_path: Path
) -> None:
    for _ in range(5):
        await broker.add([JOB])
    cursor = (await broker.events("q", None)).cursor
    move(arena, tmp_path / "old")
    other = await opened(arena)
    await other.add([JOB])
    with pytest.raises(BrokerUnavailable, match="was replaced"):
        await broker.events("q", cursor)

    page = await broker.events("q", cursor)

    assert page.gap
    await other.add([JOB])
    later = await broker.events("q", page.cursor)
    assert (later.gap, [event.kind for event in later.events]) == (False, ["added"])
    await other.close()


LOG_LOST: dict[str, Callable[[Path], object]] = {
    "deleted": Path.unlink,
    "moved": lambda log: log.rename(log.with_name("elsewhere")),
}


@pytest.mark.parametrize("lose", LOG_LOST.values(), ids=LOG_LOST)
async def test_the_log_alone_is_lost_and_no_job_is(
    arena: Arena, broker: Broker, lose: Callable[[Path], object]
) -> None:
    await broker.add([JOB] * 3)

    lose(files(arena)[1])

    with pytest.raises(BrokerUnavailable, match="-wal was deleted"):
        await broker.add([JOB])
    await broker.add([JOB])
    await broker.close()
    again = await opened(arena)
    assert await waiting(again) == 4
    await again.close()


async def test_what_is_not_a_database_in_its_place_is_refused(
    arena: Arena, broker: Broker, tmp_path: Path
) -> None:
    move(arena, tmp_path / "old")
    arena.database.write_text("shopping list" * 1_000)

    for _ in range(3):
        with pytest.raises((BrokerUnavailable, BrokerCorrupt)):
            await broker.add([JOB])

    assert arena.database.read_text().startswith("shopping list")


def test_a_worker_goes_on_with_the_file_that_takes_its_place(arena: Arena, tmp_path: Path) -> None:
    arena.add("nap", 3)
    worker = arena.worker("worker")
    arena.until_all_done()
    arena.let_go()

    move(arena, tmp_path / "old")
    arena.until(lambda: worker.said("broker.failed"), "the worker to notice")
    ids = arena.add("nap", 3)

    arena.until_all_done()
    assert {arena.row(id).worker for id in ids} == {"worker"}
    assert "was deleted or moved" in (worker.said("broker.failed")[0].text or "")
    worker.stop()
