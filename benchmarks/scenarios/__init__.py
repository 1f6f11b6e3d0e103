"""The scenarios, in the order in which they are run: each yields figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.bench import Bench
from benchmarks.figures import Figure
from benchmarks.scenarios import add, backlog, cost, drain, latency, machine

__all__ = ["SCENARIOS", "Scenario"]

Scenario = Callable[[Bench], Iterator[Figure]]

SCENARIOS: dict[str, Scenario] = {
    "drain": drain.run,
    "bulk": add.bulk,
    "single": add.single,
    "latency": latency.run,
    "backlog": backlog.run,
    "cost": cost.run,
    "machine": machine.run,
}
