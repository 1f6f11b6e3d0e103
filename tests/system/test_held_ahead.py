"""Jobs that were claimed ahead of a slot, and what befalls their worker: none is lost or kept.

Jobs of no length teach the worker to claim ahead; of those that follow, as many as it has slots are
held by the test. What was claimed beside them waits, for longer than it would in earnest.
"""

from __future__ import annotations

import signal
from collections import Counter

import pytest

from stoker.job.model import JobRecord
from stoker.job.states import State
from stoker.queue import Filter
from tests.servers.fixtures import MakeServer
from tests.system.arena import LEASE_MS, RECOVERED_WITHIN, Arena, WorkerProcess
from tests.system.oracle import untroubled

pytestmark = pytest.mark.system

CONCURRENCY = 10
QUICK = 300
HELD = 30
LONG_LEASE = {"lease_ms": 600_000, "recover_ms": 100}
"""What is handed back within seconds was not waited for until its lease ran out."""

Claim = tuple[str, int]
"""A job's id, and which of its claims it is."""


@pytest.fixture(params=["sqlite", "redis"])
def stage(request: pytest.FixtureRequest, arena: Arena, make_server: MakeServer) -> Arena:
    """The arena, on each store."""
    if request.param == "redis":
        arena.play_on(make_server().url)
    return arena


def worker_that_holds(stage: Arena, name: str, **settings: int) -> WorkerProcess:
    """Start a worker in whose line jobs wait without end, and whose ledger is not synced."""
    env = {"FAULT_LINE": "60", "FAULT_SYNC": "0"}
    return stage.worker(name, concurrency=CONCURRENCY, env=env, **settings)


def jobs(stage: Arena, *states: State) -> dict[str, JobRecord]:
    """Return the jobs as the store has them: all, or those in some states."""
    find = stage.app.queue().find
    found: dict[str, JobRecord] = {}
    for state in states or State:
        after = None
        while True:
            page = stage.app.run(find(Filter(state=state), after=after))
            found |= {job.id: job for job in page.jobs}
            if (after := page.next) is None:
                break
    return found


def until_drained(stage: Arena) -> dict[str, JobRecord]:
    """Wait until there is nothing left to run; return all jobs."""
    left = (State.WAITING, State.DELAYED, State.ACTIVE)
    stage.until(lambda: not jobs(stage, *left), "all jobs to end", every=0.05)
    return jobs(stage)


def active(stage: Arena) -> set[Claim]:
    return {(job.id, job.starts) for job in jobs(stage, State.ACTIVE).values()}


def begun(stage: Arena) -> set[Claim]:
    return {(entry.job, entry.claim) for entry in stage.entries("start")}


def held_ahead(stage: Arena, worker: WorkerProcess) -> set[Claim]:
    """Return what a worker has beside what it runs: in the store, and come to it."""
    stored = active(stage)
    if len(stored) <= CONCURRENCY:
        return set()
    came = {id for line in worker.said("jobs.claimed") for id, _ in line.jobs}
    return {claim for claim in stored - begun(stage) if claim[0] in came}


def until_full(stage: Arena, worker: WorkerProcess, long: list[str]) -> set[Claim]:
    """Wait until a worker runs long jobs only, and return what it holds beside them."""

    def full() -> set[Claim]:
        busy = {id for id, _ in begun(stage)} & {*long}
        return held_ahead(stage, worker) if len(busy) == CONCURRENCY else set()

    return stage.until(full, f"{worker.name} to hold jobs ahead")


def test_what_a_killed_worker_held_ahead_runs_again(stage: Arena) -> None:
    ids = stage.add("nap", QUICK)
    ids += (long := stage.add("hold", HELD, name="job"))
    victim = worker_that_holds(stage, "victim")
    held = until_full(stage, victim, long)
    stage.open_gate("job", claim=2)

    killed_at = victim.kill()

    orphans = jobs(stage, State.ACTIVE)
    assert len(orphans) > CONCURRENCY
    stage.open_gate("job", claim=1)
    heir = stage.worker("heir", concurrency=CONCURRENCY)
    after = until_drained(stage)
    assert after.keys() == {*ids}
    assert {(job.state, job.attempts) for job in after.values()} == {(State.COMPLETED, 1)}
    assert {id for id, job in after.items() if job.crashes == 1} == orphans.keys()
    recovered = [(id, line.at) for line in heir.said("jobs.recovered") for id, _ in line.jobs]
    assert Counter(id for id, _ in recovered) == dict.fromkeys(orphans, 1)
    assert max(at for _, at in recovered) - killed_at < RECOVERED_WITHIN
    assert not held & begun(stage)
    assert Counter(entry.job for entry in stage.entries("end")) == dict.fromkeys(ids, 1)


def test_what_a_stopping_worker_held_ahead_is_handed_back_at_once(stage: Arena) -> None:
    ids = stage.add("nap", QUICK)
    ids += (long := stage.add("hold", HELD, name="job"))
    leaver = worker_that_holds(stage, "leaver", **LONG_LEASE)
    held = until_full(stage, leaver, long)

    leaver.signal(signal.SIGTERM)
    stage.until(lambda: leaver.said("worker.stopping"), "the worker to drain")
    stage.until(lambda: len(jobs(stage, State.ACTIVE)) == CONCURRENCY, "all that wait to be back")
    stage.open_gate("job", claim=1)

    assert leaver.exit_code(10) == 0, leaver.tail()
    left = jobs(stage, State.WAITING, State.ACTIVE).values()
    assert len(left) == HELD - CONCURRENCY
    assert {(job.state, job.attempts, job.crashes) for job in left} == {(State.WAITING, 0, 0)}
    assert not held & begun(stage)
    stage.open_gate("job", claim=2)
    stage.worker("heir", concurrency=CONCURRENCY, **LONG_LEASE)
    after = until_drained(stage).values()
    assert {(job.state, job.attempts, job.crashes) for job in after} == {(State.COMPLETED, 1, 0)}
    assert Counter(entry.job for entry in stage.entries("end")) == dict.fromkeys(ids, 1)
    untroubled(leaver)


def test_what_a_frozen_worker_held_ahead_is_not_its_own_when_it_comes_back(stage: Arena) -> None:
    stage.add("nap", QUICK)
    long = stage.add("hold", HELD, name="job")
    zombie = worker_that_holds(stage, "zombie")
    held = until_full(stage, zombie, long)
    stage.freeze(zombie)
    taken = jobs(stage, State.ACTIVE)
    heir = stage.worker("heir", concurrency=2 * HELD)
    stage.open_gate("job", claim=2)
    stage.until(lambda: jobs(stage, State.COMPLETED).keys() >= taken.keys(), "the heir to do them")
    before = jobs(stage, State.COMPLETED)

    zombie.thaw()

    running = {entry.token for entry in stage.entries("start") if entry.worker == "zombie"}
    running -= {entry.token for entry in stage.entries("end")}
    stage.until(
        lambda: {token for line in zombie.said("jobs.lost") for _, token in line.jobs} >= running,
        "the zombie to know of its loss",
    )
    stage.open_gate("job", claim=1)
    until_drained(stage)
    heir.stop()
    new = stage.add("nap", QUICK)
    after = until_drained(stage)
    zombie.stop()
    assert not held & begun(stage)
    assert {id: after[id] for id in before} == before
    assert {(after[id].worker, after[id].crashes, after[id].attempts) for id in taken} == {
        ("heir", 1, 1)
    }
    assert {after[id].worker for id in new} == {"zombie"}


def test_what_is_held_ahead_keeps_its_lease_while_the_loop_is_blocked(stage: Arena) -> None:
    stage.add("hold", CONCURRENCY - 1, name="beside")
    blocked = worker_that_holds(stage, "blocked")
    stage.until(lambda: len(stage.entries("start")) == CONCURRENCY - 1, "the jobs beside to begin")
    stage.add("nap", 50, ms=5)
    id = stage.add_one("block", seconds=3 * LEASE_MS / 1_000)
    stage.add("nap", 50, ms=5)
    stage.until_started(id)
    held = held_ahead(stage, blocked)
    assert held

    other = stage.worker("other", recover_ms=50)  # who would take what was lost

    stage.open_gate("beside")
    after = until_drained(stage).values()
    assert {(job.state, job.attempts) for job in after} == {(State.COMPLETED, 1)}
    # Others may be lost: a call had claimed them, and the loop that is blocked did not get to know.
    recovered = {id for line in other.said("jobs.recovered") for id, _ in line.jobs}
    assert not {id for id, _ in held} & recovered
    assert held <= begun(stage)
    untroubled(blocked, other)
