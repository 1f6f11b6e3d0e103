"""A million jobs added, paged, failed, run again and cleaned, and many that run at a time: no
script holds the server up.

The server's own SLOWLOG is the witness.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from stoker import Stoker
from stoker.broker.base import Broker, Select, Want
from stoker.broker.redis.calls import CLAIMED_AT_ONCE
from stoker.broker.redis.scripts import names, script
from stoker.failure import Failure
from stoker.job.model import Keep, Lease, NewJob, lease_of
from stoker.job.outcome import Done, Failed, Outcome, Retried
from stoker.job.states import State
from stoker.queue import Filter
from tests.servers.fixtures import MakeServer
from tests.servers.server import Server, undisturbed
from tests.system.arena import soak

pytestmark = pytest.mark.system

SLOW_MS = 10
ADDED_AT_ONCE = 250
RUN = 5_000
"""Jobs that are claimed and settled while all the others wait."""
RUNNING = 50_000
WHY = Failure("error", "it broke", "line 1\nline 2")
ENDS: list[Callable[[Lease], Outcome]] = [
    lambda lease: Done(lease, '"ok"', Keep(count=1_000, age_ms=3_600_000)),
    lambda lease: Failed(lease, WHY),
    lambda lease: Retried(lease, WHY, 3_600_000),
]
WANT = Want({"q": 100}, count=100, lease_ms=30_000, worker="w")
MANY_WANTED = Want({"q": CLAIMED_AT_ONCE}, count=CLAIMED_AT_ONCE, lease_ms=3_600_000, worker="w")


class Witness:
    """What took longer than ``SLOW_MS`` in the server, more often than by its machine's fault."""

    def __init__(self, server: Server) -> None:
        self.steps: list[str] = []
        self.slow: list[str] = []
        self._server = server
        with server.connect() as client:
            client.config_set("slowlog-max-len", 10_000)
            client.config_set("slowlog-log-slower-than", SLOW_MS * 1_000)

    @contextmanager
    def watching(self, step: str) -> Iterator[None]:
        with self._server.connect() as client:
            client.slowlog_reset()
            client.config_resetstat()
            began = time.monotonic()
            yield
            self.steps.append(f"{step}: {time.monotonic() - began:.1f} s")
            calls = client.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"]
            entries = client.slowlog_get(10_000)
        # The clock goes on while the machine lets somebody else run: one in a hundred may be that.
        # A script whose time grows with the backlog is slow each time.
        if len(entries) > calls / 100:
            self.slow += [f"{step}: {_named(entry['command'])} {entry['duration'] / 1_000:.1f} ms"
                          for entry in entries]  # fmt: skip


def _named(command: bytes) -> str:
    words = command.decode(errors="replace")
    for name in names():
        if script(name).digest in words:
            return name
    return words[:60]


@pytest.mark.parametrize("count", [50_000, soak(1_000_000)])
async def test_no_script_is_slow_however_many_jobs_there_are(
    make_server: MakeServer, request: pytest.FixtureRequest, count: int
) -> None:
    server = make_server(save='""', within=undisturbed())
    witness = Witness(server)
    app = Stoker(server.url)
    queue = app.queue("q")
    broker = await app.client.broker()

    with witness.watching("add"):
        for _ in range(count // ADDED_AT_ONCE):
            await broker.add([NewJob("q", "t", '{"to": "ada"}')] * ADDED_AT_ONCE)
    for newest_first in (False, True):
        with witness.watching("page"):
            assert await paged(broker, State.WAITING, newest_first=newest_first) == count
    with witness.watching("run"):
        await run(broker, RUN)
    with witness.watching("cancel"):
        assert await queue.cancel(Filter(state=State.WAITING)) == count - RUN
    with witness.watching("page the failed"):
        assert await paged(broker, State.FAILED, newest_first=True) > count - RUN
    with witness.watching("retry"):
        again = await queue.requeue(Filter(state=State.FAILED))
    with witness.watching("pause, resume"):
        await queue.pause()
        await queue.resume()
    with witness.watching("run again"):
        await run(broker, RUN)
    with witness.watching("clean half of the waiting, by name"):
        assert await queue.remove(Filter(state=State.WAITING, name="other")) == 0
    with witness.watching("clean the waiting"):
        assert await queue.remove(Filter(state=State.WAITING)) == again - RUN
    with witness.watching("clean the ended"):
        for state in (State.COMPLETED, State.FAILED, State.DELAYED):
            await queue.remove(Filter(state=state))

    stats = await queue.stats()
    await app.close()
    request.node.add_report_section("call", "steps", "\n".join(witness.steps))
    assert not any(stats.counts.values()), stats
    assert not witness.slow, "\n".join([f"{len(witness.slow)} slow:", *witness.slow])


async def test_no_script_is_slow_however_many_jobs_run(make_server: MakeServer) -> None:
    server = make_server(save='""', within=undisturbed())
    witness = Witness(server)
    app = Stoker(server.url)
    queue = app.queue("q")
    broker = await app.client.broker()
    for _ in range(RUNNING // ADDED_AT_ONCE):
        await broker.add([NewJob("q", "t", '{"to": "ada"}')] * ADDED_AT_ONCE)
    leases: list[Lease] = []
    for _ in range(RUNNING // CLAIMED_AT_ONCE):
        leases += map(lease_of, await broker.claim(MANY_WANTED))
    assert len(leases) == RUNNING
    again, stalled, called_off, ended = (every_500th(leases, first) for first in (0, 100, 200, 300))
    added = await broker.add([NewJob("q", "t", "{}")] * len(again))

    with witness.watching("end some, claimed together"):
        await broker.finish([Done(lease, "null") for lease in leases[RUNNING // 2 :][:50]])
    with witness.watching("end some"):
        for lease in ended:
            await broker.finish([Done(lease, "null")])
    with witness.watching("try some again"):
        for lease in again:
            await broker.finish([Retried(lease, WHY)])
    with server.connect() as client:
        client.delete(*(f"bull:q:{lease.id}:lock" for lease in stalled))
    for jobs in ([one.id for one in added], *map(ids_of, (again, stalled, called_off, ended))):
        with witness.watching("find some"):
            assert await found(broker, jobs) == len(jobs)
    with witness.watching("renew what ran out"):
        assert not await broker.extend(stalled, 30_000)
    with server.connect() as client:
        client.delete(*(f"bull:q:{lease.id}:lock" for lease in stalled))
    with witness.watching("take back"):
        assert len(await broker.recover(["q"], 5)) == len(stalled)
    with witness.watching("cancel some"):
        assert await queue.cancel(ids_of(called_off)) == len(called_off)
    with witness.watching("remove some"):
        assert await queue.remove(ids_of(again)) == len(again)

    await app.close()
    assert not witness.slow, "\n".join([f"{len(witness.slow)} slow:", *witness.slow])


def every_500th(leases: Sequence[Lease], first: int) -> list[Lease]:
    return list(leases[first::500])


def ids_of(leases: Sequence[Lease]) -> list[str]:
    return [lease.id for lease in leases]


async def found(broker: Broker, ids: Sequence[str]) -> int:
    """Page through jobs by their ids; return how many there were."""
    seen, after = 0, None
    while True:
        page = await broker.find(Select("q", ids=tuple(ids), after=after))
        seen += len(page.jobs)
        if page.next is None:
            return seen
        after = page.next


async def paged(broker: Broker, state: State, *, newest_first: bool) -> int:
    """Page through a state; return how many jobs there were."""
    seen, after = 0, None
    while True:
        page = await broker.find(Select("q", state=state, newest_first=newest_first, after=after))
        seen += len(page.jobs)
        if page.next is None:
            return seen
        after = page.next


async def run(broker: Broker, count: int) -> None:
    """Claim so many jobs, and end them in all ways."""
    jobs = await broker.claim(WANT)
    while count > 0:
        count -= len(jobs)
        leases = [lease_of(job) for job in jobs]
        outcomes = [ENDS[number % len(ENDS)](lease) for number, lease in enumerate(leases)]
        jobs = (await broker.finish(outcomes, WANT if count > 0 else None)).jobs
