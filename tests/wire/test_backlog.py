"""However many jobs wait, no script holds up the server for long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest

from stoker.broker import make_broker
from stoker.broker.base import Broker, Page, Select, Swept, Want
from stoker.failure import Failure
from stoker.job.model import JobRecord, Keep, NewJob, lease_of
from stoker.job.outcome import Done, Retried
from stoker.job.states import State
from tests.servers.server import Server

WAITING = 300_000
FILL = """
for first = 1, ARGV[1], 5000 do
  local ids = {}
  for id = first, first + 4999 do
    ids[#ids + 1] = id
    redis.call('HSET', KEYS[1] .. id, 'name', 't', 'data', '{}', 'opts', '{}', 'timestamp', 1)
  end
  redis.call('LPUSH', KEYS[1] .. 'wait', unpack(ids))
end
"""


@pytest.fixture
def filled(server: Server) -> Server:
    """A server with many jobs in line."""
    with server.connect() as client:
        client.eval(FILL, 1, "bull:q:", WAITING)
    return server


def searches(server: Server) -> int:
    with server.connect() as client:
        stats = client.info("commandstats")
    return sum(int(stats.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in ("lrem", "lpos"))


async def test_ids_in_a_long_line_are_removed_a_few_at_a_call(filled: Server) -> None:
    broker = await make_broker(filled.url).open()
    ids = tuple(str(WAITING // 2 + number) for number in range(30))
    select = Select("q", ids=ids)

    swept = await broker.remove(select)
    assert 0 < len(swept.ids) <= 2
    gone = list(swept.ids)
    while swept.next is not None:
        swept = await broker.remove(Select("q", ids=ids, after=swept.next))
        gone += swept.ids

    assert gone == list(ids)
    [stats] = await broker.queues(["q"])
    assert stats.counts[State.WAITING] == WAITING - len(ids)
    await broker.close()


@pytest.mark.parametrize("newest_first", [False, True])
async def test_a_long_line_is_paged_without_searching_it(
    filled: Server, newest_first: bool
) -> None:
    broker = await make_broker(filled.url).open()
    with filled.connect() as client:
        client.config_resetstat()
    seen: list[str] = []
    after = None
    while len(seen) < 3_000:
        page = await broker.find(
            Select("q", state=State.WAITING, newest_first=newest_first, after=after)
        )
        seen += [job.id for job in page.jobs]
        after = page.next

    numbers = range(1, WAITING + 1)
    expected = numbers[: -len(seen) - 1 : -1] if newest_first else numbers[: len(seen)]
    assert seen == [str(number) for number in expected]
    assert searches(filled) == 0
    await broker.close()


async def test_a_text_is_searched_for_in_so_many_bytes_at_a_call(server: Server) -> None:
    broker = await make_broker(server.url).open()
    await broker.add([NewJob("q", "t", f'"{"x" * 100_000}"') for _ in range(50)])
    await broker.add([NewJob("q", "t", '"needle"')])

    page = await broker.find(Select("q", state=State.WAITING, text="needle"))
    pages = 1
    while page.next is not None and not page.jobs:
        after = page.next
        page = await broker.find(Select("q", state=State.WAITING, text="needle", after=after))
        pages += 1

    assert len(page.jobs) == 1
    assert pages > 3
    await broker.close()


async def test_ids_without_jobs_are_passed_over_so_many_at_a_call(server: Server) -> None:
    broker = await make_broker(server.url).open()
    with server.connect() as client:
        client.rpush("bull:q:wait", *range(10_001, 20_001))
    [added] = await broker.add([NewJob("q", "t", "{}")])
    with server.connect() as client:
        client.config_resetstat()

        [job] = await broker.claim(Want({"q": 1}, count=1, lease_ms=30_000, worker="w"))

        calls = client.info("commandstats")["cmdstat_evalsha"]["calls"]
    assert job.id == added.id
    assert calls >= 5
    await broker.close()


async def test_what_several_workers_run_is_ended_without_searching_it(server: Server) -> None:
    broker = await make_broker(server.url).open()
    await broker.add([NewJob("q", "t", "{}")] * 1_000)
    batches = [await broker.claim(Want({"q": 200}, 200, f"w{number}")) for number in range(5)]
    with server.connect(decode_responses=True) as client:
        client.config_resetstat()
        active = client.lrange("bull:q:active", 0, -1)

        finished = await broker.finish([Done(lease_of(job), "null", Keep()) for job in batches[3]])

        assert searches(server) == 0
        ended = {job.id for job in batches[3]}
        assert not finished.lost
        assert client.lrange("bull:q:active", 0, -1) == [id for id in active if id not in ended]
    await broker.close()


async def test_leases_of_jobs_that_have_just_ended_are_renewed_without_a_search(
    server: Server,
) -> None:
    broker = await make_broker(server.url).open()
    await broker.add([NewJob("q", "t", "{}")] * 200)
    leases = [lease_of(job) for job in await broker.claim(Want({"q": 200}, 200, "w"))]
    # Their worker does not know yet: the answer is on its way, and it renews what it holds.
    await broker.finish([Done(lease, "null", Keep()) for lease in leases[:100]])
    with server.connect() as client:
        client.config_resetstat()

    lost = await broker.extend(leases, 30_000)

    assert lost == set(leases[:100])
    assert searches(server) == 0
    await broker.close()


async def test_many_leases_that_ran_out_are_renewed_with_a_few_searches(server: Server) -> None:
    broker = await make_broker(server.url).open()
    leases = [lease_of(job) for job in await claimed(broker, 400)]
    with server.connect(decode_responses=True) as client:
        locks = [f"bull:q:{lease.id}:lock" for lease in leases]
        assert client.delete(*locks) == 400
        client.lrem("bull:q:active", 1, leases[-1].id)  # somebody has taken it out
        client.config_resetstat()

        lost = await broker.extend(leases, 30_000)

        assert lost == {leases[-1]}
        assert searches(server) <= 32
        assert client.exists(*locks) == 399
    await broker.close()


async def test_leases_that_ran_out_beside_many_active_jobs_are_looked_for_part_by_part(
    server: Server,
) -> None:
    broker = await make_broker(server.url).open()
    leases = [lease_of(job) for job in await claimed(broker, 100)]
    with server.connect(decode_responses=True) as client:
        for number, lease in enumerate(leases):  # among the jobs of others
            client.linsert("bull:q:active", "before", lease.id, f"other-{number}")
            client.rpush("bull:q:active", *(f"older-{number}-{n}" for n in range(200)))
        client.delete(*(f"bull:q:{lease.id}:lock" for lease in leases))
        gone = set(leases[::10])
        for lease in gone:  # as a Node worker takes jobs back
            client.lrem("bull:q:active", 1, lease.id)
            client.rpush("bull:q:wait", lease.id)
        client.config_resetstat()

        lost = await broker.extend(leases, 30_000)

        assert lost == gone
        assert searches(server) == len(gone), "only those that were in no part"
        held = [f"bull:q:{lease.id}:lock" for lease in set(leases) - gone]
        assert client.exists(*held) == len(held)
    await broker.close()


async def test_the_newest_of_a_long_active_list_are_ended_from_its_end(server: Server) -> None:
    broker = await make_broker(server.url).open()
    jobs = await claimed(broker, 300)
    with server.connect(decode_responses=True) as client:
        others = [f"other-{number}" for number in range(20_000)]
        client.rpush("bull:q:active", *others)  # older, and they run on

        finished = await broker.finish([Done(lease_of(job), "null", Keep()) for job in jobs[100:]])

        assert not finished.lost
        active = client.lrange("bull:q:active", 0, -1)
        assert active == [job.id for job in reversed(jobs[:100])] + others
    await broker.close()


# Jobs named by their ids, beside many that run


async def claimed(broker: Broker, count: int) -> list[JobRecord]:
    await broker.add([NewJob("q", "t", "{}")] * count)
    jobs: list[JobRecord] = []
    while len(jobs) < count:  # a call gives out a part of many
        jobs += await broker.claim(Want({"q": count - len(jobs)}, count - len(jobs), "w"))
    return jobs


async def retried(broker: Broker, count: int) -> list[str]:
    """Return the ids of jobs that were claimed before, and are in line again."""
    jobs = await claimed(broker, count)
    await broker.finish([Retried(lease_of(job), Failure("error", "no")) for job in jobs])
    return [job.id for job in jobs]


def beside(server: Server, others: int) -> list[str]:
    """Have so many jobs of other workers run as well; return all, the last claimed first."""
    with server.connect(decode_responses=True) as client:
        for first in range(0, others, 5_000):
            ids = [f"other-{number}" for number in range(first, min(first + 5_000, others))]
            client.rpush("bull:q:active", *ids[::2])
            client.lpush("bull:q:active", *ids[1::2])
        client.config_resetstat()
        return [str(id) for id in client.lrange("bull:q:active", 0, -1)]


def scattered(server: Server, jobs: Sequence[JobRecord], side: str) -> list[str]:
    """Have 150 jobs of other workers run for each, claimed before or after it; return all."""
    active: list[str] = []
    for job in jobs:
        others = [f"other-{job.id}-{number}" for number in range(150)]
        active += [job.id, *others] if side == "newest" else [*others, job.id]
    with server.connect() as client:
        client.delete("bull:q:active")
        client.rpush("bull:q:active", *active)
    return active


async def in_pages(
    operation: Callable[[Select], Awaitable[Page | Swept]], ids: Sequence[str]
) -> list[list[str]]:
    """Return the ids that each call of a whole sweep over ids dealt with."""
    pages: list[list[str]] = []
    after: str | None = None
    while not pages or after is not None:
        page = await operation(Select("q", ids=tuple(ids), after=after))
        pages.append([job.id for job in page.jobs] if isinstance(page, Page) else list(page.ids))
        after = page.next
    return pages


async def test_jobs_that_were_never_claimed_are_found_without_a_search(server: Server) -> None:
    broker = await make_broker(server.url).open()
    ids = [added.id for added in await broker.add([NewJob("q", "t", "{}")] * 100)]
    beside(server, 1_000)

    page = await broker.find(Select("q", ids=tuple(ids)))

    assert {job.state for job in page.jobs} == {State.WAITING}
    assert searches(server) == 0
    await broker.close()


async def test_jobs_that_were_taken_back_are_found_without_a_search(server: Server) -> None:
    broker = await make_broker(server.url).open()
    ids = [job.id for job in await claimed(broker, 100)]
    with server.connect() as client:
        client.delete(*(f"bull:q:{id}:lock" for id in ids))
    assert len(await broker.recover(["q"], 5)) == len(ids)
    beside(server, 1_000)

    page = await broker.find(Select("q", ids=tuple(ids)))

    assert {job.state for job in page.jobs} == {State.WAITING}
    assert searches(server) == 0
    await broker.close()


async def test_jobs_that_were_claimed_together_are_found_with_a_few_searches(
    server: Server,
) -> None:
    broker = await make_broker(server.url).open()
    ids = [job.id for job in await claimed(broker, 100)]
    with server.connect() as client:
        client.delete(*(f"bull:q:{id}:lock" for id in ids))
    beside(server, 1_000)

    page = await broker.find(Select("q", ids=tuple(ids)))

    assert [job.id for job in page.jobs if job.state is State.ACTIVE] == ids
    assert searches(server) <= 8
    await broker.close()


async def test_beside_very_many_that_run_a_few_are_looked_up_at_a_call(server: Server) -> None:
    broker = await make_broker(server.url).open()
    ids = await retried(broker, 20)
    beside(server, 100_000)

    pages = await in_pages(broker.find, ids)

    assert [id for page in pages for id in page] == ids
    assert max(map(len, pages)) <= 4
    await broker.close()


async def test_beside_very_many_that_run_a_few_are_cancelled_at_a_call(server: Server) -> None:
    broker = await make_broker(server.url).open()
    ids = [job.id for job in await claimed(broker, 20)]
    active = beside(server, 100_000)

    pages = await in_pages(lambda select: broker.cancel(select, "no need"), ids)

    assert [id for page in pages for id in page] == ids
    assert max(map(len, pages)) <= 4
    with server.connect(decode_responses=True) as client:
        left = client.lrange("bull:q:active", 0, -1)
    assert left == [id for id in active if id not in ids]
    await broker.close()


async def test_beside_very_many_that_run_a_few_that_ran_out_are_renewed_at_a_call(
    server: Server,
) -> None:
    broker = await make_broker(server.url).open()
    jobs = await claimed(broker, 100)
    scattered(server, jobs, "oldest")
    with server.connect() as client:
        locks = [f"bull:q:{job.id}:lock" for job in jobs]
        client.delete(*locks)
        client.config_resetstat()

        lost = await broker.extend([lease_of(job) for job in jobs], 30_000)

        assert not lost
        assert client.exists(*locks) == len(locks)
        assert client.info("commandstats")["cmdstat_evalsha"]["calls"] >= 5
    await broker.close()


async def test_what_has_stalled_is_taken_out_at_once(server: Server) -> None:
    broker = await make_broker(server.url).open()
    jobs = await claimed(broker, 400)
    stalled = [job.id for job in jobs[::2]]
    with server.connect(decode_responses=True) as client:
        client.delete(*(f"bull:q:{id}:lock" for id in stalled))
        client.config_resetstat()

        taken = await broker.recover(["q"], 5)

        assert taken == stalled
        assert searches(server) <= 2, "one for each call"
        assert client.lrange("bull:q:active", 0, -1) == [job.id for job in reversed(jobs[1::2])]
        assert client.lrange("bull:q:wait", 0, -1) == stalled
    await broker.close()


async def test_what_was_claimed_together_is_ended_wherever_it_lies(server: Server) -> None:
    broker = await make_broker(server.url).open()
    jobs = await claimed(broker, 60)
    active = beside(server, 20_000)

    finished = await broker.finish([Done(lease_of(job), "null", Keep()) for job in jobs])

    assert not finished.lost
    assert searches(server) <= 3
    ended = {job.id for job in jobs}
    with server.connect(decode_responses=True) as client:
        assert client.lrange("bull:q:active", 0, -1) == [id for id in active if id not in ended]
    await broker.close()


@pytest.mark.parametrize("side", ["oldest", "newest"])
async def test_what_lies_scattered_among_many_that_run_is_ended_at_once(
    server: Server, side: str
) -> None:
    broker = await make_broker(server.url).open()
    jobs = await claimed(broker, 100)
    with server.connect(decode_responses=True) as client:
        active = scattered(server, jobs, side)
        client.config_resetstat()

        finished = await broker.finish([Done(lease_of(job), "null", Keep()) for job in jobs])

        assert not finished.lost
        assert searches(server) <= 10
        left = client.lrange("bull:q:active", 0, -1)
    assert left == [id for id in active if id.startswith("other")]
    await broker.close()


@pytest.mark.parametrize(
    ("count", "running", "most_calls"), [(5, 150_000, 5), (100, 150_000, 10), (40, 700_000, 60)]
)
async def test_among_very_many_that_run_one_call_ends_a_part(
    server: Server, count: int, running: int, most_calls: int
) -> None:
    broker = await make_broker(server.url).open()
    *jobs, taken = await claimed(broker, count)
    await broker.add([NewJob("q", "t", "{}")])
    others = [f"other-{number}" for number in range(running)]
    step = len(others) // count
    with server.connect(decode_responses=True) as client:
        client.delete("bull:q:active")
        for place, job in enumerate(jobs):
            client.rpush("bull:q:active", *others[place * step : (place + 1) * step], job.id)
        client.rpush("bull:q:active", *others[len(jobs) * step :])
        client.config_resetstat()

        finished = await broker.finish(
            [Done(lease_of(job), "null", Keep()) for job in (*jobs, taken)],
            Want({"q": 1}, 1, "w"),
        )

        assert finished.lost == {lease_of(taken)}
        assert [job.id for job in finished.jobs] == [str(count + 1)]
        calls = client.info("commandstats")["cmdstat_evalsha"]["calls"]
        assert 1 < calls <= most_calls, "each call is bounded, and does its part"
        assert client.lrange("bull:q:active", 1, -1) == others
        assert client.zcard("bull:q:completed") == len(jobs)
    await broker.close()


async def test_the_keys_of_a_very_long_line_are_looked_for_together(server: Server) -> None:
    broker = await make_broker(server.url).open()
    ids = [added.id for added in await broker.add([NewJob("q", "t", "{}")] * 50)]
    with server.connect() as client:
        for first in range(0, 500_000, 10_000):  # behind them; jobs that nobody comes to
            client.lpush("bull:q:wait", *range(first + 1_000, first + 11_000))
        client.config_resetstat()

        jobs = await broker.claim(Want({"q": 50}, 50, "w"))

        assert [job.id for job in jobs] == ids
        assert client.info("commandstats")["cmdstat_exists"]["calls"] == 1
    await broker.close()


async def test_ids_of_large_jobs_are_found_so_many_bytes_at_a_call(server: Server) -> None:
    broker = await make_broker(server.url).open()
    large = NewJob("q", "t", f'"{"x" * 1_000_000}"')
    ids = [added.id for _ in range(20) for added in await broker.add([large])]

    pages = await in_pages(broker.find, ids)

    assert [id for page in pages for id in page] == ids
    assert len(pages) > 1
    await broker.close()
