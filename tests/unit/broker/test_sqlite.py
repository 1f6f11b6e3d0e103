"""The embedded broker's threads and files, where something goes wrong between them."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from stoker.broker.base import Want
from stoker.broker.sqlite import SQLiteBroker
from stoker.broker.sqlite.files import Files
from stoker.errors import BrokerUnavailable, StokerError
from stoker.job.model import NewJob
from stoker.job.states import State

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
