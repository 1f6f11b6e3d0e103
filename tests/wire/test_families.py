"""Parents are removed as BullMQ removes them: their children go with them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from stoker import Stoker
from stoker.broker import make_broker
from stoker.broker.base import Select
from tests.cli.support import stoker
from tests.servers.server import Server
from tests.wire.peer import Peer, PeerError, PeerQueue
from tests.wire.side import StokerSide

Remove = Callable[[PeerQueue, Stoker, str], Awaitable[bool]]


async def node_removes(queue: PeerQueue, app: Stoker, id: str) -> bool:
    try:
        await queue.of_job(id, "remove")
    except PeerError:
        return False
    return True


async def stoker_removes(queue: PeerQueue, app: Stoker, id: str) -> bool:
    return await app.queue(queue.name).job(id).remove()


both = pytest.mark.parametrize("remove", [node_removes, stoker_removes])


async def add_tree(node: Peer) -> None:
    """Add a parent with three children in two queues, one of which has a child too."""

    def job(id: str, *children: object, queue: str = "q") -> dict[str, object]:
        opts = {"jobId": id, "ignoreDependencyOnFailure": True}
        return {"name": "perform", "queueName": queue, "data": {}, "opts": opts,
                "children": list(children)}  # fmt: skip

    tree = job("p", job("a"), job("b", job("b1")), job("c", queue="r"))
    tree["opts"] = {"jobId": "p"}
    await node.call("flow", "", "add", tree)


def jobs_left(server: Server) -> set[str]:
    """Return the keys of jobs, and all lists and sets that still name one."""
    kept = ("meta", "events", "id", "stalled-check", "marker", "pc", "metrics")
    with server.connect(decode_responses=True) as client:
        return {key for key in client.scan_iter("bull:*") if key.split(":")[2] not in kept}


@both
async def test_children_go_with_their_parent(
    node: Peer, theirs: PeerQueue, app: Stoker, server: Server, remove: Remove
) -> None:
    await add_tree(node)

    assert await remove(theirs, app, "p")

    assert jobs_left(server) == set()


@both
async def test_children_that_have_ended_go_too(
    node: Peer, theirs: PeerQueue, app: Stoker, server: Server, remove: Remove
) -> None:
    await add_tree(node)
    claimed = [await theirs.claim() for _ in range(2)]
    assert {job and job.id for job in claimed} == {"a", "b1"}
    await theirs.complete("a", 1)
    await theirs.fail("b1", "no")

    assert await remove(theirs, app, "p")

    assert jobs_left(server) == set()


@both
async def test_nothing_goes_while_a_child_runs(
    node: Peer, theirs: PeerQueue, app: Stoker, server: Server, remove: Remove
) -> None:
    await add_tree(node)
    job = await theirs.claim()
    assert job is not None
    assert job.id in ("a", "b1")
    before = jobs_left(server)

    assert not await remove(theirs, app, "p")

    assert jobs_left(server) == before


async def test_an_operator_is_told_why_nothing_goes(
    node: Peer, theirs: PeerQueue, server: Server
) -> None:
    await add_tree(node)
    assert await theirs.claim() is not None

    refused = await asyncio.to_thread(stoker, "job", "rm", "p", "--queue", "q", "--url", server.url)
    force = ["--force", "--queue", "q", "--url", server.url]
    forced = await asyncio.to_thread(stoker, "job", "rm", "p", *force)

    assert refused.exit_code == 1
    assert refused.stdout == ""
    assert (
        "error: job p of q is waiting: it waits for a child that is running; --force deletes both\n"
        in (refused.stderr)
    )
    assert forced.exit_code == 0
    assert jobs_left(server) == set()


@both
async def test_a_child_that_goes_releases_its_parent(
    node: Peer, theirs: PeerQueue, app: Stoker, server: Server, remove: Remove
) -> None:
    await add_tree(node)

    assert await remove(theirs, app, "b")

    assert not {key for key in jobs_left(server) if ":b" in key}
    assert await theirs.state("p") == "waiting-children"
    assert await remove(theirs, app, "a")
    assert await remove(node.queue("r"), app, "c")
    assert await theirs.state("p") == "waiting"


async def test_with_force_running_children_go_too(
    node: Peer, theirs: PeerQueue, app: Stoker, server: Server
) -> None:
    await add_tree(node)
    await theirs.claim()

    assert await app.queue("q").job("p").remove(force=True)

    assert jobs_left(server) == set()


MANY = 5_000


@pytest.mark.parametrize("ended", [False, True], ids=["waiting", "completed"])
async def test_many_children_go_so_many_at_a_call(
    server: Server, app: Stoker, *, ended: bool
) -> None:
    ids = [f"c{number}" for number in range(MANY)]
    fields: dict[Any, Any] = {"name": "t", "timestamp": 1}
    fields |= {"finishedOn": 1} if ended else {}
    with server.connect() as client, client.pipeline() as pipe:
        for id in ids:
            pipe.hset(f"bull:q:{id}", mapping=fields)
        if ended:
            pipe.zadd("bull:q:completed", {id: place for place, id in enumerate(ids)})
            pipe.hset("bull:q:p:processed", mapping={f"bull:q:{id}": "1" for id in ids})
        else:
            pipe.rpush("bull:q:wait", *ids)
            pipe.sadd("bull:q:p:dependencies", *(f"bull:q:{id}" for id in ids))
        pipe.hset("bull:q:p", mapping={"name": "t", "timestamp": 1})
        pipe.zadd("bull:q:waiting-children", {"p": 1})
        pipe.execute()
    broker = await make_broker(server.url).open()

    first = await broker.remove(Select("q", ids=("p",)))

    assert (first.ids, first.next) == ([], "0")
    with server.connect() as client:
        assert MANY / 2 < client.dbsize() < MANY
        assert client.zscore("bull:q:waiting-children", "p"), "it still waits for the others"
    assert await app.queue("q").job("p").remove()
    assert jobs_left(server) == set()
    await broker.close()


@pytest.mark.parametrize("junk", ["nowhere", "bull:q:p", ""])
async def test_children_that_there_are_not_hold_up_nothing(
    server: Server, app: Stoker, junk: str
) -> None:
    with server.connect() as client:
        client.hset("bull:q:p", mapping={"name": "t", "timestamp": 1})
        client.zadd("bull:q:waiting-children", {"p": 1})
        client.sadd("bull:q:p:dependencies", junk)
        client.set("bull:q:p:processed", "no hash")

    assert await app.queue("q").job("p").remove()

    assert jobs_left(server) == set()


@pytest.mark.parametrize("ends_well", [True, False])
async def test_a_child_that_outlives_its_parent_leaves_nothing_of_it(
    theirs: PeerQueue, ours: StokerSide, server: Server, ends_well: bool
) -> None:
    """It was added when its parent had completed, and that one was let go before it ended."""
    await theirs.add("perform", jobId="p", removeOnComplete=1)
    assert await ours.claim() == "p"
    await ours.complete("p")
    parent = {"id": "p", "queue": "bull:q"}
    await theirs.add("perform", jobId="c", parent=parent, ignoreDependencyOnFailure=True)
    await theirs.add("perform", jobId="next", removeOnComplete=1)
    assert [await ours.claim() for _ in range(2)] == ["c", "next"]
    await ours.complete("next")  # of completed jobs one is kept

    await (ours.complete("c") if ends_well else ours.fail("c", "no", final=True))

    assert not [key for key in jobs_left(server) if key.split(":")[2] == "p"]


async def test_a_parent_does_not_complete_with_a_child_that_was_to_fail_it(
    theirs: PeerQueue, ours: StokerSide
) -> None:
    """Nothing in its own hash says so: it had failed already when the child did."""
    await theirs.add("perform", jobId="p")
    await ours.claim()
    parent = {"id": "p", "queue": "bull:q"}
    await theirs.add("perform", jobId="c", parent=parent, failParentOnFailure=True)
    await ours.complete("p")  # before its child: it fails
    assert await ours.claim() == "c"
    await ours.fail("c", "no", final=True)
    await ours.retry("p")
    assert await ours.claim() == "p"

    await ours.complete("p")

    job = await theirs.job("p")
    assert job is not None
    assert job.failed_reason == "one of its children failed"


@pytest.mark.parametrize("options", [{}, {"failParentOnFailure": True}], ids=["none", "fails it"])
async def test_a_parent_is_let_go_with_the_children_it_waits_for_again(
    theirs: PeerQueue, ours: StokerSide, server: Server, options: dict[str, bool]
) -> None:
    await theirs.add_flow("perform", {"jobId": "p"}, {"jobId": "c", **options})
    for id in ("c", "p"):
        assert await ours.claim() == id
        await ours.complete(id)
    await ours.retry("c")
    assert await ours.claim() == "c"
    await ours.fail("c", "no", final=True)
    await theirs.add("perform", jobId="next", removeOnComplete=1)
    assert await ours.claim() == "next"

    await ours.complete("next")  # of completed jobs one is kept

    assert not [key for key in jobs_left(server) if key.split(":")[2] == "p"]
