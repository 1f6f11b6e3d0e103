"""Adding jobs: in bulk, by many callers at once, one after another."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.bench import Bench, rates
from benchmarks.figures import Figure
from benchmarks.systems import Kind

CALLERS = 100


def bulk(bench: Bench) -> Iterator[Figure]:
    """One call that adds many."""
    counts = {bench.ours: bench.scaled(200_000)}

    def of(kind: Kind) -> float:
        count = counts.get(kind, bench.scaled(1_000))
        with bench.opened(kind) as system:
            return rates(count, [system.add_many(count)])[0]

    ours, peers = bench.each("bulk", of)
    yield Figure(
        scenario="bulk",
        what="many jobs with one call",
        unit="jobs/s",
        runs=tuple(ours),
        peer=tuple(peers),
        bar=80_000,
        limit=bench.raw_inserts(100, 1_000),
        how="limit: 1,000 plain inserts a commit; the peer has no such call, so one by one",
    )


def single(bench: Bench) -> Iterator[Figure]:
    """Calls that add one each."""
    many, few = bench.scaled(30_000, 1_000), bench.scaled(1_000)

    def at_once(kind: Kind) -> float:
        count = many if kind is bench.ours else few
        with bench.opened(kind) as system:
            return rates(count, [system.add_concurrently(CALLERS, count)])[0]

    def in_turn(kind: Kind) -> float:
        with bench.opened(kind) as system:
            return rates(few, [system.add_one_by_one(few)])[0]

    ours, peers = bench.each("single", at_once)
    yield Figure(
        scenario="single",
        what=f"one job a call, {CALLERS} callers at once",
        unit="jobs/s",
        runs=tuple(ours),
        peer=tuple(peers),
        bar=20_000,
        limit=bench.raw_inserts(200, 100),
        how="limit: 100 plain inserts a commit; the peer's callers are threads",
    )
    ours, peers = bench.each("single", in_turn)
    yield Figure(
        scenario="single",
        what="one job a call, one after another",
        unit="jobs/s",
        runs=tuple(ours),
        peer=tuple(peers),
        limit=bench.raw_inserts(500, 1),
        how="limit: one plain insert a commit; all of them wait for the disk",
    )
