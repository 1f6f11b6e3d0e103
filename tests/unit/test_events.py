"""What happens is told to whoever subscribed, and what is documented is what is emitted."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

from stoker import events
from stoker.broker.base import EventKind
from stoker.events import emit, subscribe
from stoker.job import states

SOURCE = Path(events.__file__).parent


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_subscribers", [])


def test_every_subscriber_hears_every_event_until_it_has_enough() -> None:
    heard: list[tuple[str, str, dict[str, Any]]] = []
    end = subscribe(lambda event, fields: heard.append(("one", event, fields)))
    subscribe(lambda event, fields: heard.append(("two", event, fields)))

    emit("first", jobs=1)
    end()
    emit("second")

    assert heard == [
        ("one", "first", {"jobs": 1}),
        ("two", "first", {"jobs": 1}),
        ("two", "second", {}),
    ]


def test_a_subscriber_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []

    def fails(event: str, fields: dict[str, Any]) -> None:
        raise RuntimeError("no space for metrics")

    subscribe(fails)
    subscribe(lambda event, fields: heard.append(event))
    emit("jobs.claimed")

    assert heard == ["jobs.claimed"]
    assert "a subscriber failed at jobs.claimed" in caplog.text
    assert "no space for metrics" in caplog.text


def test_a_subscriber_may_leave_while_it_is_told() -> None:
    heard: list[str] = []

    def once(event: str, fields: dict[str, Any]) -> None:
        heard.append(event)
        end()

    end = subscribe(once)
    subscribe(lambda event, fields: heard.append(event))
    emit("a")
    emit("b")

    assert heard == ["a", "a", "b"]


def test_what_ends_a_subscription_may_be_called_again() -> None:
    end = subscribe(lambda event, fields: None)

    end()
    end()


# The tables


@cache
def emitted() -> frozenset[tuple[str, frozenset[str]]]:
    """Return the name and the fields of each event that the code emits."""
    return frozenset(_emitted())


def _emitted() -> Iterator[tuple[str, frozenset[str]]]:
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(ast.Name("emit"), [ast.Constant(str(name))], keywords) | ast.Call(
                    _, [ast.Name("emit"), ast.Constant(str(name))], keywords
                ):
                    yield name, frozenset(str(keyword.arg) for keyword in keywords)
                case _:
                    pass


def documented() -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the rows of the table in the docstring; explanations in brackets are left out."""
    for name, fields in re.findall(r"^\| (\w+\.\w+) +\| (.*?) +\|$", str(events.__doc__), re.M):
        plain = re.sub(r"\(.*?\)|:.*", "", fields)
        yield name, frozenset(part.strip() for part in plain.split(","))


def test_the_documented_events_are_those_that_are_emitted() -> None:
    assert len(emitted()) > 5
    assert sorted({name for name, _ in documented()}) == sorted({name for name, _ in emitted()})


def test_an_event_has_the_documented_fields_wherever_it_is_emitted() -> None:
    table = dict(documented())

    assert {event for event in emitted() if event[1] != table[event[0]]} == set()


def test_every_outcome_and_move_has_a_kind_of_event() -> None:
    words = {
        "add": "added",
        "promote": "promoted",
        "claim": "claimed",
        "finish: Done": "completed",
        "finish: Failed": "failed",
        "finish: Retried": "retried",
        "finish: Snoozed": "snoozed",
        "finish: Released": "released",
        "recover": "recovered",
        "requeue": "requeued",
        "cancel": "cancelled",
        "update": "updated",
        "remove": "removed",
    }

    assert words.keys() == states.TRANSITIONS.keys()
    assert set(get_args(EventKind)) - set(words.values()) == {"progress", "paused", "resumed"}


def test_the_brokers_write_the_documented_kinds_of_event_and_no_others() -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in (SOURCE / "broker" / "sqlite").rglob("*")
        if path.suffix in {".py", ".sql"}
    )

    written = {kind for kind in get_args(EventKind) if re.search(rf"""["']{kind}["']""", source)}

    assert written == set(get_args(EventKind))
