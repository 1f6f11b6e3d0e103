"""What others left in Redis that should not be so: buried or passed over, and work goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from stoker import Stoker
from stoker.broker import make_broker
from stoker.broker.base import Want
from stoker.errors import BrokerCorrupt, BrokerError
from stoker.events import subscribe
from stoker.job.model import NewJob, lease_of
from stoker.job.outcome import Done
from stoker.job.states import State
from tests.servers.server import Server
from tests.wire.eventually import eventually
from tests.wire.peer import PeerQueue
from tests.wire.perform import working
from tests.wire.test_node_adds import drained, ended, steps

BAD = "7"
JOB = f"bull:q:{BAD}"
GOOD_HASH = {"name": "perform", "data": "{}", "opts": "{}", "timestamp": "1", "delay": "0"}

Harm = Callable[[redis.Redis], object]


def stored(**fields: str | bytes | None) -> Harm:
    """A job in ``wait`` whose hash has these fields; ``None`` is one that it lacks."""

    def harm(client: redis.Redis) -> None:
        chosen = {**GOOD_HASH, **fields}
        client.hset(JOB, mapping={name: text for name, text in chosen.items() if text is not None})
        client.rpush("bull:q:wait", BAD)

    return harm


def without_hash(client: redis.Redis) -> None:
    client.rpush("bull:q:wait", BAD)


def of_another_type(client: redis.Redis) -> None:
    client.set(JOB, "not a hash")
    client.rpush("bull:q:wait", BAD)


def waiting_twice(client: redis.Redis) -> None:
    stored()(client)
    client.rpush("bull:q:wait", BAD)


BURIED: dict[str, Harm] = {
    "data that is not JSON": stored(data="{not json"),
    "data that is not UTF-8": stored(data=b'{"a": "\xff"}'),
    "data that is no object": stored(data="[1, 2]"),
    "no data": stored(data=None),
    "options that are not JSON": stored(opts="{not json"),
    "a number of attempts without end": stored(opts='{"attempts": 1e30}'),
    "options that are no object": stored(opts='"text"'),
    "options nested too deep": stored(opts="[" * 100_000),
    "an absurd backoff": stored(opts='{"backoff": {"type": 7, "delay": -1}}'),
    "no name": stored(name=None),
    "a name that is not UTF-8": stored(name=b"\xff\xfe"),
    "a name that nobody knows": stored(name="stranger"),
}
"""What becomes a dead letter, with a reason that BullMQ can read."""

BORNE: dict[str, Harm] = {
    "options that nobody knows": stored(opts='{"group": {"id": "x"}, "whatever": [1]}'),
    "numbers that are not": stored(timestamp="soon", delay="later", priority="high"),
    "an absurd number of attempts": stored(opts='{"attempts": "many"}'),
    "an age without end": stored(opts='{"removeOnFail": {"age": 1e308}}'),
    "a stack trace nested too deep": stored(
        stacktrace="[" * 100_000, failedReason="it broke", atm="1"
    ),
    "a scheduler in no time zone": stored(
        rjk="s", priority="0", opts='{"repeat": {"pattern": "* * * * *", "tz": 5}}'
    ),
    "a scheduler beyond all time": stored(
        rjk="s", priority="0", opts='{"repeat": {"pattern": "* * * * *"}, "prevMillis": 1e300}'
    ),
    "no timestamp": stored(timestamp=None),
    "progress that is not JSON": stored(progress="{"),
    "a stack trace that is not JSON": stored(stacktrace="{"),
    "the same id twice": waiting_twice,
}
"""What is run all the same."""

GONE: dict[str, Harm] = {
    "no hash": without_hash,
    "a key of another type": of_another_type,
}
"""What leaves nothing that could be buried."""


@pytest.mark.parametrize("what", [*BURIED, *BORNE, *GONE])
async def test_the_jobs_behind_it_run(
    theirs: PeerQueue, app: Stoker, server: Server, what: str
) -> None:
    with server.connect() as client:
        {**BURIED, **BORNE, **GONE}[what](client)
    good = [
        await theirs.add("perform", steps(("return", "ok")), jobId=f"good{n}") for n in range(3)
    ]

    async with working(app):
        for id in good:
            assert (await ended(theirs, id)).returnvalue == "ok"
        await eventually(lambda: drained(theirs), "nothing to be left")

    counts = await theirs.counts()
    assert counts.get("completed", 0) == len(good) + (what in BORNE)
    assert counts.get("failed", 0) == (what in BURIED)
    if what in BURIED:
        with server.connect(decode_responses=True) as client:
            assert client.hget(JOB, "failedReason")


Place = Callable[[redis.Redis, Any], object]

PLACES: dict[str, Place] = {
    "active, of a worker that died": lambda client, id: client.lpush("bull:q:active", id),
    "delayed": lambda client, id: client.zadd("bull:q:delayed", {id: 1}),
    "prioritized": lambda client, id: client.zadd("bull:q:prioritized", {id: 1}),
}
"""Where else than in line it may be found."""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("what", [*BURIED, *BORNE, *GONE])
async def test_it_is_dealt_with_wherever_it_is(
    theirs: PeerQueue, app: Stoker, server: Server, what: str, place: str
) -> None:
    """Recovered, promoted or claimed: it ends as it does in line, and is nowhere afterwards."""
    with server.connect() as client:
        {**BURIED, **BORNE, **GONE}[what](client)
        for id in client.lrange("bull:q:wait", 0, -1):
            PLACES[place](client, id)
        client.delete("bull:q:wait")
    good = await theirs.add("perform", steps(("return", "ok")))

    async with working(app, lease_ms=600, recover_ms=100):
        assert (await ended(theirs, good)).returnvalue == "ok"
        await eventually(lambda: settled(theirs, 1 + (what not in GONE)), "all to end")
        await eventually(lambda: drained(theirs), "nothing to be left")

    counts = await theirs.counts()
    assert counts.get("completed", 0) == 1 + (what in BORNE)
    assert counts.get("failed", 0) == (what in BURIED)


async def settled(queue: PeerQueue, count: int) -> bool:
    counts = await queue.counts()
    return counts.get("completed", 0) + counts.get("failed", 0) == count


@pytest.mark.parametrize("key", ["wait", "active", "delayed", "prioritized", "events", "meta"])
async def test_a_key_of_another_type_in_place_of_a_queues_own_is_told_and_outlived(
    app: Stoker, server: Server, key: str
) -> None:
    told: list[BrokerError] = []

    def listen(event: str, fields: dict[str, Any]) -> None:
        if event == "broker.failed":
            told.append(fields["error"])

    stop_listening = subscribe(listen)
    with server.connect() as client:
        client.set(f"bull:q:{key}", "another application's")

    async with working(app):
        await eventually(lambda: any_of(told), "the worker to say so")
        with server.connect() as client:
            client.delete(f"bull:q:{key}")
        job = await app.queue("q").add("perform", steps(("return", "ok")))
        assert await job.wait(20) == "ok"

    stop_listening()
    assert {type(error) for error in told} == {BrokerCorrupt}
    assert "?prefix=" in str(told[0].hint)


async def test_a_scheduler_that_cannot_be_armed_costs_no_other_job_its_end(server: Server) -> None:
    broker = await make_broker(server.url).open()
    await broker.add([NewJob("q", "t", "{}")] * 3)
    with server.connect(decode_responses=True) as client:
        held = await broker.claim(Want({"q": 2}, 2, "w"))
        client.set("bull:q:repeat", "another application's")
        stored(rjk="s", priority="0", opts='{"repeat": {"every": 1000}}')(client)

        finished = await broker.finish(
            [Done(lease_of(job), "null") for job in held], Want({"q": 9}, 9, "w")
        )

        assert (finished.lost, [job.id for job in finished.jobs]) == (frozenset(), ["3"])
        assert client.lrange("bull:q:active", 0, -1) == ["3"]
        assert "its scheduler 's' cannot go on" in str(client.hget(JOB, "failedReason"))
    await broker.close()


@pytest.mark.parametrize("key", ["metrics:completed", "1:lock"])
async def test_a_key_of_another_type_beside_the_jobs_harms_no_other(
    server: Server, key: str
) -> None:
    broker = await make_broker(server.url).open()
    await broker.add([NewJob("q", "t", "{}")] * 3)
    leases = [lease_of(job) for job in await broker.claim(Want({"q": 3}, 3, "w"))]
    with server.connect() as client:
        client.delete(f"bull:q:{key}")
        client.lpush(f"bull:q:{key}", "another application's")

    lost = await broker.extend(leases, 30_000)
    finished = await broker.finish([Done(lease, "null") for lease in leases[1:]])

    assert lost == ({leases[0]} if key == "1:lock" else set())
    assert not finished.lost
    [stats] = await broker.queues(["q"])
    assert stats.counts[State.COMPLETED] == 2
    await broker.close()


async def any_of(told: list[BrokerError]) -> bool:
    return bool(told)


async def test_events_that_nobody_knows_are_passed_over(
    theirs: PeerQueue, app: Stoker, server: Server
) -> None:
    job = await app.queue("q").add("perform", steps(("nap", 100), ("return", "ok")))
    waiting = job.wait(20)
    with server.connect() as client:
        client.xadd("bull:q:events", {"event": "surprise", "x": b"\xff"})
        client.xadd("bull:q:events", {"no": "event"})

    async with working(app):
        assert await waiting == "ok"


@pytest.mark.parametrize("what", [*BURIED, *GONE, "a parent that a child has failed"])
async def test_what_cannot_be_run_counts_for_nothing_in_a_rate_limit(
    theirs: PeerQueue, app: Stoker, server: Server, what: str
) -> None:
    harms = {**BURIED, **GONE, "a parent that a child has failed": stored(priority="0", defa="no")}
    with server.connect() as client:
        client.hset("bull:q:meta", mapping={"max": 1, "duration": 60_000})
        harms[what](client)
    good = await theirs.add("perform", steps(("return", "ok")))

    async with working(app):
        assert (await ended(theirs, good)).returnvalue == "ok"

    with server.connect() as client:
        assert client.get("bull:q:limiter") == b"1"


async def test_a_dead_letter_without_a_timestamp_can_be_replayed(
    theirs: PeerQueue, app: Stoker, server: Server
) -> None:
    with server.connect() as client:
        client.hset(JOB, mapping={"name": "perform", "data": "{}", "opts": "{}", "finishedOn": 1})
        client.zadd("bull:q:failed", {BAD: 1})

    assert await app.queue("q").job(BAD).retry()

    async with working(app):
        await eventually(lambda: drained(theirs), "it to be run")
    assert await theirs.counts() == {"completed": 1}


async def test_a_lost_job_that_cannot_be_put_in_line_has_not_crashed(server: Server) -> None:
    broker = await make_broker(server.url).open()
    await broker.add([NewJob("q", "t", "{}")])
    [job] = await broker.claim(Want({"q": 1}, 1, "w"))
    with server.connect(decode_responses=True) as client:
        client.delete(f"bull:q:{job.id}:lock")
        client.set("bull:q:wait", "of another type")

        assert await broker.recover(["q"], max_stalls=1) == []
        assert await broker.recover(["q"], max_stalls=1) == []
        client.delete("bull:q:wait")
        assert await broker.recover(["q"], max_stalls=1) == [job.id]

        assert client.hget(f"bull:q:{job.id}", "stc") == "1"
    await broker.close()


async def test_a_dead_letter_that_cannot_be_counted_is_made_once(server: Server) -> None:
    broker = await make_broker(server.url).open()
    await broker.add([NewJob("q", "t", "{}")])
    [job] = await broker.claim(Want({"q": 1}, 1, "w"))
    with server.connect(decode_responses=True) as client:
        client.delete(f"bull:q:{job.id}:lock")
        client.set("bull:q:metrics:failed", "of another type")

        assert await broker.recover(["q"], max_stalls=0) == [job.id]

        assert client.lrange("bull:q:active", 0, -1) == []
        assert client.zrange("bull:q:failed", 0, -1) == [job.id]
    await broker.close()
