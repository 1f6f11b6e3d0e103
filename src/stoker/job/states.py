"""The life cycle of a job, as one table.

The contract suite walks this table for every broker and the documentation's diagram is
drawn from it, so a state or a move that is not written here does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """Where a job stands. The values are BullMQ's words for the same states."""

    WAITING = "waiting"
    """May be claimed now."""
    DELAYED = "delayed"
    """May be claimed once its due time has come."""
    ACTIVE = "active"
    """Claimed: a worker holds its lease."""
    COMPLETED = "completed"
    """Ran to its end; kept as long as its retention says."""
    FAILED = "failed"
    """A dead letter: kept with its failure until replayed, removed or aged out."""


FINISHED = frozenset({State.COMPLETED, State.FAILED})
UNFINISHED = frozenset(State) - FINISHED

Moves = Mapping[State | None, frozenset[State | None]]
"""From a state to the states it may lead to; ``None`` is "not stored"."""


def _moves(*pairs: tuple[State | None, State | None]) -> Moves:
    table: dict[State | None, set[State | None]] = {}
    for before, after in pairs:
        table.setdefault(before, set()).add(after)
    return MappingProxyType({before: frozenset(after) for before, after in table.items()})


_W, _D, _A, _C, _F = State

TRANSITIONS: Mapping[str, Moves] = MappingProxyType(
    {
        "add": _moves((None, _W), (None, _D)),
        "promote": _moves((_D, _W)),
        "claim": _moves((_W, _A)),
        "finish: Done": _moves((_A, _C), (_A, None)),
        "finish: Failed": _moves((_A, _F), (_A, None)),
        "finish: Retried": _moves((_A, _W), (_A, _D)),
        "finish: Snoozed": _moves((_A, _D), (_A, _W)),
        "finish: Released": _moves((_A, _W)),
        "recover": _moves((_A, _W), (_A, _F)),
        "requeue": _moves((_D, _W), (_C, _W), (_F, _W)),
        "cancel": _moves((_W, _F), (_D, _F), (_A, _F)),
        "update": _moves((_W, _D), (_D, _W)),
        "remove": _moves((_W, None), (_D, None), (_A, None), (_C, None), (_F, None)),
    }
)
"""Operation → the moves it may make. A move to ``None`` is a retention of zero, or a removal."""
