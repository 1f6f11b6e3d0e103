"""The embedded broker's threads and files, where something goes wrong between them."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from stoker.broker.base import Select, Want
from stoker.broker.sqlite import SQLiteBroker
from stoker.broker.sqlite import claim as claiming
from stoker.broker.sqlite.files import Files
from stoker.broker.sqlite.transaction import Transaction
from stoker.errors import BrokerUnavailable, StokerError
from stoker.job.model import JobRecord, NewJob
from stoker.job.states import State
from tests.unit.support import turns

JOB = NewJob("q", "task")
WANT = Want({"q": 1}, 1, "w")
WAIT = 10.0


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "jobs.db")


@pytest.fixture
async def broker(path: str) -> AsyncIterator[SQLiteBroker]:
    broker = await SQLiteBroker(path).open()
    yield broker
    await broker.close()


def threads() -> set[threading.Thread]:
    names = ("stoker-writer", "stoker-reader", "stoker-watch")
    return {thread for thread in threading.enumerate() if thread.name in names}


async def waiting(broker: SQLiteBroker) -> int:
    [stats] = await broker.queues(["q"])
    return stats.counts.get(State.WAITING, 0)


# What a call meets


@pytest.mark.parametrize(
    "stored", ["'not json'", "'[1]'", "'{}'", """'{"reason": "odd"}'""", "CAST(x'ff' AS TEXT)"]
)
async def test_a_failure_by_hand_that_names_no_reason_is_an_error(
    broker: SQLiteBroker, path: str, stored: str
) -> None:
    await broker.add([JOB])
    await broker.cancel(Select("q", state=State.WAITING), "not wanted")
    by_hand = apsw.Connection(path)
    by_hand.execute(f"UPDATE job SET failure = {stored}")
    by_hand.close()
    failed = Select("q", state=State.FAILED)

    errors = await broker.find(msgspec.structs.replace(failed, reasons=("error",)))
    by_id = await broker.find(Select("q", ids=("1",), reasons=("error",)))
    cancelled = await broker.find(msgspec.structs.replace(failed, reasons=("cancelled",)))

    assert [job.id for job in errors.jobs] == [job.id for job in by_id.jobs] == ["1"]
    assert not cancelled.jobs


async def test_a_queue_by_hand_that_cannot_be_read_is_an_error_and_no_end(
    broker: SQLiteBroker, path: str
) -> None:
    by_hand = apsw.Connection(path)
    by_hand.execute("INSERT INTO queue (name, paused) VALUES (CAST(x'ff' AS TEXT), 1)")

    with pytest.raises(StokerError):
        await asyncio.wait_for(broker.claim(WANT), WAIT)

    by_hand.execute("DELETE FROM queue WHERE paused")
    by_hand.close()
    await asyncio.wait_for(broker.add([JOB]), WAIT)
    assert len(await broker.claim(WANT)) == 1


async def test_behind_a_commit_that_the_disk_refused_none_is_acknowledged(
    broker: SQLiteBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk loses the pages it refused and says so once: what comes behind rests on them."""
    syncing, go_on = threading.Event(), threading.Event()
    answers: list[OSError | None] = [None, OSError(5, "Input/output error"), None, None]

    def sync(_: Files) -> None:
        syncing.set()
        go_on.wait(WAIT)
        if (error := answers.pop(0)) is not None:
            raise error

    monkeypatch.setattr(Files, "sync", sync)
    monkeypatch.setattr("stoker.broker.sqlite.session.GROUP_SECONDS", -1)  # one call a commit
    first = asyncio.ensure_future(broker.add([JOB]))
    assert await asyncio.to_thread(syncing.wait, WAIT)
    behind = [asyncio.ensure_future(broker.add([JOB])) for _ in range(2)]
    await asyncio.sleep(0)  # both are handed in
    go_on.set()

    told = await asyncio.wait_for(asyncio.gather(first, *behind, return_exceptions=True), WAIT)

    assert [isinstance(each, BrokerUnavailable) for each in told] == [False, True, True]
    assert await broker.add([JOB])


@pytest.mark.parametrize(
    ("refuses", "error"),
    [(Files.sync, OSError(5, "Input/output error")), (Transaction.flush, apsw.IOError("EIO"))],
    ids=["the wait for the disk", "the commit"],
)
async def test_a_log_that_the_disk_refused_is_emptied_before_anything_rests_on_it(
    refuses: Callable[[Any], None],
    error: Exception,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Later pages of the log count for nothing behind a hole: a power cut would take them all."""
    monkeypatch.setattr("stoker.broker.sqlite.connection._patience", lambda _: lambda _: False)
    broker = await SQLiteBroker(path).open()
    await broker.add([JOB])
    looking = apsw.Connection(path)
    looking.execute("BEGIN")
    looking.execute("SELECT count(*) FROM job").fetchall()  # the log is in use

    def refused(_: Any) -> None:
        raise error

    with monkeypatch.context() as once:
        owner = Files if refuses is Files.sync else Transaction
        once.setattr(owner, refuses.__name__, refused)
        with pytest.raises(BrokerUnavailable):
            await asyncio.wait_for(broker.add([JOB]), WAIT)

    for _ in range(2):
        with pytest.raises(BrokerUnavailable, match="cannot be emptied"):
            await asyncio.wait_for(broker.add([JOB]), WAIT)

    looking.execute("COMMIT")
    looking.close()
    assert await asyncio.wait_for(broker.add([JOB]), WAIT)
    await broker.close()


async def test_a_claim_that_is_cancelled_twice_while_it_is_made_hands_its_job_back(
    broker: SQLiteBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    claim = claiming.claim

    def held_up(tx: Transaction, want: Want) -> list[JobRecord]:
        begun.set()
        go_on.wait(WAIT)
        return claim(tx, want)

    monkeypatch.setattr(claiming, "claim", held_up)
    await broker.add([JOB])
    caller = asyncio.create_task(broker.claim(WANT))
    await asyncio.to_thread(begun.wait, WAIT)

    for _ in range(2):
        caller.cancel()
        await turns()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller

    async with asyncio.timeout(WAIT):
        while not await waiting(broker):
            pass


# Opening and closing


async def ended(before: set[threading.Thread]) -> None:
    for thread in threads() - before:
        await asyncio.to_thread(thread.join, WAIT)
    assert threads() <= before


async def test_an_open_that_is_cancelled_leaves_no_thread_and_can_be_closed(path: str) -> None:
    before = threads()
    holding = apsw.Connection(path)
    holding.execute("BEGIN EXCLUSIVE")
    broker = SQLiteBroker(path)
    opening = asyncio.create_task(broker.open())
    await asyncio.sleep(0)
    assert threads() > before

    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    holding.close()

    await asyncio.wait_for(broker.close(), WAIT)
    await ended(before)


async def test_an_open_that_fails_halfway_leaves_no_thread(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: str) -> apsw.Connection:
        raise BrokerUnavailable("no descriptor is left")

    monkeypatch.setattr("stoker.broker.sqlite.connect_for_reading", refused)
    before = threads()

    with pytest.raises(BrokerUnavailable):
        await SQLiteBroker(path).open()

    await ended(before)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # a fork beside threads is the point
async def test_a_fork_while_it_closes_carries_no_open_file_across(path: str) -> None:
    def fork() -> list[str]:
        reading, writing = os.pipe()
        if (child := os.fork()) == 0:
            os.write(writing, "\n".join(map(str, _open_files())).encode())
            os._exit(0)
        os.close(writing)
        os.waitpid(child, 0)
        with os.fdopen(reading) as answer:
            return [name for name in answer.read().splitlines() if name.startswith(path)]

    broker = await SQLiteBroker(path).open()
    begun, go_on = threading.Event(), threading.Event()

    def work(_: Any) -> None:
        begun.set()
        go_on.wait(WAIT)

    writing = broker._writer.write(work)
    await asyncio.to_thread(begun.wait, WAIT)
    closing = asyncio.create_task(broker.close())
    await asyncio.wait({closing}, timeout=0.1)
    forking = asyncio.ensure_future(asyncio.to_thread(fork))
    await asyncio.wait({forking}, timeout=0.2)  # it waits for the work, or is through too early
    go_on.set()

    assert await asyncio.wait_for(forking, WAIT) == []
    await writing
    await closing


def _open_files() -> list[Path]:
    """Where this process's descriptors lead."""
    found: list[Path] = []
    for link in list(Path("/proc/self/fd").iterdir()):
        try:
            found.append(link.readlink())
        except OSError:  # that of the listing itself
            continue
    return found
