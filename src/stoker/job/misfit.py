"""Why a value cannot be stored as JSON, or a stored text not be read: finds what is at fault.

``payload`` decides by a comparison that runs in C. What is in here looks at single values in
Python, and runs only where that comparison failed or could prove nothing.
"""

from __future__ import annotations

import dataclasses
import re
import reprlib
import traceback
from bisect import bisect_left
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite
from typing import Any, cast

import msgspec

MAX_DEPTH = 100
"""Lists and objects inside one another, the outermost included."""

_MAX_SHOWN = 300
"""Characters shown of a problem: a decoder quotes what it refuses, which can be a megabyte."""
_MAX_STEPS = 12
"""Steps shown of the way to a value."""
_MAX_SEARCHED = 100_000
"""Bytes of data in which the key at fault is searched for; that takes some 20 decodes of it."""

_ABSENT: Any = object()
_SURROGATE = "text with half a surrogate pair is not Unicode"
_PYTHONS = {"array": "list", "object": "dict", "null": "None"}
"""What JSON's own kinds are called by who reads the error."""
_FORMS = {
    "Invalid RFC3339 encoded datetime": "not a datetime such as 2026-12-24T18:30:00Z",
    "Invalid RFC3339 encoded date": "not a date such as 2026-12-24",
    "Invalid RFC3339 encoded time": "not a time such as 18:30:00",
    "Invalid ISO8601 duration": "not a duration such as PT90S",
}
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


class Misfit(Exception):
    """A value is at fault. ``keys`` lead to it, the outermost first."""

    def __init__(self, problem: str, hint: str | None = None, keys: list[Any] | None = None):
        super().__init__(problem)
        self.problem = problem if len(problem) <= _MAX_SHOWN else problem[:_MAX_SHOWN] + "…"
        self.hint = hint
        self.keys = keys or []

    @property
    def path(self) -> str:
        """The way to the value as people write it: ``to[2].age``."""
        steps = [_step(key) for key in self.keys]
        if len(steps) > _MAX_STEPS:
            steps[_MAX_STEPS:] = ["…"]
        return "".join(steps).removeprefix(".")


def _is(value: Any, *kinds: type) -> bool:
    """``isinstance``, but ``value`` stays ``Any`` to a type checker: not ``list[Unknown]``."""
    return isinstance(value, kinds)


def _has(value: Any, name: str) -> bool:
    """``hasattr`` of the type: a mock or a proxy has whatever it is asked for."""
    return hasattr(cast("object", type(value)), name)


def _plain(value: Any) -> Any:
    """Return the JSON form of what msgspec does not know."""
    if _has(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True, round_trip=True, warnings=False)
    if isinstance(value, date | time):  # of pendulum, freezegun, pandas
        return value.isoformat()
    for kind, plain in _SCALARS.items():
        if isinstance(value, kind):  # class UserId(str)
            return plain(value)
    raise NotImplementedError


_SCALARS: dict[type, Callable[[Any], Any]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
}

to_bytes = msgspec.json.Encoder(enc_hook=_plain).encode
"""Encode anything, NaN and bytes too: what it returns is safe only once it has been compared."""


def check(given: Any, back: Any = _ABSENT, depth: int = 1) -> None:
    """Raise ``Misfit`` for the first value in ``given`` that JSON cannot carry.

    With ``back``, which is ``given`` encoded and decoded, also for the first value that came back
    as something else. The JSON form of a richer type (text for a date) is as good as the type.
    """
    inner = _inner(given)
    if inner is None:
        _check_single(given, back)
        return
    if depth > MAX_DEPTH:
        raise Misfit(
            f"nested more than {MAX_DEPTH} levels deep, or contains itself",
            "pass flatter data, or store it elsewhere and pass where it is",
        )
    if _is(given, dict):
        _check_keys(inner, back)
    inner_back = None if back is _ABSENT else _counterpart(given, back, inner)
    for key, value in inner.items():
        try:
            check(value, inner_back.get(key, _ABSENT) if inner_back else _ABSENT, depth + 1)
        except Misfit as misfit:
            misfit.keys.insert(0, key)
            raise


def is_deep(raw: bytes) -> bool:
    """Return whether JSON text is nested deeper than allowed; ``check`` finds where."""
    if len(raw) <= 2 * MAX_DEPTH or raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return False
    level: list[Any] = [msgspec.json.decode(raw)]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if _is(outer, dict) else outer)
            if type(inner) in (dict, list)
        ]
        if not level:
            return False
    return True


def _inner(value: Any) -> dict[Any, Any] | None:
    """Return the values inside of ``value`` by key, position or field; ``None`` if it is single."""
    if _is(value, dict):
        return value
    if _is(value, list, tuple, set, frozenset):
        items: Iterable[Any] = value
        return dict(enumerate(items))
    if _is(value, msgspec.Struct):
        names = value.__struct_fields__
    elif dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
    elif _has(value, "__attrs_attrs__"):
        names = [field.name for field in value.__attrs_attrs__]
    else:
        return None
    return {name: getattr(value, name, _ABSENT) for name in names}


def _counterpart(given: Any, back: Any, inner: dict[Any, Any]) -> dict[Any, Any] | None:
    """Return the values inside of ``back``, to compare with those inside of ``given``."""
    if _is(given, set, frozenset):
        if given != back:
            raise _changed(given, back)
        return None
    if _is(given, dict) and _is(back, dict):
        if inner.keys() == back.keys():
            return back
        return dict(zip(inner, back.values(), strict=True))
    if type(given) is type(back) or (type(given) in (list, tuple) and _is(back, list, tuple)):
        return _inner(back)
    if type(given) in (dict, list, tuple):  # as JSON has it, for a richer type
        return _inner(msgspec.json.decode(to_bytes(given)))
    raise _changed(given, back)


def _check_keys(given: dict[Any, Any], back: Any) -> None:
    for key in given:
        if type(key) is str and back is not _ABSENT:
            continue
        try:
            _check_single(key, _ABSENT)
            to_bytes({key: None})
        except Misfit as misfit:
            raise Misfit(f"key {show(key)}: {misfit.problem}", misfit.hint) from None
        except Exception:
            raise Misfit(f"key {show(key)} is not text", "use text keys") from None
    if not _is(back, dict) or given.keys() == back.keys():
        return
    if len(given) != len(back):
        lost = next(key for key in given if key not in back)
        raise Misfit(
            f"key {show(lost)} would be lost", "leave it out, or add it to the annotated type"
        )
    for key, key_back in zip(given, back, strict=True):
        if type(key) is not str and key != key_back:
            raise Misfit(
                f"key {show(key)} would come back as {show(key_back)}",
                f"use text keys, or annotate it as dict[{_kind(key)}, …]",
            )


def _check_single(given: Any, back: Any) -> None:
    if _is(given, bytes, bytearray, memoryview):
        raise _unstorable(given, "pass base64 text, or store it elsewhere and pass where it is")
    if _is(given, float, Decimal) and not _finite(given):
        raise Misfit(f"{given} cannot be stored as JSON", "pass None or text instead")
    if back is not _ABSENT:
        if not _faithful(given, back):
            raise _changed(given, back)
        return
    try:
        to_bytes(given)
    except UnicodeEncodeError:
        raise Misfit(_SURROGATE, "replace that character") from None
    except (NotImplementedError, TypeError):
        raise _unstorable(
            given, "pass its id and load it in the task, or pass plain data"
        ) from None
    except Exception as error:
        if isinstance(given, int):
            raise Misfit("int of more than 4,300 digits", "pass it as text") from None
        raise Misfit(f"{_kind(given)}: {_said(error)}") from error


def _finite(value: float | Decimal) -> bool:
    return value.is_finite() if isinstance(value, Decimal) else isfinite(value)


def _faithful(given: Any, back: Any) -> bool:
    """Whether ``back`` is ``given``, or what an annotation makes of the JSON value ``given``."""
    if _is(given, datetime, time):  # not `==`: the same instant in another zone is equal,
        # and one in an hour that the clock shows twice equals nothing
        return _is(back, datetime, time) and given.isoformat() == back.isoformat()
    if _has(given, "model_extra") and type(given) is type(back):  # not its private attributes
        return given.model_extra == back.model_extra and all(
            getattr(given, name) == getattr(back, name) for name in back.__pydantic_fields__
        )
    if type(given) in (int, float) and not _is(back, int, float):
        return True
    return type(given) is str or given == back


def _unstorable(given: Any, hint: str) -> Misfit:
    return Misfit(f"{_kind(given)} cannot be stored as JSON", hint)


def _changed(given: Any, back: Any) -> Misfit:
    if type(given) is type(back):
        return Misfit(
            f"{_kind(given)} would come back changed",
            "its JSON form leaves something out; pass plain data",
        )
    return Misfit(
        f"{_kind(given)} would come back as {_kind(back)}",
        f"annotate it as {_kind(given)}, or pass plain data",
    )


def explain(
    error: Exception, data: Any, load: Callable[[bytes], Any], given: Any = _ABSENT
) -> Misfit:
    """Return what ``error``, raised by decoding with ``load``, says about ``data``.

    ``data`` is the untyped JSON value, ``given`` what a caller wanted to store.
    """
    if isinstance(error, RecursionError):
        return Misfit("nested too deep to be read")
    if isinstance(error, UnicodeError):
        return Misfit(_SURROGATE)
    if not isinstance(error, msgspec.ValidationError):
        if isinstance(error, msgspec.DecodeError):
            return Misfit(f"not JSON: {_worded(str(error).removeprefix('JSON is malformed: '))}")
        return Misfit(_said(error))
    problem, in_key, where = _parsed(str(error))
    keys = _keys(where, data, str(error), load)
    with suppress(Exception):
        error_of_pydantic: Any = error.__cause__
        first = error_of_pydantic.errors()[0]
        return Misfit(_worded(first["msg"]), keys=[*keys, *first["loc"]])
    if in_key:
        return Misfit(f"key {show(keys.pop())}: {_worded(problem)}", keys=keys)
    if given is not _ABSENT:
        with suppress(Exception):
            kind = _kind(_follow(given, keys))
            problem = re.sub(r"(?<=got `)\w+(?=`$)", lambda _: kind, problem)
    return Misfit(_worded(problem), keys=keys)


def _parsed(message: str) -> tuple[str, bool, str]:
    """Take "problem - at `$.path`" or "problem - at `key` in `$.path`" apart.

    Not by an expression: it would take quadratic time for a hostile value that is quoted.
    """
    before, _, where = message.rpartition("`$")
    where = where.removesuffix("`")
    if before.endswith(" - at `key` in "):
        return before.removesuffix(" - at `key` in "), True, f"{where}[...]"
    if before.endswith(" - at "):
        return before.removesuffix(" - at "), False, where
    return message, False, ""


def _keys(where: str, data: Any, message: str, load: Callable[[bytes], Any]) -> list[Any]:
    """Return the keys of msgspec's path; where it has ``[...]`` for any key, find the one."""

    def fails() -> bool:
        try:
            load(to_bytes(data))
        except Exception as error:
            return str(error) == message
        return False

    keys: list[Any] = []
    for name, index in _STEP.findall(where):
        key = name or index if index in ("", "...") else int(index)
        if index == "...":
            with suppress(Exception):
                if len(to_bytes(data)) <= _MAX_SEARCHED:
                    key = _first_at_fault(_follow(data, keys), fails)
        keys.append(key)
    return keys


def _first_at_fault(items: dict[str, Any], fails: Callable[[], bool]) -> str:
    whole = list(items.items())

    def fails_up_to(last: int) -> bool:
        items.clear()
        items.update(whole[: last + 1])
        return fails()

    first = bisect_left(range(len(whole) - 1), True, key=fails_up_to)
    items.clear()
    items.update(whole)
    return whole[first][0]


def _follow(value: Any, keys: list[Any]) -> Any:
    for key in keys:
        indexed = _is(value, dict, list, tuple)
        value = value[key] if indexed else getattr(value, key)
    return value


def _worded(problem: str) -> str:
    """Return a message of msgspec or pydantic in the words of ours."""
    if problem in _FORMS:
        return _FORMS[problem]
    if problem.startswith("Expected `"):
        problem = re.sub(r"\b(array|object|null)\b", lambda kind: _PYTHONS[kind[0]], problem)
    quote = "" if problem.startswith("Expected") else "'"
    problem = problem.removeprefix("Object ").replace("`", quote)
    return problem[:1].lower() + problem[1:]


def _step(key: Any) -> str:
    if isinstance(key, str) and key.isidentifier() and len(key) <= 60:
        return f".{key}"
    return "[...]" if key == "..." else f"[{show(key)}]"


def _kind(value: Any) -> str:
    return "None" if value is None else type(value).__name__


def show(value: Any) -> str:
    """Return ``repr(value)``, shortened."""
    with suppress(Exception):  # a `__repr__` is anybody's code, and 10 ** 5000 has none
        return reprlib.repr(value)
    return f"of type {_kind(value)}"


def _said(error: Exception) -> str:
    """Return type and text of an exception whose ``__str__`` is anybody's code."""
    return "".join(traceback.format_exception_only(error)).strip()
