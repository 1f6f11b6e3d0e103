"""The figures as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.figures import Failed, Figure
from benchmarks.systems import Kind

_VERDICTS = {True: ("pass", "green"), False: ("falls short", "bold red"), None: ("", "")}


def show(
    console: Console,
    who: Mapping[str, str],
    figures: Sequence[Figure],
    failed: Sequence[Failed],
    systems: Sequence[Kind],
) -> None:
    """Print who measured what where, the table, and what it does not say by itself."""
    header = Table.grid(padding=(0, 2))
    for name, value in who.items():
        header.add_row(Text(name, "bold"), Text(value))
    console.print(header)
    peer = systems[1].name if len(systems) > 1 else "peer"
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("scenario", no_wrap=True)
    table.add_column("")
    table.add_column("figure", justify="right", no_wrap=True)
    table.add_column("±", justify="right", no_wrap=True)
    table.add_column("bar", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for title in (peer, "x", "limit", "reached"):
        table.add_column(title, justify="right", no_wrap=True)
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
    unit = "" if figure.unit == "x" else f" {figure.unit}"
    word, style = _VERDICTS[figure.passes]
    return [
        figure.what,
        Text(f"{number(figure.value)}{unit}", "bold"),
        "" if len(figure.runs) < 2 else Text(f"{_spread(figure):.0%}", "dim"),
        ""
        if figure.bar is None
        else f"{'≤' if figure.less_is_better else '≥'} {number(figure.bar)}",
        Text(word, style),
        "" if figure.peer_value is None else number(figure.peer_value),
        "" if figure.times is None else number(figure.times),
        "" if figure.limit is None else number(figure.limit),
        "" if figure.of_limit is None else f"{figure.of_limit:.0%}",
    ]


def _spread(figure: Figure) -> float:
    """Return half the distance between the best and the worst run, as a share of the figure."""
    return (max(figure.runs) - min(figure.runs)) / 2 / figure.value


def _footnotes(console: Console, figures: Sequence[Figure], systems: Sequence[Kind]) -> None:
    console.print()
    console.print(
        "figure: median of the runs, ±: half their range. x: times better than the peer. "
        "limit: what plain SQL does here; reached: our share of it.",
        style="dim",
    )
    for figure in figures:
        if figure.how:
            console.print(Text(f"{figure.scenario}, {figure.what}: {figure.how}", "dim"))
    for kind in systems:
        console.print(Text(f"{kind.name}: {'; '.join(kind.description.notes)}", "dim"))


def number(value: float) -> str:
    """Return a number with three digits that say something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.2g}"
