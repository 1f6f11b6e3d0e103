"""What a queue is asked for, and how it says no."""

from __future__ import annotations

from typing import Any

import pytest

from stoker import ConfigError, Filter, InvalidPayload, Stoker
from stoker.job.states import State


@pytest.mark.parametrize(
    ("id", "message", "hint"),
    [
        (12, "id=12 is not text, and ids are", "'12'"),
        (None, "id=None is not text, and ids are", "job.id"),
    ],
)
def test_an_id_that_is_not_text_is_refused(app: Stoker, id: Any, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        app.queue().job(id)

    assert (refusal.value.message, refusal.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("ids", "message"),
    [("17", "ids='17' is one text, not several ids"), ([17], "id=17 is not text, and ids are")],
)
async def test_ids_that_are_none_are_refused(app: Stoker, ids: Any, message: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        await app.queue().remove(ids)

    assert refusal.value.message == message


@pytest.mark.parametrize("data", [[1], "text", 5, []])
async def test_data_that_is_no_object_is_refused(app: Stoker, data: Any) -> None:
    with pytest.raises(InvalidPayload) as refusal:
        await app.queue("q").add("x", data)

    kind = type(data).__name__
    assert refusal.value.message == (
        f"q.add('x') takes its arguments by name, not as {kind}: {data!r}"
    )
    assert refusal.value.hint == "a mapping such as {'to': 'ada'}"


async def test_of_many_the_one_at_fault_is_named_and_none_is_written(app: Stoker) -> None:
    many: Any = [{"a": 1}, {"a": 2}, 3]

    with pytest.raises(InvalidPayload) as refusal:
        await app.queue("q").add_many("x", many)

    assert refusal.value.message == (
        "data[2]: q.add('x') takes its arguments by name, not as int: 3"
    )
    assert not (await app.queue("q").stats()).counts.get(State.WAITING)


@pytest.mark.parametrize("reasons", ["timeout", ("timeuot",), 5])
def test_reasons_that_do_not_exist_are_refused(reasons: Any) -> None:
    with pytest.raises(ConfigError) as refusal:
        Filter(state=State.FAILED, reasons=reasons)

    assert refusal.value.message == f"reasons={reasons!r} is not a tuple of reasons"
    assert refusal.value.hint
    assert refusal.value.hint.startswith("cancelled, crashed, error, timeout")


@pytest.mark.parametrize("priority", [-1, "urgent", True, 2_097_152])
async def test_a_priority_that_cannot_be_is_refused(app: Stoker, priority: Any) -> None:
    with pytest.raises(ConfigError) as refusal:
        await app.queue().job("1").change(priority=priority)

    assert refusal.value.message == (
        f"change: priority={priority!r} is not a whole number from 0 to 2097151"
    )
