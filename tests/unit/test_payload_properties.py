"""Whatever is given comes back equal or is refused, and so is whatever has been stored."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple, TypedDict

import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.errors import InvalidPayload
from stoker.job.misfit import MAX_DEPTH, Misfit, check, is_deep
from stoker.job.payload import Arguments, encode_any


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass
class Person:
    name: str
    age: int = 0


@dataclasses.dataclass(eq=False)
class ByIdentity:
    name: Any


@dataclasses.dataclass
class EqualToAll:
    value: Any

    def __eq__(self, other: object) -> bool:
        return True


class Point(msgspec.Struct):
    x: int
    y: float | None = 0


class Pair(NamedTuple):
    left: int
    right: str = ""


class Address(TypedDict, total=False):
    city: str
    since: dt.date


class Model(pydantic.BaseModel):
    name: str
    born: dt.date | None = None
    tags: set[str] = set()


class User:
    pass


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError


def anything(x) -> None: ...
def nothing() -> None: ...
def rest(a: int, **more: int) -> None: ...
def models(x: Model, a: dict[str, Model] | None = None) -> None: ...
def many(
    x: dict[str, dict[str, int]],
    a: dict[int, str | None] | None = None,
    when: dt.datetime | None = None,
    people: list[Person] | None = None,
    pair: Pair | Color | None = None,
) -> None: ...


def typed(annotation: Any) -> Arguments:
    def task(x: Any) -> None: ...

    task.__annotations__["x"] = annotation
    return Arguments.of(task)


def attempt(function: Callable[..., Any], *args: Any) -> Any:
    """Return what it returns, or its refusal; another error is the test's failure."""
    try:
        return function(*args)
    except InvalidPayload as refusal:
        return refusal


def as_json(value: Any) -> Any:
    """Lists for tuples: the one liberty that is taken with untyped data."""
    if type(value) in (list, tuple):
        return [as_json(inner) for inner in value]
    return {k: as_json(v) for k, v in value.items()} if isinstance(value, dict) else value


def stands_for(given: Any, back: Any) -> bool:
    """Whether ``given`` is ``back``, or the JSON form of it, or has some of either within."""
    if isinstance(given, dt.datetime):  # one that the clock shows twice equals nothing else
        return given.isoformat() == back.isoformat()
    if type(given) in (list, tuple) and isinstance(back, list | tuple | set):
        return all(any(stands_for(inner, other) for other in back) for inner in given)
    if type(given) is dict and isinstance(back, dict) and len(given) == len(back):
        pairs = zip(given.items(), back.items(), strict=True)
        return all(stands_for(k, bk) and stands_for(v, bv) for (k, v), (bk, bv) in pairs)
    if type(given) is dict and isinstance(back, Model | Person | Point | EqualToAll):
        return all(stands_for(inner, getattr(back, key)) for key, inner in given.items())
    if isinstance(given, float) and isinstance(back, Decimal):
        return given == float(back)
    return given == back or (type(given) is str and not isinstance(back, str))


finite = st.floats(allow_nan=False, allow_infinity=False)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | finite,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)

any_value = st.recursive(
    st.one_of(
        json_values,
        st.floats(),
        st.binary(),
        st.text(st.characters()),  # lone surrogates as well
        st.decimals(),
        st.datetimes(timezones=st.none() | st.timezones()),
        st.dates(),
        st.timedeltas(),
        st.uuids(),
        st.complex_numbers(),
        st.sampled_from([*Color, *Level, Point(1), Person("Ada"), Pair(1), User]),
        st.builds(ByIdentity, json_values),
        st.builds(Model, name=st.text()),
        st.builds(Unprintable),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.sets(st.integers() | st.text(), max_size=3),
        st.dictionaries(st.text() | st.integers() | st.floats() | st.binary(), inner, max_size=3),
        st.builds(EqualToAll, inner),
    ),
    max_leaves=10,
)

TYPES: dict[Any, st.SearchStrategy[Any]] = {
    annotation: st.from_type(annotation)
    for annotation in [
        *(str, int, bool, dt.date, dt.time, dt.timedelta, dt.datetime, uuid.UUID),
        *(Color, Pair, Person, Address, set[dt.date], tuple[int, str], int | str | None),
        *(dict[int, list[dt.datetime]], dict[str, Person | None], dict[uuid.UUID, Pair]),
    ]
} | {
    float: finite,
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    dict[float, set[float]]: st.dictionaries(finite, st.sets(finite)),
    list[Point]: st.lists(st.builds(Point, st.integers(), st.none() | finite)),
    Model: st.builds(Model, name=st.text(), born=st.none() | st.dates(), tags=st.sets(st.text())),
    EqualToAll: st.builds(EqualToAll, json_values),
}


@given(json_values)
def test_any_json_value_comes_back(value: Any) -> None:
    codec = Arguments.of(anything)

    assert codec.decode(codec.encode((value,), {})) == {"x": value}
    assert msgspec.json.decode(encode_any(value, "result")) == value


@given(any_value)
@settings(max_examples=500)
def test_any_value_comes_back_equal_or_is_refused(value: Any) -> None:
    codec = Arguments.of(anything)

    text = attempt(codec.encode, (value,), {})

    if isinstance(text, InvalidPayload):
        assert str(text).startswith("anything(): x")
        assert text.path.startswith("x")
    else:
        assert codec.decode(text) == {"x": as_json(value)}


@pytest.mark.parametrize("annotation", TYPES, ids=str)
@given(data=st.data())
def test_any_value_of_a_type_comes_back_equal(annotation: Any, data: st.DataObject) -> None:
    codec, value = typed(annotation), data.draw(TYPES[annotation])

    back = codec.decode(codec.encode((value,), {}))["x"]

    assert back == value


@pytest.mark.parametrize("annotation", TYPES, ids=str)
@given(value=any_value)
def test_any_value_comes_back_equal_by_any_type_or_is_refused(annotation: Any, value: Any) -> None:
    codec = typed(annotation)

    text = attempt(codec.encode, (value,), {})

    if isinstance(text, InvalidPayload):
        assert str(text).startswith("task(): x")
    else:
        assert stands_for(value, codec.decode(text)["x"])


@pytest.mark.parametrize("function", [anything, rest, many, models, nothing])
@given(
    st.text()
    | json_values.map(lambda value: msgspec.json.encode(value).decode())
    | st.dictionaries(
        st.sampled_from(["x", "a", "when", "people", "pair", "b"]),
        json_values | st.just([{"name": 1}]) | st.just({"1": {}, "y": 2}),
    ).map(lambda value: msgspec.json.encode(value).decode())
)
def test_any_text_is_read_or_refused(function: Callable[..., Any], text: str) -> None:
    codec = Arguments.of(function)

    data = attempt(codec.decode, text)

    if isinstance(data, InvalidPayload):
        assert str(data).startswith(f"{function.__name__}()")
    else:
        assert codec.decode(codec.encode_data(data)) == data


@given(st.binary(), st.sampled_from(["%s", "{%s}", '{"x":%s}', '{"x":"%s"}', '{"%s":1}']))
def test_any_broken_text_is_read_or_refused(noise: bytes, frame: str) -> None:
    data = attempt(Arguments.of(anything).decode, frame % noise.decode("latin-1"))

    assert isinstance(data, dict) or len(str(data)) < 500


@given(json_values)
def test_depth_is_measured_as_it_is_checked(value: Any) -> None:
    for _ in range(MAX_DEPTH - 3):
        value = [value, "}]"]

    if is_deep(msgspec.json.encode(value)):
        with pytest.raises(Misfit, match="nested"):
            check(value)
    else:
        check(value)
