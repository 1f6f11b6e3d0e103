"""One worker process empties a store of no-op jobs."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.figures import Figure
from benchmarks.systems import Kind


def run(bench: Bench) -> Iterator[Figure]:
    """The rate from the first start to the last finish, and what it costs."""

    def of(kind: Kind):
        return bench.drain(kind, bench.best(kind), kind.description.drained)

    ours, peers = bench.each("drain", of)
    how = f"{bench.ours.name} {bench.best(bench.ours).label}, {ours[0].jobs:,} jobs"
    if bench.peer:
        how += f"; {bench.peer.name} {bench.best(bench.peer).label}, {peers[0].jobs:,} jobs"
    yield Figure(
        scenario="drain",
        what="no-op jobs through one worker",
        unit="jobs/s",
        runs=tuple(each.rate for each in ours),
        peer=tuple(each.rate for each in peers),
        bar=20_000,
        limit=bench.raw_drains(200, 100),
        how=how + "; limit: finish 100 and claim 100 a commit, in plain SQL",
    )
    if peers:
        yield Figure(
            scenario="drain",
            what="times the peer",
            unit="x",
            runs=tuple(a.rate / b.rate for a, b in zip(ours, peers, strict=True)),
            bar=6,
        )
    yield Figure(
        scenario="drain",
        what="worker CPU for 1,000 jobs",
        unit="s",
        runs=tuple(each.cpu_seconds / each.jobs * 1_000 for each in ours),
        peer=tuple(each.cpu_seconds / each.jobs * 1_000 for each in peers),
        less_is_better=True,
    )
