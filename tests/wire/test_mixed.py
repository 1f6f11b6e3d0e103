"""Node and Stoker work on one queue together, and are killed at random: nothing is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.servers.server import Server, until
from tests.system.arena import ROOT, soak
from tests.system.ledger import Entry, Lines
from tests.wire.eventually import eventually
from tests.wire.peer import Flavour, Peer, PeerQueue
from tests.wire.perform import QUEUE
from tests.wire.test_node_adds import steps

JOBS_PER_KILL = 50
"""More than what has to be begun before the next kill, or the queue would run dry."""
NODE_OPTIONS = {
    "concurrency": 5,
    "lockDuration": 1_000,
    "stalledInterval": 200,
    "maxStalledCount": 100,
}


class Team(Protocol):
    """Starts a worker of a kind; its pid is what is killed."""

    async def __call__(self, name: str) -> int: ...


@pytest.fixture
def ledger(tmp_path: Path) -> Lines[Entry]:
    return Lines(tmp_path / "ledger.jsonl", Entry)


@pytest.fixture
def teams(server: Server, ledger: Lines[Entry]) -> Iterator[dict[str, Team]]:
    with ExitStack() as stack:

        def node(flavour: Flavour) -> Team:
            async def start(name: str) -> int:
                peer = stack.enter_context(Peer(server, flavour, ledger=ledger.path))
                await peer.queue(QUEUE).start_worker(name, **NODE_OPTIONS)
                return peer.pid

            return start

        async def stoker(name: str) -> int:
            process = worker_process(server.url, name, ledger.path)
            stack.callback(process.wait)
            stack.callback(process.kill)
            until(lambda: any(entry.pid == process.pid for entry in ledger), f"{name} to work")
            return process.pid

        yield {
            "bullmq-6": node(Flavour.BULLMQ_6),
            "bullmq-5": node(Flavour.BULLMQ_5),
            "stoker": stoker,
        }


def worker_process(url: str, name: str, ledger: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.wire.perform", url, name],
        cwd=ROOT,
        env={**os.environ, "WIRE_LEDGER": str(ledger)},
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("kills", [6, soak(60)])
@pytest.mark.parametrize("partner", ["bullmq-6", "bullmq-5"])
async def test_killed_at_random_and_nothing_is_lost(
    theirs: PeerQueue, teams: dict[str, Team], ledger: Lines[Entry], partner: str, kills: int
) -> None:
    rng = random.Random()
    kinds = [partner, "stoker", partner, "stoker"]
    fleet = [(kind, await teams[kind](f"{kind} {number}")) for number, kind in enumerate(kinds)]
    added: set[str] = set()
    for number in range(kills):
        added |= set(await add(theirs, JOBS_PER_KILL))
        begun = len(ledger.all())
        await eventually(lambda b=begun: more(ledger, b + 20), "work to go on")
        kind, victim = fleet.pop(number % len(fleet))
        os.kill(victim, signal.SIGKILL)
        fleet.append((kind, await teams[kind](f"{kind} heir{number}")))
        added |= set(await add(theirs, rng.randrange(20)))

    await eventually(lambda: finished(theirs, len(added)), "all jobs to end", 60)

    ends = [entry for entry in ledger if entry.kind == "end"]
    assert added <= {entry.job for entry in ends}
    assert await theirs.counts() == {"completed": len(added)}
    assert {entry.worker.split()[0] for entry in ends} == {partner, "stoker"}, "both had a share"


async def add(queue: PeerQueue, count: int) -> list[str]:
    job = {"name": "perform", "data": steps(("nap", 20)), "opts": {}}
    return await queue.add_bulk([job] * count)


async def more(ledger: Lines[Entry], than: int) -> bool:
    return len(ledger.all()) > than


async def finished(queue: PeerQueue, count: int) -> bool:
    return (await queue.counts()).get("completed", 0) == count
