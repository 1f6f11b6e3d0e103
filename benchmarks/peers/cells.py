"""What a measurement of one system comes to: the columns of the table, and what is in them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import NamedTuple

import msgspec


class Column(NamedTuple):
    """One column of the table."""

    key: str
    title: str
    unit: str
    less_is_better: bool = False
    compared: bool = True
    """Whether the best is pointed out."""


COLUMNS: tuple[Column, ...] = (
    Column("single", "add, one by one", "jobs/s"),
    Column("callers", "add, 100 callers", "jobs/s"),
    Column("bulk", "add, bulk", "jobs/s"),
    Column("drain", "drain", "jobs/s"),
    Column("worker_cpu", "worker CPU, 1,000 jobs", "ms", less_is_better=True),
    Column("broker_cpu", "broker CPU, 1 job", "µs", less_is_better=True),
    Column("pair", "drain, 2 workers", "of one's"),
    Column("p50", "start, p50", "ms", less_is_better=True),
    Column("p99", "start, p99", "ms", less_is_better=True),
    Column("pauses", "10 ms jobs, 100 at once", "jobs/s"),
    Column("memory", "waiting job", "bytes", less_is_better=True),
    Column("lost", "lost by kill -9", "jobs", compared=False),
    Column("twice", "run twice", "jobs", compared=False),
    Column("shallow", "drain, 10,000 wait", "jobs/s"),
    Column("deep", "drain, 1,000,000 wait", "jobs/s"),
)


class Measured(NamedTuple):
    """One run of one scenario: figures by column, and what makes them worthless, if anything."""

    figures: dict[str, float]
    void: str = ""
    note: str = ""


class Cell(msgspec.Struct):
    """All runs of one system in one column."""

    runs: list[float] = []
    void: str = ""
    """Why the figure says nothing: jobs were lost."""
    failed: str = ""
    """Why there is no figure."""
    note: str = ""

    @property
    def value(self) -> float | None:
        """The figure: the median of the runs."""
        return statistics.median(self.runs) if self.runs else None

    @property
    def stands(self) -> bool:
        """Whether it may be compared with others'."""
        return bool(self.runs) and not self.void


Grid = dict[str, dict[str, Cell]]
"""Cells by system and column."""


def put(grid: Grid, system: str, measured: Measured) -> None:
    """Add one run's figures."""
    for key, value in measured.figures.items():
        cell = grid.setdefault(system, {}).setdefault(key, Cell())
        cell.runs.append(value)
        cell.void = cell.void or measured.void
        cell.note = cell.note or measured.note


def fail(grid: Grid, system: str, columns: Iterable[str], why: str) -> None:
    """Note that a system could not be measured."""
    for key in columns:
        grid.setdefault(system, {}).setdefault(key, Cell()).failed = why


def best(grid: Grid, column: Column, systems: Iterable[str]) -> str | None:
    """Return the system with the best figure that stands."""
    figures = {
        name: cell.value
        for name in systems
        if (cell := grid.get(name, {}).get(column.key)) is not None
        and cell.stands
        and cell.value is not None
    }
    if not figures or not column.compared:
        return None
    return (min if column.less_is_better else max)(figures, key=lambda name: figures[name])


def times_better(grid: Grid, column: Column, ours: str, others: Iterable[str]) -> float | None:
    """Return how many times better ours is than the best of the others; ``None`` if unknown."""
    name = best(grid, column, others)
    mine = grid.get(ours, {}).get(column.key)
    if name is None or mine is None or not mine.stands:
        return None
    theirs = grid[name][column.key]
    better, worse = mine.value, theirs.value
    if column.less_is_better:
        better, worse = worse, better
    return better / worse if better is not None and worse else None
