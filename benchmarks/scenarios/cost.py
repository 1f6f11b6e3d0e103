"""What it takes: memory of a worker, room on the disk."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import stamps
from benchmarks.bench import START_SECONDS, Bench
from benchmarks.figures import Figure
from benchmarks.processes import wait_until
from benchmarks.systems import Kind

WATCHED_SECONDS = 3.0
"""How long an idle worker is let be before its memory is read."""


def run(bench: Bench) -> Iterator[Figure]:
    """An idle worker; one with a million delayed jobs in its store; the stores."""
    delayed = bench.scaled(1_000_000, 100_000)
    kept = bench.scaled(60_000, 10_000)
    kinds = [bench.ours] + ([bench.peer] if bench.peer else [])
    idle: dict[str, float] = {}
    for kind in kinds:
        bench.say(f"memory of an idle worker: {kind.name}")
        idle[kind.name] = _memory(bench, kind, 0)[0]
    peer = idle.get(bench.peer.name) if bench.peer else None
    yield Figure(
        scenario="cost",
        what="memory, idle worker",
        unit="MiB",
        runs=(idle[bench.ours.name],),
        peer=(peer,) if peer else (),
        bar=60,
        less_is_better=True,
        how="resident, children included",
    )
    bench.say(f"memory of a worker with {delayed:,} delayed jobs")
    memory, size = _memory(bench, bench.ours, delayed)
    yield Figure(
        scenario="cost",
        what=f"memory, {delayed:,} delayed jobs",
        unit="MiB",
        runs=(memory,),
        less_is_better=True,
    )
    yield Figure(
        scenario="cost",
        what="disk for a delayed job",
        unit="bytes",
        runs=(size / delayed,),
        less_is_better=True,
    )
    bench.say(f"disk for {kept:,} completed jobs")
    yield Figure(
        scenario="cost",
        what="disk for a completed job",
        unit="bytes",
        runs=(_kept_bytes(bench, kept) / kept,),
        less_is_better=True,
        how="after a drain, the write-ahead log included",
    )


def _memory(bench: Bench, kind: Kind, delayed: int) -> tuple[float, int]:
    """Return MiB of a worker that has run one job, and the size of its store."""
    with bench.opened(kind) as system:
        if delayed:
            system.prepare(delayed, delayed=True)
        size = system.store_bytes()
        system.prepare(1)
        with system.worker(kind.description.latency) as worker:
            wait_until(lambda: stamps.seen(system.stamps).count == 1, worker, START_SECONDS)
            worker.let_be(WATCHED_SECONDS)
            return worker.usage().rss_mib, size


def _kept_bytes(bench: Bench, count: int) -> int:
    with bench.opened(bench.ours) as system:
        system.prepare(count)
        with system.worker(bench.best(bench.ours)) as worker:
            wait_until(lambda: stamps.seen(system.stamps).count >= count, worker, 120)
            wait_until(lambda: system.left() == 0, worker, START_SECONDS)
        return system.store_bytes()
