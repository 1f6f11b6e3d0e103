"""What a measurement comes to: a figure, its bar, and what it is compared with."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Literal

import msgspec

Unit = Literal["jobs/s", "commits/s", "ms", "MiB", "bytes", "s", "x"]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table."""

    scenario: str
    what: str
    unit: Unit
    runs: tuple[float, ...]
    """Every run, in order; the figure is their median."""
    bar: float | None = None
    less_is_better: bool = False
    peer: tuple[float, ...] = ()
    """The peer's runs of the same scenario, taken in turns with ours."""
    limit: float | None = None
    """What plain SQL, or the disk alone, does on this machine."""
    how: str = ""
    """How both were set up, as far as it matters to the figure."""

    @property
    def value(self) -> float:
        """The figure."""
        return statistics.median(self.runs)

    @property
    def peer_value(self) -> float | None:
        """The peer's figure."""
        return statistics.median(self.peer) if self.peer else None

    @property
    def times(self) -> float | None:
        """How many times better than the peer."""
        if self.peer_value is None:
            return None
        better, worse = self.value, self.peer_value
        if self.less_is_better:
            better, worse = worse, better
        return better / worse

    @property
    def of_limit(self) -> float | None:
        """The share of the limit that is reached: 1 is all of it."""
        if self.limit is None:
            return None
        return self.limit / self.value if self.less_is_better else self.value / self.limit

    @property
    def passes(self) -> bool | None:
        """Whether the bar is met; ``None`` without a bar."""
        if self.bar is None:
            return None
        return self.value <= self.bar if self.less_is_better else self.value >= self.bar


class Failed(msgspec.Struct, frozen=True):
    """A scenario that could not be measured."""

    scenario: str
    why: str


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
