"""Users of a server: the least rule that the guide gives is enough, and what is missing is said."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from stoker import BrokerUnavailable, ConfigError, JobFailed, Stoker
from stoker.broker import make_broker
from stoker.broker.base import Want
from stoker.broker.redis.rights import commands_of
from stoker.broker.redis.scripts import names, script
from stoker.job.model import NewJob
from tests.servers.cluster import Cluster
from tests.servers.fixtures import MakeServer
from tests.servers.kinds import OFFERED, Kind
from tests.servers.server import Server
from tests.wire.peer import Peer
from tests.wire.perform import QUEUE, application, working
from tests.wire.test_node_adds import ended, steps

GUIDE = Path(__file__).parents[2] / "docs" / "guide.md"
PRODUCER, WORKER = "shop-web", "shop-worker"
OPERATORS = {"cancel", "configure", "detail", "remove", "requeue"}
SCRIPTS = {PRODUCER: {"add", "detail"}, WORKER: set(names()) - OPERATORS}
WANT = Want({"q": 1}, count=1, lease_ms=30_000, worker="w")


def rule_of(user: str) -> list[str]:
    """Return the words of a user's rule in the guide."""
    found = re.search(rf"^(ACL SETUSER {user} .*(?:\n  .*)*)", GUIDE.read_text(), re.MULTILINE)
    assert found is not None, f"the guide has no rule of {user}"
    return found[1].split()


def login(server: Server, user: str, *changes: str) -> str:
    """Make a user as the guide says, with changes, and return the URL."""
    with server.connect() as client:
        client.execute_command(*rule_of(user), *changes)
    return f"redis://{user}:secret@{server.host}:{server.port}/0"


def denied(server: Server) -> list[str]:
    """Return what users tried and were not allowed, but for what redis-py can do without."""
    with server.connect(decode_responses=True) as client:
        entries = client.acl_log()
    return [
        f"{entry['context']} {entry['object']}"
        for entry in entries
        if not str(entry["object"]).startswith("client")  # its offer to be told of maintenance
    ]


@pytest.mark.parametrize("kind", OFFERED, ids=str)
async def test_with_the_least_rights_jobs_are_added_and_run(
    make_server: MakeServer, kind: Kind
) -> None:
    server = make_server(kind)
    web = application(login(server, PRODUCER))
    worker = application(login(server, WORKER))
    does = {
        "returns": steps(("log", "a line"), ("progress", 50), ("return", "ok")),
        "is retried": steps(("failUntil", 2), ("return", "ok")),
    }

    async with working(worker):
        for data in does.values():
            settings = {"attempts": 3, "backoff": 0.01, "delay": 0.01, "dedup": "one"}
            job = await web.queue(QUEUE).add("perform", data, **settings)
            assert await job.wait(20) == "ok"
        unchecked = Stoker(web.url.text)  # it knows no task, and so takes what cannot be run
        with pytest.raises(JobFailed):
            await (await unchecked.queue(QUEUE).add("perform", {"steps": 7})).wait(20)
        await unchecked.close()
        many = await web.queue(QUEUE).add_many("perform", [{}] * 30, priority=3)
        await asyncio.gather(*(job.wait(20) for job in many))

    await web.close()
    await worker.close()
    assert denied(server) == []


async def test_with_the_least_rights_the_jobs_of_node_run(make_server: MakeServer) -> None:
    server = make_server()
    worker = application(login(server, WORKER))

    with Peer(server) as peer:
        queue = peer.queue(QUEUE)
        await queue.add_flow("perform", {"jobId": "p"}, {"jobId": "one"})
        failing = await queue.add(
            "perform", steps(("fail", "no")), removeOnFail={"count": 1, "age": 60}, keepLogs=1
        )
        async with working(worker):
            await ended(queue, "p")
            await ended(queue, failing)
        assert await queue.counts() == {"completed": 2, "failed": 1}

    await worker.close()
    assert denied(server) == []


async def test_with_the_least_rights_in_a_cluster(cluster: Cluster) -> None:
    for node in cluster.nodes:
        for user in (PRODUCER, WORKER):
            login(node, user, "resetkeys", "~{bull}:*", "+cluster|slots", "+command")
    scheme, hosts = cluster.url.split("://")
    web = application(f"{scheme}://{PRODUCER}:secret@{hosts}")
    worker = application(f"{scheme}://{WORKER}:secret@{hosts}")

    async with working(worker):
        job = await web.queue(QUEUE).add("perform", steps(("return", "ok")))
        assert await job.wait(20) == "ok"

    await web.close()
    await worker.close()
    assert [entry for node in cluster.nodes for entry in denied(node)] == []


async def test_a_user_who_may_not_see_the_cluster_is_told(cluster: Cluster) -> None:
    for node in cluster.nodes:
        login(node, PRODUCER, "resetkeys", "~{bull}:*")
    app = application(cluster.url.replace("://", f"://{PRODUCER}:secret@"))

    with pytest.raises(BrokerUnavailable) as refused:
        await app.queue(QUEUE).add("perform", {})

    await app.close()
    assert "+cluster|slots +command" in str(refused.value.hint)


@pytest.mark.parametrize("user", [PRODUCER, WORKER])
def test_the_rules_grant_what_is_used_and_no_more(user: str) -> None:
    granted = {word[1:].upper() for word in rule_of(user) if word.startswith("+")}
    called = frozenset[str]().union(*map(commands_of, names()))

    alone = {
        *("INFO", "EVAL", "EVALSHA", "BZPOPMIN", "XRANGE", "XREVRANGE", "XREAD", "XINFO|STREAM"),
        *(f"CLIENT|{word}" for word in ("ID", "SETINFO", "SETNAME", "UNBLOCK")),
    }
    assert granted <= called | alone
    assert granted >= frozenset[str]().union(*map(commands_of, SCRIPTS[user]))


def test_every_call_of_a_script_is_known() -> None:
    for name in names():
        text = script(name).text
        written = set(re.findall(r"'([A-Z]{3,})'", text))
        words = {"LIMIT", "WITHSCORES", "MAXLEN", "RANK", "PXAT", "COUNT"}
        assert written - words <= commands_of(name), name


async def test_a_command_that_is_forbidden_is_named_before_anything_is_done(
    make_server: MakeServer,
) -> None:
    server = make_server()
    url = login(server, WORKER, "-lpush", "-zpopmin")
    async with Stoker(server.url) as app:
        await app.queue("q").add("t", {})
    broker = await make_broker(url).open()

    with pytest.raises(ConfigError) as refused:
        await broker.claim(WANT)

    await broker.close()
    assert "'shop-worker' may not run LPUSH, ZPOPMIN" in refused.value.message
    assert "ACL SETUSER shop-worker +lpush +zpopmin" in str(refused.value.hint)
    with server.connect() as client:
        assert client.llen("bull:q:wait") == 1, "the job was taken out of its line, and lost"


async def test_who_may_not_claim_may_add(make_server: MakeServer) -> None:
    broker = await make_broker(login(make_server(), PRODUCER)).open()

    assert await broker.add([NewJob("q", "t", "{}")])
    with pytest.raises(ConfigError, match="RPOP"):
        await broker.claim(WANT)

    await broker.close()


@pytest.mark.parametrize("kind", OFFERED, ids=str)
@pytest.mark.parametrize(
    ("change", "says", "grant"),
    [
        (("-info",), "may not run INFO", "+info"),
        (("-eval", "-evalsha"), "may not run EVAL", "+eval"),
        (("resetkeys", "~shop:*"), "may not use a key that begins with bull:", "~bull:*"),
    ],
)
async def test_what_is_missing_is_named(
    make_server: MakeServer, kind: Kind, change: tuple[str, ...], says: str, grant: str
) -> None:
    app = application(login(make_server(kind), PRODUCER, *change))

    with pytest.raises(ConfigError) as refused:
        await app.queue(QUEUE).add("perform", {})

    await app.close()
    assert says in refused.value.message
    assert grant in str(refused.value.hint)
    assert "secret" not in str(refused.value)


async def test_a_user_may_be_kept_to_one_queue(make_server: MakeServer) -> None:
    app = application(login(make_server(), PRODUCER, "resetkeys", f"~bull:{QUEUE}:*"))

    await app.queue(QUEUE).add("perform", {})
    with pytest.raises(ConfigError, match="key"):
        await app.queue("other").add("perform", {})

    await app.close()
