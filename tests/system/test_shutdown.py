"""SIGTERM and SIGINT: running jobs end or are handed back at once, and the worker leaves with 0."""

from __future__ import annotations

import signal
import time

import pytest

from tests.system.arena import Arena, soak
from tests.system.oracle import check, untroubled

pytestmark = pytest.mark.system

SIGNALS = [signal.SIGTERM, signal.SIGINT]
LONG_LEASE = {"lease_ms": 600_000, "recover_ms": 100}
"""What is handed back within seconds was not waited for until its lease ran out."""
HELD = ["hold", "hold_thread", "hold_process", "hold_deaf"]


@pytest.mark.again(30)
@pytest.mark.parametrize("number", [signal.SIGTERM, soak(signal.SIGINT)])
def test_jobs_shorter_than_the_grace_period_end_and_none_is_begun(
    arena: Arena, number: signal.Signals
) -> None:
    arena.add("nap", 200, ms=100)
    arena.add("nap_thread", 200, ms=100)
    leaver = arena.worker("leaver", concurrency=10, grace_ms=20_000)
    enough = arena.rng.randrange(30, 100)
    arena.until(lambda: len(arena.entries("start")) >= enough, f"{enough} jobs to begin")

    leaver.signal(number)
    code = leaver.exit_code(10)

    assert code == 0, leaver.tail()
    [signalled] = leaver.said("signal")
    # What a call that was under way brings is run. Another call is not begun.
    under_way = [line for line in leaver.said("jobs.claimed") if line.at > signalled.at]
    assert len(under_way) <= 1, f"claimed {len(under_way)} times after the signal"
    assert arena.count("active") == 0
    assert {(row.attempts, row.crashes) for row in arena.rows("state = 'waiting'")} == {(0, 0)}
    starts = [entry for entry in arena.entries("start") if entry.worker == "leaver"]
    assert len(starts) == len(arena.entries("end")) == arena.count("completed")
    heir = arena.worker("heir", concurrency=20)
    arena.until_all_done()
    assert {(row.state, row.attempts, row.crashes) for row in arena.rows()} == {("completed", 1, 0)}
    assert len(arena.entries("start")) == 400, "a job was run twice"
    check(arena)
    untroubled(leaver, heir)


@pytest.mark.again(10)
@pytest.mark.parametrize("number", SIGNALS)
def test_an_idle_worker_leaves_at_once(arena: Arena, number: signal.Signals) -> None:
    arena.add("nap")
    worker = arena.worker("idle")
    arena.until_all_done()

    worker.signal(number)

    assert worker.exit_code(3) == 0
    untroubled(worker)


@pytest.mark.again(10)
@pytest.mark.parametrize("number", SIGNALS)
def test_jobs_longer_than_the_grace_period_are_handed_back_at_once(
    arena: Arena, number: signal.Signals
) -> None:
    ids = [arena.add_one(task, name="held") for task in HELD]
    leaver = arena.worker("leaver", grace_ms=300, processes=1, **LONG_LEASE)
    for id in ids:
        arena.until_started(id)

    signalled_at = leaver.signal(number)
    code = leaver.exit_code(10)

    assert code == 0, leaver.tail()
    assert 0.3 <= time.time() - signalled_at < 4
    for row in arena.rows():
        assert (row.state, row.attempts, row.crashes, row.starts) == ("waiting", 0, 0, 1)
    heir = arena.worker("heir", processes=1, **LONG_LEASE)
    arena.open_gate("held", claim=2)
    arena.until_all_done(10)
    for row in arena.rows():
        assert (row.state, row.attempts, row.crashes, row.starts) == ("completed", 1, 0, 2)
    check(arena)
    untroubled(leaver, heir)


@pytest.mark.again(10)
def test_jobs_handed_back_come_first_again(arena: Arena) -> None:
    first, second = arena.add("hold", 2, name="held")
    leaver = arena.worker("leaver", grace_ms=100, concurrency=2, **LONG_LEASE)
    arena.until_started(second)
    later = arena.add_one("hold", name="later")
    leaver.stop()

    arena.worker("heir", concurrency=2, **LONG_LEASE)

    arena.until_started(first, claim=2)
    arena.until_started(second, claim=2)
    assert arena.entries("start", later) == []


@pytest.mark.again(10)
@pytest.mark.parametrize("number", SIGNALS)
def test_a_second_signal_does_not_wait_for_the_grace_period(
    arena: Arena, number: signal.Signals
) -> None:
    ids = [arena.add_one(task, name="held") for task in HELD]
    leaver = arena.worker("leaver", grace_ms=600_000, processes=1, **LONG_LEASE)
    for id in ids:
        arena.until_started(id)
    leaver.signal(signal.SIGTERM)
    arena.until(lambda: leaver.said("worker.stopping"), "the worker to drain")
    assert leaver.running

    leaver.signal(number)

    assert leaver.exit_code(4) == 0, leaver.tail()
    for row in arena.rows():
        assert (row.state, row.attempts, row.crashes) == ("waiting", 0, 0)
    check(arena)
    untroubled(leaver)


@pytest.mark.again(10)
def test_ctrl_c_in_a_terminal_reaches_the_worker_and_not_its_children(arena: Arena) -> None:
    id = arena.add_one("hold_process", name="held")
    leaver = arena.worker("leaver", grace_ms=60_000, processes=1)
    arena.until_started(id)

    leaver.signal(signal.SIGINT, group=True)
    arena.until(lambda: leaver.said("worker.stopping"), "the worker to drain")
    arena.open_gate("held")

    assert leaver.exit_code(5) == 0, leaver.tail()
    assert (arena.row(id).state, arena.row(id).starts) == ("completed", 1)
    check(arena)
    untroubled(leaver)


def test_a_handler_that_tidies_up_is_waited_for(arena: Arena) -> None:
    id = arena.add_one("tidy", seconds=1)
    leaver = arena.worker("leaver", grace_ms=100, **LONG_LEASE)
    arena.until_started(id)

    leaver.signal(signal.SIGTERM)

    assert leaver.exit_code(5) == 0, leaver.tail()
    assert len(arena.entries("tidied")) == 1
    assert (arena.row(id).state, arena.row(id).attempts) == ("waiting", 0)


@pytest.mark.parametrize("task", ["stubborn", "elsewhere"])
def test_a_handler_that_will_not_be_interrupted_is_left_behind(arena: Arena, task: str) -> None:
    """The worker hands its job back, and then its process ends all the same."""
    id = arena.add_one(task, name="never")
    leaver = arena.worker("leaver", grace_ms=100, **LONG_LEASE)
    arena.until_started(id)

    leaver.signal(signal.SIGTERM)

    assert leaver.exit_code(12) == 0, leaver.tail()
    assert leaver.said("left")
    assert "leaving without it" in leaver.tail()
    assert (arena.row(id).state, arena.row(id).attempts) == ("waiting", 0)
    heir = arena.worker("heir", **LONG_LEASE)
    arena.open_gate("never", claim=2)
    assert arena.until_state(id, "completed").starts == 2
    check(arena)
    untroubled(heir)


@pytest.mark.again(10)
def test_leases_are_renewed_while_the_worker_drains(arena: Arena) -> None:
    id = arena.add_one("hold", name="held")
    leaver = arena.worker("leaver", grace_ms=60_000, lease_ms=500)
    arena.until_started(id)
    other = arena.worker("other", lease_ms=500, recover_ms=50)

    leaver.signal(signal.SIGTERM)
    arena.until(lambda: leaver.said("worker.stopping"), "the worker to drain")
    time.sleep(1.5)  # three leases: the length of the drain
    arena.open_gate("held")

    assert leaver.exit_code(5) == 0, leaver.tail()
    assert (arena.row(id).state, arena.row(id).starts) == ("completed", 1)
    check(arena)
    untroubled(leaver, other)
