"""What a worker knows of a task: where it runs, by what policy, and how its result is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from stoker import Backoff, Cancel, Keep, Retry, Snooze, Stoker
from stoker.errors import ConfigError, InvalidPayload
from stoker.handler import Origin, Result, placement, policy
from stoker.job.retry import Policy

HERE = Origin("shop", "send")
INSIDE = Origin("shop", "make.<locals>.send")


@pytest.mark.parametrize(
    ("given", "is_async", "where"),
    [
        (None, True, "loop"),
        (None, False, "thread"),
        ("loop", True, "loop"),
        ("thread", False, "thread"),
        ("process", True, "process"),
        ("process", False, "process"),
    ],
)
def test_a_handler_runs_where_it_is_told_or_where_its_kind_belongs(
    given: Any, is_async: bool, where: str
) -> None:
    assert placement(given, is_async, HERE, "send()") == where


@pytest.mark.parametrize(
    ("given", "is_async", "origin", "message", "hint"),
    [
        (
            "loop",
            False,
            HERE,
            "send(): a plain def would block the event loop",
            "make it async def, or leave run_in out to run it in a thread",
        ),
        (
            "thread",
            True,
            HERE,
            "send(): async def runs on the event loop",
            "run_in='process' or leave it out",
        ),
        (
            "process",
            False,
            INSIDE,
            "send(): a child process cannot find a function inside another",
            "define it at the top level of a module",
        ),
        (
            "gpu",
            True,
            HERE,
            "send(): run_in='gpu' is no place to run in",
            "'loop', 'thread' or 'process'",
        ),
    ],
)
def test_a_place_that_a_handler_cannot_run_in_is_refused(
    given: Any, is_async: bool, origin: Origin, message: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as refusal:
        placement(given, is_async, origin, "send()")

    assert (refusal.value.message, refusal.value.hint) == (message, hint)


def test_a_policy_is_the_defaults_and_what_was_set() -> None:
    assert policy({}, "send()") == Policy()
    assert policy(
        {"attempts": 5, "backoff": 2, "timeout": None, "keep_completed": 3, "priority": 9}, "send()"
    ) == Policy(
        attempts=5,
        backoff=Backoff(delay_ms=2_000),
        timeout_ms=None,
        keep_completed=Keep(count=3),
    )


def test_the_origin_of_a_function_is_its_module_and_name() -> None:
    def inner() -> None: ...

    assert Origin.of(test_a_policy_is_the_defaults_and_what_was_set) == Origin(
        __name__, "test_a_policy_is_the_defaults_and_what_was_set"
    )
    assert "<locals>" in Origin.of(inner).qualname


@dataclass
class Receipt:
    number: int
    on: date


def untyped(): ...
def typed() -> Receipt: ...
def steering() -> Receipt | Snooze | Retry | Cancel: ...
def only_steering() -> Snooze | Retry: ...
def anything() -> Any: ...
def unresolvable() -> Nowhere: ...  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
def unstorable() -> bytes: ...


@pytest.mark.parametrize("function", [typed, steering])
def test_a_result_comes_back_as_what_the_annotation_says(function: Any) -> None:
    result = Result(function, "pay()", 1_000)
    receipt = Receipt(7, date(2026, 12, 24))

    stored = result.encode(receipt)

    assert stored == '{"number":7,"on":"2026-12-24"}'
    assert result.decode(stored) == receipt


@pytest.mark.parametrize("function", [untyped, only_steering, anything, unresolvable, unstorable])
def test_without_a_usable_annotation_a_result_is_plain_data(function: Any) -> None:
    result = Result(function, "pay()", 1_000)

    assert result.decode(result.encode({"number": [7]})) == {"number": [7]}
    with pytest.raises(InvalidPayload, match=r"^pay\(\) result: "):
        result.encode({1, 2})


@pytest.mark.parametrize("function", [typed, untyped])
def test_nothing_is_a_result_of_every_task(function: Any) -> None:
    result = Result(function, "pay()", 1_000)

    assert result.encode(None) == "null"
    assert result.decode("null") is None


@pytest.mark.parametrize(
    ("function", "value"), [(untyped, "x" * 100), (typed, Receipt(10**100, date.min))]
)
def test_a_result_above_the_limit_is_refused(function: Any, value: Any) -> None:
    with pytest.raises(InvalidPayload, match="bytes of JSON, the limit is 50"):
        Result(function, "pay()", 50).encode(value)


def test_a_task_in_a_place_it_cannot_run_in_is_refused_when_it_is_defined() -> None:
    app = Stoker("sqlite://:memory:")

    with pytest.raises(ConfigError, match=r"^local\(\): a child process cannot find"):

        @app.task(run_in="process")
        def local() -> None: ...
