"""What is measured of each system."""

from __future__ import annotations

import time
from contextlib import ExitStack

from benchmarks import stamps
from benchmarks.figures import percentile
from benchmarks.peers.cells import Measured
from benchmarks.peers.run import Run, Scenario
from benchmarks.processes import BenchmarkError, WorkerProcess, wait_until
from benchmarks.systems import Kind, System, Way
from benchmarks.systems.handlers import PAUSE_SECONDS

CALLERS = 100
RATE = 50.0
PAUSES = 5_000
BACKLOGS = {"shallow": 10_000, "deep": 1_000_000}
START_SECONDS = 30.0
MOST_SECONDS = 10.0
"""A drain is cut off after this long; its rate is that of the jobs run until then."""
QUIET_SECONDS = 10.0
"""A store that has been empty for so long will not give any more jobs back."""
SETTLED_SECONDS = 5.0
LOOK_SECONDS = 0.02
"""How often it is looked how far those are who want both cores: who looks needs one, too."""
_SETTLE_SECONDS = 1.0
_MANY, _FEW = 20_000, 2_000


def single(run: Run, kind: Kind) -> Measured:
    """One caller, each call after the one before."""
    count = run.scaled(_FEW)
    with run.opened(kind) as system:
        seconds = system.add_one_by_one(count)
        return Measured({"single": count / seconds}, _missing(count, system))


def callers(run: Run, kind: Kind) -> Measured:
    """A hundred callers at once, one job a call."""
    count = run.scaled(_MANY if kind.description.bulk else _FEW)
    with run.opened(kind) as system:
        seconds = system.add_concurrently(CALLERS, count)
        return Measured({"callers": count / seconds}, _missing(count, system))


def bulk(run: Run, kind: Kind) -> Measured:
    """Many jobs with as few calls as the system knows."""
    count = run.scaled(5 * _MANY if kind.description.bulk else 2 * _FEW)
    with run.opened(kind) as system:
        seconds = system.add_many(count)
        note = "" if kind.description.bulk else "no bulk add"
        return Measured({"bulk": count / seconds}, _missing(count, system), note)


def memory(run: Run, kind: Kind) -> Measured:
    """What a waiting job takes in the broker, or on the disk."""
    count = run.scaled(_MANY, 1_000)
    with run.opened(kind) as system:
        before = run.cost(kind).memory_bytes
        system.prepare(count)
        system.close()  # what its connections have buffered goes with them
        taken = run.cost(kind).memory_bytes - before
        return Measured(
            {"memory": (taken if kind.store == "redis" else system.store_bytes()) / count}
        )


def drain(run: Run, kind: Kind) -> Measured:
    """One worker process, no-op jobs: from the first start until the store has none left."""
    return _drained(run, kind, fastest(run, kind), kind.description.drained, MOST_SECONDS)


def pair(run: Run, kind: Kind) -> Measured:
    """Two worker processes side by side, as a share of what one does."""
    way = fastest(run, kind)
    # In this order, so that a machine that becomes slower or faster meanwhile favours none.
    one, two, also_two, also_one = (_rate_of(run, kind, way, workers) for workers in (1, 2, 2, 1))
    return Measured({"pair": (two + also_two) / (one + also_one)})


def pauses(run: Run, kind: Kind) -> Measured:
    """Jobs that each wait for 10 ms, 100 at once."""
    count = run.scaled(PAUSES)
    with run.opened(kind) as system:
        system.prepare(count, "pause")
        with system.worker(kind.description.pauses) as worker:
            _await_first(system, worker)
            wait_until(lambda: stamps.seen(system.stamps).count >= count, worker, MOST_SECONDS)
            return Measured({"pauses": stamps.seen(system.stamps).rate})


def latency(run: Run, kind: Kind) -> Measured:
    """From when a job was due to be added to its handler's first line, 50 jobs a second."""
    seconds = run.scaled(400, 50) / RATE
    with run.opened(kind) as system:
        system.prepare(1)
        with system.worker(kind.description.latency) as worker:
            _await_first(system, worker)
            worker.let_be(_SETTLE_SECONDS)
            sent = system.send_steadily(RATE, seconds)
            whole = wait_until(lambda: stamps.seen(system.stamps).count > sent, worker, 10)
        took = stamps.latencies(system.stamps)[1:]  # but for the one that showed it was there
        void = "" if whole else f"{sent - len(took):,} of {sent:,} jobs never started"
        if not took:
            raise BenchmarkError("no job started")
        return Measured({"p50": percentile(took, 0.5), "p99": percentile(took, 0.99)}, void)


def kill(run: Run, kind: Kind) -> Measured:
    """``kill -9`` of the worker amid jobs that wait; then another is started: what never ran."""
    count = run.scaled(2_000, 200)
    with run.opened(kind, run.recovery) as system:
        way = system.survivor()
        system.prepare(count, "pause")
        with system.worker(way) as worker:
            _await_first(system, worker)
            wait_until(
                lambda: stamps.seen(system.stamps).count >= count // 4, worker, START_SECONDS
            )
            worker.let_be(PAUSE_SECONDS / 2)  # until it is in the middle of a job again
            worker.kill()
        with system.worker(way) as worker:
            waited = _await_the_rest(run, system, worker, count)
        never, twice = stamps.marked(system.stamps, count)
        note = f"all had run {waited:.0f} s after the restart"
        if never:
            note = f"{never:,} of {count:,} had not run {waited:.0f} s after the restart"
        return Measured({"lost": never, "twice": twice}, note=note)


def backlog(run: Run, kind: Kind) -> Measured:
    """The rate of the same number of jobs, with few and with many others waiting behind them."""
    taken = run.scaled(20_000, 10_000)
    way = fastest(run, kind)
    depths = {name: run.scaled(count) for name, count in BACKLOGS.items()}
    rates = {name: _behind(run, kind, way, taken, depth) for name, depth in depths.items()}
    waiting = " and ".join(f"{depth:,}" for depth in depths.values())
    return Measured(rates, note=f"{taken:,} jobs with {waiting} behind them")


def _await_the_rest(run: Run, system: System, worker: WorkerProcess, count: int) -> float:
    """Wait until all jobs have run, or no more will; return for how long."""
    began = changed = time.monotonic()
    before = count
    while (never := stamps.marked(system.stamps, count).never) and (
        time.monotonic() < began + run.patience
    ):
        if never < before or system.left():
            before, changed = never, time.monotonic()
        if time.monotonic() > changed + QUIET_SECONDS:
            break  # the store is empty
        worker.let_be(0.1)
    return time.monotonic() - began


def fastest(run: Run, kind: Kind) -> Way:
    """Return the fastest way to start one worker: each is tried twice, and its better try counts.

    One try each would let a busy moment choose.
    """
    ways = kind.description.drain
    if kind.name not in run.ways and len(ways) > 1:
        count = kind.description.drained // 3
        rates = [0.0] * len(ways)
        for n in [*range(len(ways)), *reversed(range(len(ways)))]:
            tried = _drained(run, kind, ways[n], count, MOST_SECONDS / 3)
            rates[n] = max(rates[n], tried.figures["drain"])
        run.ways[kind.name] = ways[rates.index(max(rates))]
    return run.ways.get(kind.name, ways[0])


def _drained(run: Run, kind: Kind, way: Way, count: int, seconds: float) -> Measured:
    count = run.scaled(count, 200)
    with run.opened(kind) as system:
        system.prepare(count)
        with system.worker(way) as worker:
            _await_first(system, worker)
            before = _costs(run, system, worker)
            whole = wait_until(
                lambda: stamps.seen(system.stamps).count >= count, worker, seconds, 0.005
            )
            if whole:
                whole = wait_until(lambda: system.left() == 0, worker, SETTLED_SECONDS, 0.005)
            ended = time.monotonic()
            after = _costs(run, system, worker)
        seen = stamps.seen(system.stamps)
        jobs = max(1, after[0] - before[0])
        void = _missing(count - seen.count, system) if seen.count < count else ""
        figures = {
            "drain": (seen.count - 1) / ((ended if whole else seen.last) - seen.first),
            "worker_cpu": (after[1] - before[1]) / jobs * 1e6,
        }
        if kind.store == "redis":
            figures["broker_cpu"] = (after[2] - before[2]) / jobs * 1e6
        return Measured(figures, void, note=way.label)


def _rate_of(run: Run, kind: Kind, way: Way, workers: int) -> float:
    """Return the jobs a second of so many workers, from when all are at work."""
    count = run.scaled(2 * kind.description.drained, 2_000)
    with run.opened(kind) as system, ExitStack() as side_by_side:
        system.prepare(count)
        run.settle(kind)
        started = [side_by_side.enter_context(system.worker(way)) for _ in range(workers)]
        worker = started[-1]
        if not wait_until(
            lambda: stamps.processes(system.stamps) == workers, worker, START_SECONDS
        ):
            raise BenchmarkError(f"not all workers ran a job: {worker.last_words()}")
        first, began = stamps.seen(system.stamps).count, time.monotonic()
        last, ended = _reached(system, worker, count)
        return (last - first) / (ended - began)


def _behind(run: Run, kind: Kind, way: Way, taken: int, depth: int) -> float:
    with run.opened(kind) as system:
        system.prepare(taken + depth)
        run.settle(kind)
        with system.worker(way) as worker:
            first, began = _reached(system, worker, taken // 10)  # past the first batch
            last, ended = _reached(system, worker, taken)
            return (last - first) / (ended - began)


def _reached(system: System, worker: WorkerProcess, count: int) -> tuple[int, float]:
    """Wait until so many jobs have run; return how many, and when."""
    if not wait_until(
        lambda: stamps.seen(system.stamps).count >= count, worker, 2 * START_SECONDS, LOOK_SECONDS
    ):
        raise BenchmarkError(f"did not run {count:,} jobs in time: {worker.last_words()}")
    return stamps.seen(system.stamps).count, time.monotonic()


def _costs(run: Run, system: System, worker: WorkerProcess) -> tuple[int, float, float]:
    cpu = worker.usage().cpu_seconds
    return stamps.seen(system.stamps).count, cpu, run.cost(system.kind).cpu_seconds


def _await_first(system: System, worker: WorkerProcess) -> None:
    if not wait_until(lambda: stamps.seen(system.stamps).count > 0, worker, START_SECONDS):
        raise BenchmarkError(f"ran nothing within {START_SECONDS:.0f} s: {worker.last_words()}")


def _missing(expected: int, system: System) -> str:
    """Say how many of the jobs that should be in the store are not, if any."""
    left = system.left()
    return f"{expected - left:,} of {expected:,} jobs are gone" if left < expected else ""


SCENARIOS: dict[str, Scenario] = {
    "single": Scenario(single, ("single",)),
    "callers": Scenario(callers, ("callers",)),
    "bulk": Scenario(bulk, ("bulk",)),
    "drain": Scenario(drain, ("drain", "worker_cpu", "broker_cpu")),
    "pair": Scenario(pair, ("pair",), only=("stoker", "stoker-sqlite", "bullmq")),
    "latency": Scenario(latency, ("p50", "p99")),
    "pauses": Scenario(pauses, ("pauses",)),
    "memory": Scenario(memory, ("memory",), rounds=1),
    "kill": Scenario(kill, ("lost", "twice"), rounds=1),
    "backlog": Scenario(
        backlog, ("shallow", "deep"), rounds=1, only=("stoker", "stoker-sqlite", "bullmq")
    ),
}
