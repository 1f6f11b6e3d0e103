"""Whether a worker gets slower as more jobs wait."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import stamps
from benchmarks.bench import MOST_SECONDS, START_SECONDS, Bench
from benchmarks.figures import Figure
from benchmarks.processes import BenchmarkError, wait_until


def run(bench: Bench) -> Iterator[Figure]:
    """The rate of the same number of jobs, with few and with many others waiting behind them."""
    taken = bench.scaled(20_000, 2_000)
    depths = bench.scaled(10_000, 1_000), bench.scaled(1_000_000, 100_000)
    runs: dict[int, list[float]] = {depth: [] for depth in depths}
    for n in range(bench.repeat):
        for depth in depths if n % 2 == 0 else depths[::-1]:
            bench.say(f"backlog of {depth:,}: run {n + 1} of {bench.repeat}")
            runs[depth].append(_rate(bench, depth, taken))
    few, many = (tuple(runs[depth]) for depth in depths)
    for depth in depths:
        yield Figure(
            scenario="backlog",
            what=f"{taken:,} jobs, {depth:,} behind them",
            unit="jobs/s",
            runs=tuple(runs[depth]),
        )
    yield Figure(
        scenario="backlog",
        what="the latter as a share of the former",
        unit="x",
        runs=tuple(b / a for a, b in zip(few, many, strict=True)),
        bar=0.8,
        how="a bar of 0.8 is a loss of 20 %",
    )


def _rate(bench: Bench, depth: int, taken: int) -> float:
    way = bench.best(bench.ours)
    with bench.opened(bench.ours) as system:
        system.prepare(taken + depth)
        with system.worker(way) as worker:
            if not wait_until(
                lambda: stamps.seen(system.stamps).count >= taken,
                worker,
                START_SECONDS + MOST_SECONDS,
            ):
                raise BenchmarkError("the worker did not get through in time")
            return stamps.seen(system.stamps).rate
