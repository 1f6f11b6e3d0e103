"""Draws the life cycle of a job, from its table, into the internals: python docs/_states.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from stoker.job.states import TRANSITIONS, Moves, State

PAGE = Path(__file__).with_name("internals.md")
BEGIN, END = "<!-- states:begin -->", "<!-- states:end -->"
ORDER = (None, *State)


def renewed(page: str) -> str:
    """Return the page with what stands between the two markers drawn anew."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} … {END}")
    lines = "\n".join([*diagram(), "", *table()])
    return f"{before}{begin}\n\n{lines}\n\n{end}{after}"


def diagram() -> Iterator[str]:
    """Yield the moves between states; what leads out of the store is left to the table."""
    yield "```mermaid"
    yield "stateDiagram-v2"
    for before in ORDER:
        for after in State:
            labels = [
                operation.removeprefix("finish: ")  # a label takes no second colon
                for operation, moves in TRANSITIONS.items()
                if after in moves.get(before, ())
            ]
            if labels:
                yield f"    {before or '[*]'} --> {after}: {', '.join(labels)}"
    yield "```"


def table() -> Iterator[str]:
    """Yield every operation with its moves; nothing is "not stored"."""
    yield "| operation | from → to |"
    yield "|---|---|"
    for operation, moves in TRANSITIONS.items():
        yield f"| {operation} | {'; '.join(merged(moves))} |"


def merged(moves: Moves) -> Iterator[str]:
    """Yield the moves as text, states that lead to the same ones together."""
    for afters in dict.fromkeys(moves[before] for before in ORDER if before in moves):
        befores = [before for before in ORDER if moves.get(before) == afters]
        yield f"{listed(befores)} → {listed(afters)}"


def listed(states: Iterable[State | None]) -> str:
    """Return the states in the order of the table, "not stored" last."""
    names = set(states)
    return ", ".join([state for state in State if state in names] + ["nothing"] * (None in names))


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
