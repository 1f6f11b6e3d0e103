"""What the benchmark has to know of a system."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Way:
    """One way to start a worker."""

    label: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Description:
    """What the benchmark has to know of a system."""

    version: str
    drain: list[Way]
    """Ways to start one worker for throughput, of which the fastest is taken."""
    latency: Way
    pauses: Way
    """The way to run 100 jobs at once that only wait."""
    notes: list[str]
    """What it does more or less than others, and how it is set up, for the reader of the table."""
    kill: Way | None = None
    """The way to start one that takes a dead one's jobs back; ``None``: as for pauses."""
    drained: int = 10_000
    """Jobs to drain: a few seconds' worth."""
    bulk: bool = True
    """Whether it can add many jobs with one call."""
