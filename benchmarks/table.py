"""The figures as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.figures import Failed, Figure
from benchmarks.systems import System

_VERDICTS = {True: ("pass", "green"), False: ("falls short", "bold red"), None: ("", "")}


def show(
    console: Console,
    who: Mapping[str, str],
    figures: Sequence[Figure],
    failed: Sequence[Failed],
    systems: Sequence[type[System]],
) -> None:
    """Print who measured what where, the table, and what it does not say by itself."""
    header = Table.grid(padding=(0, 2))
    for name, value in who.items():
        header.add_row(Text(name, "bold"), Text(value))
    console.print(header)
    peer = systems[1].name if len(systems) > 1 else "peer"
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title in ("scenario", "", "figure", "spread", "bar", "", peer, "×", "limit", "reached"):
        left = title in ("scenario", "") and len(table.columns) < 6
        table.add_column(title, justify="left" if left else "right")
    last = ""
    for figure in figures:
        if figure.scenario != last and last:
            table.add_section()
        table.add_row(figure.scenario if figure.scenario != last else "", *_cells(figure))
        last = figure.scenario
    console.print()
    console.print(table)
    for each in failed:
        console.print(Text(f"{each.scenario}: could not be measured: {each.why}", "bold red"))
    _footnotes(console, figures, systems)


def _cells(figure: Figure) -> list[Text | str]:
    unit = "" if figure.unit == "×" else f" {figure.unit}"
    word, style = _VERDICTS[figure.passes]
    low, high = min(figure.runs), max(figure.runs)
    return [
        figure.what,
        Text(f"{number(figure.value)}{unit}", "bold"),
        Text(f"{number(low)} to {number(high)}" if low != high else "", "dim"),
        "" if figure.bar is None else f"{'≤' if figure.less_is_better else '≥'} {number(figure.bar)}",
        Text(word, style),
        "" if figure.peer_value is None else number(figure.peer_value),
        "" if figure.times is None else number(figure.times),
        "" if figure.limit is None else number(figure.limit),
        "" if figure.of_limit is None else f"{figure.of_limit:.0%}",
    ]


def _footnotes(
    console: Console, figures: Sequence[Figure], systems: Sequence[type[System]]
) -> None:
    console.print()
    console.print("×: times better than the peer. reached: share of the limit.", style="dim")
    for figure in figures:
        if figure.how:
            console.print(Text(f"{figure.scenario}, {figure.what}: {figure.how}", "dim"))
    for kind in systems:
        console.print(Text(f"{kind.name}: {'; '.join(kind.asymmetries)}", "dim"))


def number(value: float) -> str:
    """Return a number with three digits that say something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.2g}"
