"""Pause by one, add by another, resume by a third: whoever they are, no job is left behind.

BullMQ 5 moves the waiting jobs to a list of its own while a queue is paused; BullMQ 6 leaves them
where they are and marks the queue.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Protocol

import pytest

from stoker import Stoker
from tests.servers.server import Server
from tests.wire.eventually import eventually
from tests.wire.peer import Flavour, Peer, PeerQueue
from tests.wire.perform import QUEUE, application, working
from tests.wire.test_node_adds import drained, steps

JOBS = 20


class Hand(Protocol):
    async def add(self, name: str, data: Any) -> Any: ...
    async def pause(self) -> None: ...
    async def resume(self) -> None: ...


@pytest.fixture
def hands(app: Stoker, peers: Callable[[Flavour], Peer]) -> dict[str, Hand]:
    return {
        "bullmq-5": peers(Flavour.BULLMQ_5).queue(QUEUE),
        "bullmq-6": peers(Flavour.BULLMQ_6).queue(QUEUE),
        "stoker": app.queue(QUEUE),
    }


NAMES = ("bullmq-5", "bullmq-6", "stoker")
LOST_BY_BULLMQ_5 = {
    ("bullmq-5", "bullmq-6"),
    ("bullmq-6", "bullmq-5"),
    ("stoker", "bullmq-5"),
}
"""Who pauses and who adds, where BullMQ 5's resume loses what the other left in ``wait``: it
renames its own list over it. Nobody can help that; only Stoker's adds are put where it looks."""


@pytest.mark.parametrize(("pauser", "adder", "resumer"), [*itertools.product(NAMES, repeat=3)])
async def test_all_jobs_come_back(
    hands: dict[str, Hand], theirs: PeerQueue, app: Stoker, pauser: str, adder: str, resumer: str
) -> None:
    lost = resumer == "bullmq-5" and (pauser, adder) in LOST_BY_BULLMQ_5
    await add(hands[adder], JOBS)
    await hands[pauser].pause()
    await add(hands[adder], JOBS)
    async with working(app):
        await hands[resumer].resume()
        await eventually(lambda: drained(theirs), "all jobs to run")

    assert await completed(theirs, JOBS if lost else 2 * JOBS)


async def add(hand: Hand, count: int) -> None:
    for _ in range(count):
        await hand.add("perform", steps(("return", 1)))


async def completed(queue: PeerQueue, count: int) -> bool:
    return (await queue.counts()).get("completed", 0) == count


@pytest.mark.parametrize("pauser", NAMES)
async def test_a_paused_queue_gives_out_nothing(
    hands: dict[str, Hand], server: Server, pauser: str, theirs: PeerQueue
) -> None:
    await add(hands["stoker"], 1)
    await hands[pauser].pause()

    app = application(server.url)
    async with working(app, burst=True):
        pass

    await app.close()
    assert not await completed(theirs, 1)
    assert (await theirs.call("isPaused")) is True
