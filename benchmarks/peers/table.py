"""The table: for people on a terminal, for the documentation, for machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.peers.cells import COLUMNS, Cell, Column, Grid, best, times_better
from benchmarks.systems import Kind
from benchmarks.table import number

OURS = ("stoker", "stoker-sqlite")
"""Of these the first that was measured is compared with the peers."""
_LEGEND = (
    "Median of the rounds; in each, every system has its turn, so take the ratios rather than the "
    "rates. Bold is the best of a column. void: jobs were lost, so the figure says nothing."
)


def used(grid: Grid) -> list[Column]:
    """Return the columns that something was measured for."""
    return [each for each in COLUMNS if any(each.key in cells for cells in grid.values())]


def shown(cell: Cell | None) -> str:
    """Return what stands in a cell."""
    if cell is None:
        return ""
    if cell.void:
        return "void"
    if cell.failed or cell.value is None:
        return "failed"
    return number(cell.value)


def ratios(
    grid: Grid, columns: Sequence[Column], names: Sequence[str]
) -> list[tuple[str, list[str]]]:
    """Return how many times better ours is than BullMQ, and than the best of the peers."""
    ours = next((name for name in OURS if name in grid), None)
    if ours is None:
        return []
    peers = [name for name in names if name not in OURS]
    python = [name for name in peers if name != "bullmq"]
    sides = {"bullmq": ["bullmq"] if "bullmq" in names else [], "best in Python": python}
    return [
        (f"{ours} : {label}", [_ratio(grid, column, ours, side) for column in columns])
        for label, side in sides.items()
        if side
    ]


def _ratio(grid: Grid, column: Column, ours: str, side: Sequence[str]) -> str:
    times = times_better(grid, column, ours, side)
    return "" if times is None else f"{number(times)} x"


def remarks(grid: Grid, names: Iterable[str]) -> list[str]:
    """Return what has to be said of single cells: what was lost, what failed, and how."""
    found: list[str] = []
    for name in names:
        for column in used(grid):
            cell = grid.get(name, {}).get(column.key)
            if cell is None:
                continue
            for word, text in (("void", cell.void), ("failed", cell.failed), ("", cell.note)):
                line = ": ".join(filter(None, [f"{name}, {column.title}", word, text]))
                if text and line not in found and not (word == "" and cell.failed):
                    found.append(line)
    return _without_repeats(found)


def show(console: Console, who: Mapping[str, str], grid: Grid, kinds: Sequence[Kind]) -> None:
    """Print who measured what where, the table, and what it does not say by itself."""
    header = Table.grid(padding=(0, 2))
    for name, value in who.items():
        header.add_row(Text(name, "bold"), Text(value))
    console.print(header)
    columns, names = used(grid), [kind.name for kind in kinds]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("", no_wrap=True)
    for column in columns:
        table.add_column(f"{column.title}\n{column.unit}", justify="right")
    winners = {column.key: best(grid, column, names) for column in columns}
    for name in names:
        cells = [
            Text(shown(grid.get(name, {}).get(each.key)), _style(name, each, winners))
            for each in columns
        ]
        table.add_row(name, *cells)
    table.add_section()
    for label, values in ratios(grid, columns, names):
        table.add_row(label, *values, style="dim")
    console.print()
    console.print(table)
    console.print()
    for line in [*remarks(grid, names), *_about(kinds)]:
        console.print(Text(line, "dim"))


def _style(name: str, column: Column, winners: Mapping[str, str | None]) -> str:
    return "bold green" if winners[column.key] == name else ""


def markdown(who: Mapping[str, str], grid: Grid, kinds: Sequence[Kind]) -> str:
    """Return a section for the documentation: header, table, and how each is configured."""
    columns, names = used(grid), [kind.name for kind in kinds]
    winners = {column.key: best(grid, column, names) for column in columns}
    width = max(map(len, who), default=0) + 2
    lines = ["```text", *(f"{name:<{width}}{value}" for name, value in who.items()), "```", ""]
    lines.append("| | " + " | ".join(f"{each.title}, {each.unit}" for each in columns) + " |")
    lines.append("|---" + "|---:" * len(columns) + "|")
    for name in names:
        cells: list[str] = []
        for each in columns:
            text = shown(grid.get(name, {}).get(each.key))
            cells.append(f"**{text}**" if winners[each.key] == name else text)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    for label, values in ratios(grid, columns, names):
        lines.append(f"| *{label}* | " + " | ".join(values) + " |")
    lines += ["", _LEGEND, "", "How each is set up, and what it does not do:", ""]
    lines += [f"- {line}" for line in _about(kinds)]
    if said := remarks(grid, names):
        lines += ["", "Of single figures:", "", *(f"- {line}" for line in said)]
    return "\n".join(lines)


def plain(who: Mapping[str, str], grid: Grid, kinds: Sequence[Kind]) -> dict[str, object]:
    """Return everything, every single run included."""
    return {
        "identity": dict(who),
        "columns": [column._asdict() for column in used(grid)],
        "systems": {
            kind.name: {
                "version": kind.description.version,
                "notes": kind.description.notes,
                "figures": {
                    key: {**msgspec.to_builtins(cell), "value": cell.value}
                    for key, cell in grid.get(kind.name, {}).items()
                },
            }
            for kind in kinds
        },
    }


def read(reports: Sequence[Mapping[str, Any]]) -> tuple[dict[str, str], Grid, list[str]]:
    """Return what ``plain`` was given, and the names of the systems.

    Of several reports, which should be of different scenarios, the last has the last word.
    """
    who: dict[str, str] = {}
    grid: Grid = {}
    for report in reports:
        commands = filter(None, [who.get("command"), report["identity"].get("command")])
        who = {**report["identity"], **who, "command": "; ".join(commands)}
        for name, system in report["systems"].items():
            figures = msgspec.convert(system["figures"], dict[str, Cell])
            grid.setdefault(name, {}).update(figures)
    return who, grid, list(grid)


def _about(kinds: Sequence[Kind]) -> list[str]:
    return [
        f"{kind.name} ({kind.description.version}): {'; '.join(kind.description.notes)}"
        for kind in kinds
    ]


def _without_repeats(lines: list[str]) -> list[str]:
    """Say once what several columns of one measurement say alike."""
    kept: dict[tuple[str, str], str] = {}
    for line in lines:
        place, _, text = line.partition(": ")
        kept.setdefault((place.partition(",")[0], text), line)
    return list(kept.values())
