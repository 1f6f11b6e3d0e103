"""How soon a job starts after it was sent, at a steady 50 a second.

Each is sent when its time has come, whether the ones before are stored or not, so that a slow call
is not hidden by the calls that it holds up.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import raw, stamps
from benchmarks.bench import Bench
from benchmarks.figures import Figure, percentile
from benchmarks.processes import wait_until
from benchmarks.systems import Kind

RATE = 50.0
SETTLE_SECONDS = 1.0
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}


def run(bench: Bench) -> Iterator[Figure]:
    """To a worker in the same loop, and to one in a process of its own."""
    seconds = bench.scaled(400, 50) / RATE
    bench.say("the machine's own limit: commits, 50 a second")
    limit = 2 * raw.paced_commit_ms(bench.folder, 1 / RATE)

    def apart(kind: Kind) -> list[float]:
        with bench.opened(kind) as system:
            system.prepare(1)
            with system.worker(kind.description.latency) as worker:
                wait_until(lambda: stamps.seen(system.stamps).count == 1, worker, 30)
                worker.let_be(SETTLE_SECONDS)
                sent = system.send_steadily(RATE, seconds)
                wait_until(lambda: stamps.seen(system.stamps).count > sent, worker, 10)
            return stamps.latencies(system.stamps)[1:]  # but for the one that showed it was there

    def together(_: Kind) -> list[float]:
        with bench.opened(bench.ours) as system:
            system.ask("run_in_one_process", rate=RATE, seconds=seconds)
            return stamps.latencies(system.stamps)

    runs: list[list[float]] = []
    for n in range(bench.repeat):
        bench.say(f"latency in one process: run {n + 1} of {bench.repeat}")
        runs.append(together(bench.ours))
    yield from _figures("same loop", runs, [], 1.0, limit)
    ours, peers = bench.each("latency between processes", apart)
    yield from _figures("another process", ours, peers, 3.0, limit)


def _figures(
    where: str, ours: list[list[float]], peers: list[list[float]], bar: float, limit: float
) -> Iterator[Figure]:
    for word, share in SHARES.items():
        yield Figure(
            scenario="latency",
            what=f"send to start, {where}, {word}",
            how="limit: two plain commits, one of them stores a job, one claims it"
            if word == "p50"
            else "",
            limit=limit if word == "p50" else None,
            unit="ms",
            runs=tuple(percentile(run, share) for run in ours),
            peer=tuple(percentile(run, share) for run in peers),
            bar=bar if word == "p50" else None,
            less_is_better=True,
        )
