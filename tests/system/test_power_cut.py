"""A power cut at any instant: what was acknowledged is there when the machine is up again."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from stoker.broker import Broker, make_broker
from stoker.broker.base import Want, system_clock
from stoker.broker.sqlite import connection as opening
from stoker.broker.sqlite import files
from stoker.broker.sqlite.changes import Changes
from stoker.broker.sqlite.query import rows, value
from stoker.config import BrokerURL
from stoker.job.model import JobRecord, Lease, NewJob
from stoker.job.outcome import Done
from tests.system.amnesia import Op, Recording, cut, recorded
from tests.system.arena import Arena

pytestmark = pytest.mark.system

JOBS = 150
CUTS = 150
CHECKPOINT_PAGES = 40
"""Far below the real value, so that there are many checkpoints to be cut in two."""


def connect_with(*pragmas: str) -> Callable[[str], apsw.Connection]:
    def connect(path: str) -> apsw.Connection:
        connection = opening.connect(path)
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").fetchall()
        return connection

    return connect


async def work(broker: Broker, recording: Recording, jobs: int) -> None:
    """Add, claim and finish at the same time, and record each acknowledgement when it is given."""

    def acknowledged(*facts: str) -> None:
        recording.extend(Op("acknowledged", fact) for fact in facts)

    async def add(some: int) -> None:
        for number in range(some):
            batch = [NewJob("q", "task", f'{{"n":{number}}}') for _ in range(1 + number % 3)]
            acknowledged(*(f"added {added.id}" for added in await broker.add(batch)))

    async def run() -> None:
        want = Want({"q": 5}, 5, "w")
        while claimed := await broker.claim(want, 0.2):
            acknowledged(*(f"claimed {job.id}" for job in claimed))
            answer = await broker.finish([outcome(job) for job in claimed])
            assert not answer.lost
            acknowledged(*(f"finished {job.id}" for job in claimed))

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(add(jobs // 3 // 2))
        group.create_task(run())


def outcome(job: JobRecord) -> Done:
    return Done(Lease(job.queue, job.id, job.token or ""), f'{{"of":{job.id}}}')


def losses(recording: Recording, at: int, folder: Path) -> list[str]:
    """Start again on an image; return what had been acknowledged and is not there.

    A claim promises nothing that has to outlive a power cut: undone, its job simply waits.
    """
    connection = opening.connect(str(folder / "jobs.db"))
    try:
        assert value(connection, "PRAGMA integrity_check") == "ok"
        states = dict(rows(connection, "SELECT seq, state FROM job"))
        unclaimed = rows(connection, "SELECT token, expires_at FROM job WHERE starts = 0")
        counter = value(connection, "SELECT value FROM counter")
        true = dict(rows(connection, "SELECT state, count(*) FROM job GROUP BY 1"))
        kept = dict(rows(connection, "SELECT state, n FROM tally WHERE n <> 0"))
    finally:
        connection.close()
    assert true == kept, "the counts are not those of the jobs"
    assert counter >= max(states, default=0), "an id would be given again"
    assert set(unclaimed) <= {(None, None)}
    lost: list[str] = []
    for op in recording[:at]:
        if op.kind != "acknowledged":
            continue
        fact, _, id = op.name.partition(" ")
        there = {
            "added": int(id) in states,
            "claimed": True,
            "finished": states.get(int(id)) == "completed",
        }
        if not there[fact]:
            lost.append(op.name)
    return lost


def cut_points(arena: Arena, recording: Recording, count: int) -> list[int]:
    """Return places to cut: everywhere, and often just after an acknowledgement."""
    after = [place + 1 for place, op in enumerate(recording) if op.kind == "acknowledged"]
    anywhere = range(1, len(recording) + 1)
    return [arena.rng.choice(after if n % 3 == 0 else anywhere) for n in range(count)]


def play(
    arena: Arena, monkeypatch: pytest.MonkeyPatch, *pragmas: str, jobs: int = JOBS
) -> Recording:
    pragmas = (f"wal_autocheckpoint = {CHECKPOINT_PAGES}", *pragmas)
    monkeypatch.setattr("stoker.broker.sqlite.connect", connect_with(*pragmas))

    async def main(recording: Recording) -> None:
        broker = await make_broker(str(BrokerURL.of_file(arena.database))).open()
        try:
            await work(broker, recording, jobs)
        finally:
            await broker.close()

    with recorded() as recording:
        asyncio.run(main(recording))
    arena.note(f"{len(recording)} operations, {checkpoints(recording)} checkpoints")
    return recording


def checkpoints(recording: Recording) -> int:
    return sum(op.kind == "sync" and op.name == "jobs.db" for op in recording)


def all_losses(arena: Arena, recording: Recording, cuts: int) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for number, at in enumerate(cut_points(arena, recording, cuts)):
        folder = arena.folder / f"image-{number}"
        folder.mkdir()
        cut(recording, at, arena.rng, folder)
        if lost := losses(recording, at, folder):
            arena.note(f"cut at {at}: lost {lost[:5]} of {folder}")
            found[at] = lost
        else:
            shutil.rmtree(folder)
    return found


@pytest.mark.again(50)
def test_what_was_acknowledged_survives_a_power_cut(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = play(arena, monkeypatch)
    assert checkpoints(recording) > 5

    assert all_losses(arena, recording, CUTS) == {}


@pytest.mark.parametrize(
    ("sync", "what"),
    [("session.Session._let_commits_sync", "finished"), ("files.Files.sync", "added")],
)
def test_the_disk_forgets_what_is_not_synced(
    arena: Arena, monkeypatch: pytest.MonkeyPatch, sync: str, what: str
) -> None:
    """The test above would see a loss: without one of the syncs there are some."""
    monkeypatch.setattr(f"stoker.broker.sqlite.{sync}", lambda *_: None)
    recording = play(arena, monkeypatch, "synchronous = NORMAL")

    lost = all_losses(arena, recording, 60)

    assert any(fact.startswith(what) for facts in lost.values() for fact in facts)


@pytest.mark.again(20)
def test_a_claim_that_a_power_cut_undoes_is_made_again(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = play(arena, monkeypatch, jobs=60)
    undone = 0
    for number, at in enumerate(claim_points(arena, recording, 40)):
        folder = arena.folder / f"image-{number}"
        folder.mkdir()
        cut(recording, at, arena.rng, folder)
        assert losses(recording, at, folder) == []

        waiting = in_state(folder, "waiting")
        claimed = {
            op.name.removeprefix("claimed ") for op in recording[:at] if "claimed" in op.name
        }
        undone += len(waiting & claimed)

        assert asyncio.run(ran_to_the_end(folder)) >= waiting
        assert in_state(folder, "completed") >= waiting | claimed & in_state(folder)
    assert undone, "no cut undid a claim: this has tested nothing"


def claim_points(arena: Arena, recording: Recording, count: int) -> list[int]:
    """Return places just after a job was handed out."""
    after = [place + 1 for place, op in enumerate(recording) if op.name.startswith("claimed")]
    return [arena.rng.choice(after) for _ in range(count)]


def in_state(folder: Path, state: str = "%") -> set[str]:
    connection = opening.connect(str(folder / "jobs.db"))
    try:
        return {
            str(seq)
            for (seq,) in rows(connection, f"SELECT seq FROM job WHERE state LIKE '{state}'")
        }
    finally:
        connection.close()


async def ran_to_the_end(folder: Path) -> set[str]:
    """Run what is left, as a worker does that starts when the leases have run out."""
    later = system_clock() + 3_600_000
    broker = await make_broker(
        str(BrokerURL.of_file(folder / "jobs.db")), clock=lambda: later
    ).open()
    ran: set[str] = set()
    try:
        while await broker.recover(["q"], 3):
            pass
        while claimed := await broker.claim(Want({"q": 50}, 50, "w")):
            assert not (await broker.finish([outcome(job) for job in claimed])).lost
            ran |= {job.id for job in claimed}
    finally:
        await broker.close()
    return ran


async def test_a_job_is_handed_out_while_the_disk_is_waited_for(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = threading.Event()
    monkeypatch.setattr(files, "sync", lambda _: synced.wait(20))
    # Whoever watches for other processes has all look once more when he begins: a claim that looks
    # at that moment does so behind the addition, and waits for the disk with it.
    monkeypatch.setattr(Changes, "start", lambda _: None)
    broker: Any = await make_broker(str(BrokerURL.of_file(arena.database))).open()
    claim = asyncio.create_task(broker.claim(Want({"q": 1}, 1, "w"), 10))
    while not list(broker._writer._riders):  # noqa: ASYNC110
        await asyncio.sleep(0.001)  # until it waits

    adding = asyncio.create_task(broker.add([NewJob("q", "task")]))
    [job] = await claim

    assert not adding.done()
    synced.set()
    assert [added.id for added in await adding] == [job.id]
    await broker.close()


def test_a_power_cut_while_the_file_is_created(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = play(arena, monkeypatch, jobs=6)
    first = next(place for place, op in enumerate(recording) if op.kind == "acknowledged")
    for at in range(first + 2):
        folder = arena.folder / f"first-{at}"
        folder.mkdir()
        cut(recording, at, arena.rng, folder)

        assert losses(recording, at, folder) == []
