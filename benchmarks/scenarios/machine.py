"""The machine's own limits, in the same run, to see how near to them the rest is."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.figures import Figure
from benchmarks.raw import sync_ms


def run(bench: Bench) -> Iterator[Figure]:
    """The disk, and plain SQL with synchronous=FULL through the same driver."""
    bench.say("the disk")
    syncs = [sync_ms(bench.folder) for _ in range(bench.repeat)]
    for place, word in enumerate(("p50", "p99")):
        yield Figure(
            scenario="machine",
            what=f"write 4 KiB and sync, {word}",
            unit="ms",
            runs=tuple(each[place] for each in syncs),
            less_is_better=True,
        )
    for what, rate in {
        "plain inserts, 1 a commit": bench.raw_inserts(500, 1),
        "plain inserts, 100 a commit": bench.raw_inserts(200, 100),
        "plain inserts, 1,000 a commit": bench.raw_inserts(100, 1_000),
        "finish 100 and claim 100 a commit": bench.raw_drains(200, 100),
    }.items():
        yield Figure(scenario="machine", what=what, unit="jobs/s", runs=(rate,))
