"""The table of the life cycle makes sense, and the documentation draws this table and no other."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from stoker.job.states import FINISHED, TRANSITIONS, UNFINISHED, State

DOCS = Path(__file__).resolve().parents[2] / "docs"


def pairs(*operations: str) -> set[tuple[State | None, State | None]]:
    """Return the moves of the operations, or of all."""
    return {
        (before, after)
        for operation in operations or TRANSITIONS
        for before, afters in TRANSITIONS[operation].items()
        for after in afters
    }


def test_every_state_is_reached_from_nothing_and_leads_back_to_it() -> None:
    reached: set[State | None] = {None}
    while more := {after for before, after in pairs() if before in reached} - reached:
        reached |= more

    assert reached == {None, *State}
    assert {before for before, after in pairs("remove") if after is None} == set(State)


def test_a_state_is_finished_or_not() -> None:
    assert set(State) == FINISHED | UNFINISHED
    assert not FINISHED & UNFINISHED


def test_a_finished_job_stays_so_unless_it_is_requeued_or_removed() -> None:
    leaving = {name for name, moves in TRANSITIONS.items() if FINISHED & moves.keys()}

    assert leaving == {"requeue", "remove"}
    assert all(after is State.WAITING for before, after in pairs("requeue"))


def test_a_job_runs_only_by_a_claim_of_what_waits() -> None:
    assert {move for move in pairs() if move[1] is State.ACTIVE} == pairs("claim")
    assert pairs("claim") == {(State.WAITING, State.ACTIVE)}


def test_only_what_runs_can_be_finished_or_recovered() -> None:
    finishing = [name for name in TRANSITIONS if name.startswith("finish: ")]

    assert {before for before, _ in pairs(*finishing, "recover")} == {State.ACTIVE}
    assert State.COMPLETED not in {after for _, after in pairs("recover", "cancel")}


def test_no_move_leads_where_it_began() -> None:
    assert [move for move in pairs() if move[0] is move[1]] == []


def test_the_diagram_in_the_internals_is_that_of_the_table() -> None:
    page = (DOCS / "internals.md").read_text(encoding="utf-8")

    assert generator().renewed(page) == page, "stale: run python docs/_states.py"


def test_a_stale_diagram_would_be_noticed() -> None:
    page = (DOCS / "internals.md").read_text(encoding="utf-8")
    stale = page.replace("waiting --> active", "waiting --> failed")

    assert stale != page
    assert generator().renewed(stale) == page


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("_states", DOCS / "_states.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
