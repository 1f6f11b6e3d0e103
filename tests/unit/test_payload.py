"""Arguments become JSON text and come back equal, or are refused in words that help."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import functools
import math
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, NotRequired, TypedDict
from unittest.mock import MagicMock
from zoneinfo import ZoneInfo

import msgspec
import pydantic
import pytest

from stoker.errors import ConfigError, InvalidPayload
from stoker.job.payload import MAX_BYTES, MAX_DEPTH, Arguments, Payload, encode_any

if TYPE_CHECKING:
    from somewhere import Nowhere  # pyright: ignore[reportMissingImports]

UTC = dt.UTC
NAN, INF = math.nan, math.inf
WRONG: Any = "x"
AN_ID = uuid.UUID(int=7)
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=UTC)


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1


class Word(enum.StrEnum):
    YES = "yes"


@dataclasses.dataclass
class Person:
    name: str
    age: int = 0


@dataclasses.dataclass
class Employee(Person):
    boss: str = ""


@dataclasses.dataclass(eq=False)
class ByIdentity:
    name: Any


@dataclasses.dataclass
class ComparesPartly:
    name: str
    secret: Any = dataclasses.field(default=None, compare=False)


@dataclasses.dataclass
class EqualToAll:
    value: Any

    def __eq__(self, other: object) -> bool:
        return True


class Point(msgspec.Struct):
    x: int
    y: int = 0


class Tree(msgspec.Struct):
    children: list[Tree] = []


class EqualStruct(msgspec.Struct):
    value: Any

    def __eq__(self, other: object) -> bool:
        return True


class Checked(msgspec.Struct):
    value: int

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError("value: a debt - at `$.heart`")
        if self.value == 0:
            raise KeyError("zero")


class Pair(NamedTuple):
    left: int
    right: str = ""


class Address(TypedDict):
    city: str
    zip: NotRequired[str]


class Model(pydantic.BaseModel):
    name: str
    born: dt.date | None = None
    tags: set[str] = set()
    inner: list[Model] = []
    _cache: int = pydantic.PrivateAttr(default_factory=lambda: 1)


class StrictModel(pydantic.BaseModel, strict=True):
    at: dt.datetime
    by: int = pydantic.Field(alias="from")


class Secretive(pydantic.BaseModel):
    key: pydantic.SecretStr
    hidden: int = pydantic.Field(default=0, exclude=True)


class User:
    """What an ORM would hand out."""

    id = 7


class UserId(str):
    pass


class Count(int):
    pass


class Ratio(float):
    pass


class FrozenDay(dt.datetime):
    """What freezegun makes of `datetime.now()`."""


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError


def send(to: list[Person], body: str, count: int = 1, *, wait: float | None = None) -> None: ...


def anything(x) -> None: ...


def nothing() -> None: ...


def rest(a: int, **more: int) -> None: ...


def odd_names(__x: int, self: int, encode: int, größe: int = 0) -> None: ...


def models(one: Model, by_name: dict[str, Model] | None = None) -> None: ...


def many(
    scores: dict[str, dict[str, int]] | None = None,
    numbers: dict[int, str] | None = None,
    names: set[str] | None = None,
    when: dt.datetime | None = None,
    price: Decimal = Decimal(0),
    color: Color = Color.RED,
    address: Address | None = None,
    point: Point | None = None,
    key: uuid.UUID | None = None,
    share: float = 0.0,
    checked: list[Checked] | None = None,
    small: Annotated[int, msgspec.Meta(le=9)] = 0,
    choice: Literal["a", "b"] = "a",
) -> None: ...


def arguments(annotation: Any) -> Arguments:
    def task(x: Any) -> None: ...

    task.__annotations__["x"] = annotation
    return Arguments.of(task)


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


# ---- what comes back -----------------------------------------------------------------------------

ROUND_TRIPS: list[tuple[Any, Any]] = [
    (str, "täglich 🔥\0"),
    (int, 2**63),
    (int, -(2**200)),
    (Any, 2**70),
    (float, 1.5),
    (float, -0.0),
    (float, 7),
    (bool, True),
    (None, None),
    (list[int], [1, 2]),
    (Sequence[str], ["a"]),
    (tuple[int, str], (1, "a")),
    (tuple[int, ...], (1, 2)),
    (set[int], {1, 2}),
    (frozenset[str], frozenset({"a"})),
    (dict[str, int], {"a": 1}),
    (dict[int, str], {1: "a"}),
    (dict[float, str], {1.5: "a"}),
    (dict[dt.date, int], {NOON.date(): 1}),
    (dict[Color, int], {Color.RED: 1}),
    (Literal[1, 2], 1),
    (int | str | None, "a"),
    (Color, Color.BLUE),
    (Level, Level.LOW),
    (Any, Level.LOW),
    (Any, Word.YES),
    (dt.datetime, NOON),
    (dt.datetime, NOON.replace(tzinfo=None, microsecond=1)),
    (dt.date, NOON.date()),
    (dt.time, dt.time(1, 2, 3)),
    (dt.timedelta, dt.timedelta(days=-1, microseconds=3)),
    (uuid.UUID, AN_ID),
    (Decimal, Decimal("0.10")),
    (Person, Person("Ada", 36)),
    (list[Person], [Person("Ada")]),
    (Employee, Employee("Ada", 36, "Charles")),
    (ComparesPartly, ComparesPartly("a", [1])),
    (Point, Point(1)),
    (Tree, Tree([Tree(), Tree([Tree()])])),
    (Pair, Pair(1, "a")),
    (Address, {"city": "Bern"}),
    (Model, Model(name="a", born=NOON.date(), tags={"x"}, inner=[Model(name="b")])),
    (Model | None, None),
    (StrictModel, StrictModel(at=NOON, **{"from": 1})),
    (object, {"a": [1, None]}),
    (list[object], [1, "a"]),
    (str, UserId("a")),
    (int, Count(3)),
    (float, Ratio(0.5)),
    (dt.datetime, FrozenDay(2026, 3, 1)),
]


@pytest.mark.parametrize(("annotation", "value"), ROUND_TRIPS, ids=lambda value: repr(value)[:60])
def test_comes_back_equal(annotation: Any, value: Any) -> None:
    codec = arguments(annotation)

    text = codec.encode((value,), {})

    assert codec.decode(text) == {"x": value}
    assert Payload.of(annotation).decode(Payload.of(annotation).encode(value)) == value


def test_a_time_that_the_clock_shows_twice_comes_back() -> None:
    second = dt.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Zurich"))

    text = arguments(dt.datetime).encode((second,), {})

    assert text == '{"x":"2026-10-25T02:30:00+01:00"}'


def test_objects_without_equality_come_back() -> None:
    codec = arguments(ByIdentity)

    back = codec.decode(codec.encode((ByIdentity("a"),), {}))

    assert back["x"].name == "a"


@pytest.mark.parametrize(
    ("annotation", "given", "back"),
    [
        (Any, (1, (2,)), [1, [2]]),
        (list[int], (1, 2), [1, 2]),
        (set[str], ["a", "a"], {"a"}),
        (dt.date, "2026-03-01", dt.date(2026, 3, 1)),
        (Decimal, "1.50", Decimal("1.50")),
        (Color, "red", Color.RED),
        (dict[int, str], {"1": "a"}, {1: "a"}),
        (Person, {"name": "Ada"}, Person("Ada")),
        (list[Point], [{"x": 1}], [Point(1)]),
        (Pair, [1, "a"], Pair(1, "a")),
        (Model, {"name": "a", "born": "2026-03-01"}, Model(name="a", born=NOON.date())),
    ],
)
def test_the_json_form_of_a_type_is_accepted(annotation: Any, given: Any, back: Any) -> None:
    codec = arguments(annotation)

    text = codec.encode_data({"x": given})

    assert codec.decode(text) == {"x": back}


def test_what_a_call_leaves_out_is_not_stored() -> None:
    codec = Arguments.of(send)

    text = codec.encode(([],), {"body": "hi"})

    assert text == '{"to":[],"body":"hi"}'
    assert codec.decode(text) == {"to": [], "body": "hi"}


def test_other_signatures() -> None:
    def method(self: Any, job: Any, n: int, *, keyword: str) -> None: ...

    assert Arguments.of(nothing).decode(Arguments.of(nothing).encode((), {})) == {}
    assert Arguments.of(method, skip=2).encode((1,), {"keyword": "a"}) == '{"n":1,"keyword":"a"}'
    assert Arguments.of(rest).encode((1,), {"b": 2, "a1": 3}) == '{"a":1,"b":2,"a1":3}'
    assert Arguments.of(rest).decode('{"b":2,"a":1}') == {"a": 1, "b": 2}
    odd = Arguments.of(odd_names)
    assert odd.decode(odd.encode((1, 2, 3, 4), {})) == {
        "__x": 1,
        "self": 2,
        "encode": 3,
        "größe": 4,
    }


def test_a_decorated_function_keeps_its_types() -> None:
    @functools.wraps(send)
    def wrapper(*args: Any, **kwargs: Any) -> None: ...

    codec = Arguments.of(wrapper)

    assert codec.decode('{"to":[{"name":"Ada"}],"body":""}')["to"] == [Person("Ada")]


def test_private_attributes_of_a_model_do_not_count() -> None:
    model = Model(name="a")
    model._cache = 2

    assert Arguments.of(models).encode((model,), {}).startswith('{"one":{"name":"a"')


# ---- what is refused at enqueue ------------------------------------------------------------------

BY_ID = "cannot be stored as JSON (pass its id and load it in the task, or pass plain data)"
ELSEWHERE = "store it elsewhere and pass where it is"
NOT_BINARY = f"cannot be stored as JSON (pass base64 text, or {ELSEWHERE})"
NOT_FINITE = "cannot be stored as JSON (pass None or text instead)"
NOT_UNICODE = "text with half a surrogate pair is not Unicode"
TOO_DEEP = (
    f"nested more than 100 levels deep, or contains itself (pass flatter data, or {ELSEWHERE})"
)
TOO_LONG = "int of more than 4,300 digits (pass it as text)"
CHANGED = "would come back changed (its JSON form leaves something out; pass plain data)"
TEXT_KEY = "key 1 would come back as '1' (use text keys, or annotate it as dict[int, …])"
LOST = "would be lost (leave it out, or add it to the annotated type)"
STORED = "(correct the stored data, or make the code accept it)"
TAKES = "(it takes to, body, count, wait)"


def back_as(kind: str, back: str) -> str:
    return f"{kind} would come back as {back} (annotate it as {kind}, or pass plain data)"


REFUSED_CALLS: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], str]] = [
    # wrong names
    (send, (), {}, f"send() missing 2 required arguments: 'to', 'body' {TAKES}"),
    (send, ([],), {}, f"send() missing 1 required argument: 'body' {TAKES}"),
    (send, ([], ""), {"cuont": 1}, f"send() got an unexpected keyword argument 'cuont' {TAKES}"),
    (send, ([], "", 1, 2.0), {}, "send() takes 3 positional arguments but 4 were given"),
    (send, ([], ""), {"to": []}, "send() got multiple values for argument 'to'"),
    (nothing, (1,), {}, "nothing() takes 0 positional arguments but 1 was given"),
    (nothing, (), {"a": 1}, "nothing() got an unexpected keyword argument 'a' (it takes none)"),
    (rest, (), {"b": 1}, "rest() missing 1 required argument: 'a' (it takes a)"),
    # wrong types
    (send, ([], 3), {}, "send(): body: expected str, got int"),
    (
        send,
        ([Person("Ada"), Person("Bob", WRONG)], ""),
        {},
        "send(): to[1].age: expected int, got str",
    ),
    (send, (Person("Ada"), ""), {}, "send(): to: expected list, got Person"),
    (send, ([{}], ""), {}, "send(): to[0]: missing required field 'name'"),
    (send, ([Employee("Ada")], ""), {}, f"send(): to[0]: {back_as('Employee', 'Person')}"),
    (send, ([], NOON), {}, f"send(): body: {back_as('datetime', 'str')}"),
    (send, ([], ""), {"wait": 2**53 + 1}, f"send(): wait: {back_as('int', 'float')}"),
    (send, ([], ""), {"wait": True}, "send(): wait: expected float | None, got bool"),
    (rest, (1,), {"b": 2, "c": "3"}, "rest(): c: expected int, got str"),
    (
        many,
        (),
        {"scores": {"a": {"b": 1}, "c": {"d": 1, "e-f": None, "g": ""}}},
        "many(): scores.c['e-f']: expected int, got None",
    ),
    (many, (), {"scores": {"a": {1: 1}}}, f"many(): scores.a: {TEXT_KEY}"),
    (many, (), {"numbers": {1: "a", "b": "c"}}, "many(): numbers: key 'b': expected int, got str"),
    (many, (), {"names": {1}}, "many(): names[0]: expected str, got int"),
    (many, (), {"when": "noon"}, "many(): when: not a datetime such as 2026-12-24T18:30:00Z"),
    (many, (), {"color": "green"}, "many(): color: invalid enum value 'green'"),
    (
        many,
        (),
        {"address": {"city": "Bern", "zap": "3000"}},
        "many(): address.zap: there is no such field (did you mean 'zip'?)",
    ),
    (many, (), {"point": Person("Ada")}, "many(): point: missing required field 'x'"),
    (many, (), {"key": "7"}, "many(): key: invalid UUID"),
    (
        many,
        (),
        {"checked": [Checked(1), {"value": -1}]},
        "many(): checked[1]: value: a debt - at '$.heart'",
    ),
    (many, (), {"checked": [{"value": 0}]}, "many(): KeyError: 'zero'"),
    (many, (), {"small": 10}, "many(): small: expected int <= 9"),
    (many, (), {"choice": "c"}, "many(): choice: invalid enum value 'c'"),
    (
        models,
        ({"name": "a", "born": "x"},),
        {},
        "models(): one.born: input should be a valid date or datetime, input is too short",
    ),
    (
        models,
        (Model(name="a"), {"b": {"name": "a"}, "c": {"inner": [{}]}}),
        {},
        "models(): by_name.c.name: field required",
    ),
]


@pytest.mark.parametrize(("function", "args", "kwargs", "message"), REFUSED_CALLS)
def test_a_call_is_refused(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], message: str
) -> None:
    codec = Arguments.of(function)

    with pytest.raises(InvalidPayload) as refusal:
        codec.encode(args, kwargs)

    assert str(refusal.value) == message


endless: list[Any] = []
endless.append(endless)

REFUSED_VALUES: list[tuple[Any, str]] = [
    (NAN, f"x: nan {NOT_FINITE}"),
    (-INF, f"x: -inf {NOT_FINITE}"),
    (Decimal("sNaN"), f"x: sNaN {NOT_FINITE}"),
    ({"a": [1, {"b c": (INF,)}]}, f"x.a[1]['b c'][0]: inf {NOT_FINITE}"),
    (b"x", f"x: bytes {NOT_BINARY}"),
    ([bytearray()], f"x[0]: bytearray {NOT_BINARY}"),
    ({1, 2}, f"x: {back_as('set', 'list')}"),
    ([NOON.date()], f"x[0]: {back_as('date', 'str')}"),
    (Decimal(1), f"x: {back_as('Decimal', 'str')}"),
    (AN_ID, f"x: {back_as('UUID', 'str')}"),
    (Color.RED, f"x: {back_as('Color', 'str')}"),
    (Person("Ada"), f"x: {back_as('Person', 'dict')}"),
    ([Point(1)], f"x[0]: {back_as('Point', 'dict')}"),
    (Pair(1), f"x: {back_as('Pair', 'list')}"),
    (Model(name="a"), f"x: {back_as('Model', 'dict')}"),
    ({"u": User()}, f"x.u: User {BY_ID}"),
    (MagicMock(), f"x: MagicMock {BY_ID}"),
    (anything, f"x: function {BY_ID}"),
    (1j, f"x: complex {BY_ID}"),
    ({1: 2}, f"x: {TEXT_KEY}"),
    ({1: 1, "1": 2}, f"x: key 1 {LOST}"),
    ({(1, 2): 3}, "x: key (1, 2) is not text (use text keys)"),
    ({None: 3}, "x: key None is not text (use text keys)"),
    ({NAN: 3}, f"x: key nan: nan {NOT_FINITE}"),
    ({b"a": 3}, f"x: key b'a': bytes {NOT_BINARY}"),
    ({1j: 3}, f"x: key 1j: complex {BY_ID}"),
    ({10**5000: 3}, f"x: key of type int: {TOO_LONG}"),
    (["a\ud800"], f"x[0]: {NOT_UNICODE} (replace that character)"),
    ({"\ud800": 1}, rf"x: key '\ud800': {NOT_UNICODE} (replace that character)"),
    ([10**5000], f"x[0]: {TOO_LONG}"),
    (endless, f"x{'[0]' * 11}…: {TOO_DEEP}"),
]


@pytest.mark.parametrize(("value", "message"), REFUSED_VALUES, ids=lambda value: type(value))
def test_a_value_is_refused(value: Any, message: str) -> None:
    path = message.split(": ")[0]

    with pytest.raises(InvalidPayload) as refusal:
        Arguments.of(anything).encode((value,), {})
    with pytest.raises(InvalidPayload) as untyped:
        encode_any({"x": value}, "progress")

    assert str(refusal.value) == f"anything(): {message}"
    assert refusal.value.path == path
    assert str(untyped.value) == f"progress: {message}"


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        (Decimal, Decimal("-Infinity"), f"-Infinity {NOT_FINITE}"),
        (list[Decimal], Decimal("NaN"), f"NaN {NOT_FINITE}"),
        (dict[float, int], {INF: 1}, f"key inf: inf {NOT_FINITE}"),
        (float | None, NAN, f"nan {NOT_FINITE}"),
        (str, b"x", f"bytes {NOT_BINARY}"),
        (list[int], {1, 2}, f"{back_as('set', 'list')}"),
        (set[Any], [NOON], f"[0]: {back_as('datetime', 'str')}"),
        (str, AN_ID, f"{back_as('UUID', 'str')}"),
        (Color | None, User(), f"User {BY_ID}"),
        (ByIdentity, ByIdentity({1}), f".name: {back_as('set', 'list')}"),
        (ComparesPartly, ComparesPartly("a", NAN), f".secret: nan {NOT_FINITE}"),
        (EqualToAll, EqualToAll(NAN), f".value: nan {NOT_FINITE}"),
        (EqualStruct, EqualStruct((1, {2})), f".value[1]: {back_as('set', 'list')}"),
        (
            Model,
            Model(name="a").model_copy(update={"name": 3}),
            ".name: input should be a valid string",
        ),
        (Secretive, Secretive.model_validate({"key": "k"}), f"Secretive {CHANGED}"),
        (Secretive, {"key": "k"}, None),
        (
            dt.datetime,
            dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(seconds=1))),
            f"datetime {CHANGED}",
        ),
    ],
)
def test_a_value_is_refused_in_spite_of_its_annotation(
    annotation: Any, value: Any, message: str | None
) -> None:
    codec = arguments(annotation)

    if message is None:
        codec.encode((value,), {})
        return
    with pytest.raises(InvalidPayload) as refusal:
        codec.encode((value,), {})

    separator = "" if message[0] in ".[" else ": "
    assert str(refusal.value) == f"task(): x{separator}{message}"


def test_depth_is_limited_where_it_says() -> None:
    codec = Arguments.of(anything)

    assert codec.encode((nested(MAX_DEPTH - 1),), {})
    assert codec.encode((["[{" * MAX_DEPTH],), {})
    assert codec.encode(([{"a": []}] * MAX_DEPTH,), {})
    with pytest.raises(InvalidPayload, match=r"nested more than 100 levels"):
        codec.encode((nested(MAX_DEPTH),), {})
    with pytest.raises(InvalidPayload, match=r"nested more than 100 levels"):
        codec.encode((nested(100_000),), {})


def test_size_is_limited_in_bytes() -> None:
    with pytest.raises(InvalidPayload) as refusal:
        Arguments.of(anything).encode(("é" * (MAX_BYTES // 2),), {})

    assert str(refusal.value) == (
        f"anything(): 1,048,584 bytes of JSON, the limit is 1,048,576 ({ELSEWHERE})"
    )
    assert encode_any("é", "result", limit=4) == '"é"'
    with pytest.raises(InvalidPayload, match=r"^result: 5 bytes of JSON, the limit is 4 "):
        encode_any("éa", "result", limit=4)


def test_a_payload_is_named_by_its_type_or_as_told() -> None:
    with pytest.raises(InvalidPayload, match=r"^Person: age: expected int, got str$"):
        Payload.of(Person).encode(Person("Ada", WRONG))
    with pytest.raises(InvalidPayload, match=r"^dict\[str, typing.Any\]: expected dict, got int$"):
        Payload.of(dict[str, Any]).encode(1)
    with pytest.raises(InvalidPayload, match=r"^send\(\) result: expected int, got str$"):
        Payload.of_result(int, "send() result").encode("x")


# ---- what is refused when it is read -------------------------------------------------------------

UNREADABLE: list[tuple[Callable[..., Any], str, str]] = [
    (anything, "", f"anything(): not JSON: input data was truncated {STORED}"),
    (anything, "{}", "anything() missing 1 required argument: 'x' (it takes x)"),
    (anything, '{"x":1,"y":2}', "anything() got an unexpected keyword argument 'y' (it takes x)"),
    (anything, "[]", f"anything(): expected dict, got list {STORED}"),
    (anything, '{"x":1} 2', f"anything(): not JSON: trailing characters (byte 9) {STORED}"),
    (anything, '{"x":NaN}', f"anything(): not JSON: invalid character (byte 5) {STORED}"),
    (anything, '{"x":1e999}', f"anything(): x: number out of range {STORED}"),
    (anything, '{"x":' + "9" * 5000 + "}", f"anything(): x: integer value out of range {STORED}"),
    (anything, '{"x":"\\ud800"}', f"anything(): not JSON: input data was truncated {STORED}"),
    (anything, '{"x":"\ud800"}', f"anything(): {NOT_UNICODE} {STORED}"),
    (anything, '{"x":' * 100_000, f"anything(): nested too deep to be read {STORED}"),
    (anything, "[" * 100_000, f"anything(): expected dict, got list {STORED}"),
    (
        send,
        '{"to":[{"name":"Ada","age":"x"}],"body":""}',
        f"send(): to[0].age: expected int, got str {STORED}",
    ),
    (
        send,
        '{"to":[{"age":1}],"body":""}',
        f"send(): to[0]: missing required field 'name' {STORED}",
    ),
    (rest, '{"b":1,"c":"x","a":1}', f"rest(): c: expected int, got str {STORED}"),
    (rest, '{"b":1}', "rest() missing 1 required argument: 'a' (it takes a)"),
    (
        many,
        '{"scores":{"a":{},"b":{"c":1,"d":"x","e":"y"}}}',
        f"many(): scores.b.d: expected int, got str {STORED}",
    ),
    (
        many,
        '{"numbers":{"1":"a","b":"c"}}',
        f"many(): numbers: key 'b': expected int, got str {STORED}",
    ),
    (
        many,
        '{"checked":[{"value":-1}]}',
        f"many(): checked[0]: value: a debt - at '$.heart' {STORED}",
    ),
    (many, '{"checked":[{"value":0}]}', f"many(): KeyError: 'zero' {STORED}"),
    (
        models,
        '{"one":{"name":"a","inner":[{"name":2}]}}',
        f"models(): one.inner[0].name: input should be a valid string {STORED}",
    ),
]


@pytest.mark.parametrize(
    ("function", "text", "message"), UNREADABLE, ids=[text[:40] for _, text, _ in UNREADABLE]
)
def test_a_stored_text_is_refused(function: Callable[..., Any], text: str, message: str) -> None:
    codec = Arguments.of(function)

    with pytest.raises(InvalidPayload) as refusal:
        codec.decode(text)

    assert str(refusal.value) == message


def test_the_last_of_equal_keys_counts_as_everywhere_in_json() -> None:
    assert Arguments.of(anything).decode('{"x":1,"x":2}') == {"x": 2}


def test_a_refusal_quotes_little_and_takes_little() -> None:
    long = "y - at `$." * 100_000
    by_name = msgspec.json.encode({"scores": {f"k{i}": {} for i in range(20_000)} | {"z": 1}})

    for text in (
        msgspec.json.encode({long: 1}),
        msgspec.json.encode({"choice": long}),
        msgspec.json.encode({"scores": {long: 1}}),
        by_name,
    ):
        with pytest.raises(InvalidPayload) as refusal:
            Arguments.of(many).decode(text.decode())

        assert len(str(refusal.value)) < 500

    assert refusal.value.path == "scores[...]"


# ---- what is refused when a task is registered ---------------------------------------------------


BY_NAME = (
    "cannot be passed by name, which is how a job's arguments are stored "
    "(leave out the '/', and take a list instead of *args)"
)
NOT_RESOLVED = (
    "its annotation 'Nowhere' cannot be resolved: name 'Nowhere' is not defined "
    "(define or import it at the top of the module, not under TYPE_CHECKING)"
)
NOT_A_USER = (
    f"{__name__}.User cannot be stored as JSON "
    "(take an id and load it in the task, or take plain data)"
)
NOT_BYTES = "bytes cannot be stored as JSON (take base64 text, or the place where they are stored)"
NO_UNION = (
    "Type unions containing a custom type may not contain any additional types other than `None` "
    f"- type `{__name__}.Model | int` is not supported"
)
NO_SIGNATURE = "its parameters cannot be read: no signature found for builtin type <class 'int'>"
HALVES = (
    "Enums must contain either all str or all int values - type `<enum 'Half'>` is not supported"
)


class Half(enum.Enum):
    HALF = 0.5


def stars(*args: int) -> None: ...
def slash(a: int, /) -> None: ...
def unresolved(a: int, b: Nowhere) -> Nowhere: ...
def custom(user: User | None) -> None: ...
def within(users: dict[str, list[User]]) -> None: ...
def binary(blob: list[bytes]) -> None: ...
def named_binary(**blobs: bytes) -> None: ...
def raw(value: msgspec.Raw) -> None: ...
def union(value: Model | int) -> None: ...
def half(value: Half) -> None: ...


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (stars, f"stars(): parameter 'args' {BY_NAME}"),
        (slash, f"slash(): parameter 'a' {BY_NAME}"),
        (unresolved, f"unresolved(): parameter 'b': {NOT_RESOLVED}"),
        (custom, f"custom(): parameter 'user': {NOT_A_USER}"),
        (within, f"within(): parameter 'users': {NOT_A_USER}"),
        (binary, f"binary(): parameter 'blob': {NOT_BYTES}"),
        (named_binary, f"named_binary(): parameter 'blobs': {NOT_BYTES}"),
        (
            raw,
            "raw(): parameter 'value': msgspec's Raw and Ext cannot be stored as JSON "
            "(take plain data)",
        ),
        (union, f"union(): parameter 'value': {NO_UNION}"),
        (half, f"half(): parameter 'value': {HALVES}"),
        (int, f"int(): {NO_SIGNATURE}"),
    ],
)
def test_a_task_is_refused(function: Callable[..., Any], message: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        Arguments.of(function)

    assert str(refusal.value) == message


def test_a_payload_type_is_refused() -> None:
    with pytest.raises(ConfigError) as refusal:
        Payload.of(User)

    assert str(refusal.value) == f"payload User: {NOT_A_USER}"


def test_the_return_annotation_is_nobodys_business() -> None:
    def task(a: int) -> Nowhere: ...

    assert Arguments.of(task).encode((1,), {}) == '{"a":1}'


# Fields that the type does not have


class Size(TypedDict):
    width: int
    height: NotRequired[int]


class Crop(msgspec.Struct, tag=True, rename="camel"):
    left_edge: int = 0


class Turn(msgspec.Struct, tag=True, forbid_unknown_fields=True):
    degrees: int = 90


@dataclasses.dataclass
class Thumbs:
    path: str
    width: int = 200
    size: Size | None = None
    sizes: dict[str, Size] = dataclasses.field(default_factory=dict)
    steps: list[Crop | Turn] = dataclasses.field(default_factory=list)


class Lenient(pydantic.BaseModel):
    width: int = 1


class Strict(pydantic.BaseModel, extra="forbid"):
    width: int = 1


def thumbs(to: Thumbs, lenient: Lenient | None = None, **rest: Size) -> None: ...


@pytest.mark.parametrize(
    ("given", "path", "hint"),
    [
        ({"path": "a", "widht": 3}, "widht", "did you mean 'width'?"),
        ({"paht": "a"}, "paht", "did you mean 'path'?"),
        ({"path": "a", "x": 3}, "x", "it has: path, width, size, sizes, steps"),
        ({"path": "a", 5: 3}, "[5]", None),
        ({"path": "a", "size": {"width": 1, "heigth": 2}}, "size.heigth", "did you mean 'height'?"),
        ({"path": "a", "sizes": {"s": {"widht": 1}}}, "sizes.s.widht", "did you mean 'width'?"),
        (
            {"path": "a", "steps": [{"type": "Crop", "left_edge": 3}]},
            "steps[0].left_edge",
            "did you mean 'leftEdge'?",
        ),
        (
            {"path": "a", "steps": [{"type": "Turn"}, {"type": "Turn", "degres": 3}]},
            "steps[1].degres",
            "did you mean 'degrees'?",
        ),
        (Thumbs("a", size={"width": 1, "heigth": 2}), "size.heigth", "did you mean 'height'?"),  # pyright: ignore[reportArgumentType]
    ],
)
def test_a_field_that_a_payload_does_not_have_is_refused_with_a_guess(
    given: Any, path: str, hint: str | None
) -> None:
    with pytest.raises(InvalidPayload) as refusal:
        Payload.of(Thumbs).encode(given)
    with pytest.raises(InvalidPayload) as in_call:
        Arguments.of(thumbs).encode((given,), {})

    if hint is not None:
        assert refusal.value.message == f"Thumbs: {path}: there is no such field"
        assert refusal.value.hint == in_call.value.hint == hint
        assert (refusal.value.path, in_call.value.path) == (path, f"to.{path}")


def test_fields_of_further_arguments_are_looked_at_too() -> None:
    with pytest.raises(InvalidPayload) as refusal:
        Arguments.of(thumbs).encode_data({"to": {"path": "a"}, "more": {"width": 1, "x": 1}})

    assert refusal.value.message == "thumbs(): more.x: there is no such field"


def test_the_fields_that_a_payload_has_are_taken_as_plain_data() -> None:
    given = {
        "path": "a",
        "size": {"width": 1},
        "steps": [{"type": "Crop", "leftEdge": 3}, {"type": "Turn", "degrees": 1}],
    }

    assert Payload.of(Thumbs).decode(Payload.of(Thumbs).encode(given)).steps[1] == Turn(1)


def test_a_pydantic_model_says_itself_what_it_takes() -> None:
    assert Payload.of(Lenient).encode({"width": 2, "x": 1}) == '{"width":2,"x":1}'
    with pytest.raises(InvalidPayload, match="Strict: x: extra inputs are not permitted"):
        Payload.of(Strict).encode({"width": 2, "x": 1})


def test_what_is_stored_may_have_fields_of_another_release() -> None:
    text = '{"path":"a","added_later":1,"size":{"width":1,"y":2}}'

    assert Payload.of(Thumbs).decode(text) == Thumbs("a", size={"width": 1})
    assert Arguments.of(thumbs).decode(f'{{"to":{text}}}') == {"to": Thumbs("a", size={"width": 1})}


def test_a_result_may_have_fields_that_its_type_does_not() -> None:
    result = Payload.of_result(Thumbs, "f() result")

    assert result.encode({"path": "a", "x": 1}) == '{"path":"a","x":1}'
