"""A task's arguments as the JSON text that is stored, and back, typed.

Encoding is a proof by round trip: the text is decoded as a worker would decode it, and what comes
back has to equal what was given. That one rule refuses a wrong type and also everything that JSON
would change silently: NaN (``null``), bytes (base64), a datetime where any value may stand (text),
the key ``1`` (``"1"``). Only a tuple is let through where any value may stand, and comes back as
the list that it is in JSON. Both directions and the comparison run in C; where they prove nothing,
``misfit`` looks at single values and names the one at fault.
"""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Self, TypeVar, cast

import msgspec
from msgspec import UNSET
from msgspec.structs import astuple

from stoker.errors import InvalidPayload
from stoker.job.annotation import comparable, decoder, typed_parameters, verify
from stoker.job.misfit import MAX_DEPTH, Misfit, check, explain, is_deep, show, to_bytes
from stoker.job.surplus import Surplus

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Arguments", "Payload", "by_name", "encode_any", "encode_each"]

T = TypeVar("T")
X = TypeVar("X")

MAX_BYTES = 1_048_576
"""The largest payload unless the caller sets another limit: 1 MiB."""


class Arguments:
    """A task function's parameters; stored as one JSON object of parameter names.

    What a call leaves out is not stored, so that the default is the one of the code that runs it.
    """

    def __init__(self, name: str, parameters: Sequence[tuple[inspect.Parameter, Any]]) -> None:
        self._name = f"{name}()"
        named = [(p, hint) for p, hint in parameters if p.kind is not p.VAR_KEYWORD]
        rest = [hint for p, hint in parameters if p.kind is p.VAR_KEYWORD]
        self._names = tuple(p.name for p, _ in named)
        self._required = [p.name for p, _ in named if p.default is p.empty]
        self._positional = sum(p.kind is not p.KEYWORD_ONLY for p, _ in named)
        # The fields are numbered, since a Struct cannot have one named `class` or `__x`.
        shape = msgspec.defstruct(
            "Arguments",
            [
                (f"p{i}", hint, msgspec.field() if p.default is p.empty else UNSET)
                for i, (p, hint) in enumerate(named)
            ],
            rename={f"p{i}": name for i, name in enumerate(self._names)},
            kw_only=True,
            forbid_unknown_fields=not rest,
        )
        self._decode = decoder(shape)
        self._decode_rest = decoder(dict[str, rest[0]]) if rest else None
        proof = comparable([hint for _, hint in parameters])
        surplus = {p.name: Surplus(hint) for p, hint in named}
        surplus_rest = Surplus(rest[0]) if rest else None

        def refuse(data: dict[str, Any]) -> None:
            for name, value in data.items():
                if (known := surplus.get(name, surplus_rest)) is not None:
                    known.refuse(value, name)

        self._codec = _Codec(self._name, self._load, proof, self._misnamed, refuse)

    @classmethod
    def of(cls, function: Callable[..., Any], *, skip: int = 0) -> Self:
        """Read the parameters of ``function`` after the first ``skip``.

        Raises ``ConfigError`` naming a parameter that cannot be stored by its name, or as JSON.
        """
        name = getattr(function, "__name__", type(function).__name__)
        return cls(name, typed_parameters(function, name, skip))

    def encode(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, limit: int = MAX_BYTES
    ) -> str:
        """Return the arguments of a call as JSON text, or raise ``InvalidPayload``."""
        data = dict(zip(self._names, args))  # noqa: B905 - the lengths are compared below
        if kwargs:
            data.update(kwargs)
        if len(data) != len(args) + len(kwargs) or len(args) > self._positional:
            raise self._misbound(len(args), kwargs)
        return self._codec.encode(data, limit)

    def encode_data(self, data: Mapping[str, Any], *, limit: int = MAX_BYTES) -> str:
        """Return a ready mapping of parameter names as JSON text, or raise ``InvalidPayload``."""
        return self._codec.encode(dict(data), limit)

    def decode(self, text: str) -> dict[str, Any]:
        """Return stored JSON text as the call's keyword arguments, or raise ``InvalidPayload``."""
        return self._codec.decode(text)

    def _load(self, text: bytes | str) -> dict[str, Any]:
        rest: dict[str, Any] = {}
        if self._decode_rest is not None:
            raw = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
            rest = {name: value for name, value in raw.items() if name not in self._names}
            rest = self._decode_rest(to_bytes(rest))
        values = zip(self._names, astuple(self._decode(text)), strict=True)
        data = {name: value for name, value in values if value is not UNSET}
        return data | rest if rest else data

    def _misnamed(self, names: Collection[Any]) -> InvalidPayload | None:
        """Return the error for arguments that are unknown or missing, in Python's own words."""
        takes = f"it takes {', '.join(self._names) or 'none'}"
        for name in names:
            if name not in self._names and self._decode_rest is None:
                shown = show(name)
                problem = f"{self._name} got an unexpected keyword argument {shown}"
                return InvalidPayload(problem, path=shown.strip("'"), hint=takes)
        missing = [name for name in self._required if name not in names]
        if missing:
            listed = ", ".join(map(repr, missing))
            problem = f"{self._name} missing {_arguments(len(missing), 'required')}: {listed}"
            return InvalidPayload(problem, path=missing[0], hint=takes)
        return None

    def _misbound(self, given: int, kwargs: Mapping[str, Any]) -> InvalidPayload:
        if given > self._positional:
            takes = _arguments(self._positional, "positional")
            was = "was" if given == 1 else "were"
            return InvalidPayload(f"{self._name} takes {takes} but {given} {was} given")
        twice = next(name for name in self._names[:given] if name in kwargs)
        problem = f"{self._name} got multiple values for argument {twice!r}"
        return InvalidPayload(problem, path=twice)


class Payload:
    """The one value that a ``Processor`` takes, or that a handler returns; stored as JSON."""

    def __init__(self, name: str, type: Any, surplus: Callable[[Any], None] | None = None) -> None:
        self._codec = _Codec(name, decoder(type), comparable([type]), surplus=surplus)

    @classmethod
    def of(cls, type: Any) -> Self:
        """Read the type: a dataclass, TypedDict, Struct or pydantic model, ``dict[str, Any]``.

        Raises ``ConfigError`` when its values cannot be stored as JSON.
        """
        name = type.__name__ if isinstance(type, builtins.type) else str(type)
        verify(type, f"payload {name}")
        return cls(name, type, Surplus(type).refuse)

    @classmethod
    def of_result(cls, type: Any, what: str) -> Self:
        """Read the type of what a handler returns; ``what`` names it in errors.

        It may have fields that the type does not: that is no reason to fail work that is done.
        """
        verify(type, f"payload {what}")
        return cls(what, type)

    def encode(self, value: Any, *, limit: int = MAX_BYTES) -> str:
        """Return the value as JSON text, or raise ``InvalidPayload``."""
        return self._codec.encode(value, limit)

    def decode(self, text: str) -> Any:
        """Return stored JSON text as a value of the type, or raise ``InvalidPayload``."""
        return self._codec.decode(text)


def encode_any(value: Any, what: str, *, limit: int = MAX_BYTES) -> str:
    """Return plain data as JSON text, or raise ``InvalidPayload``; ``what`` names it in errors."""
    return _Codec(what, msgspec.json.decode, comparable=True).encode(value, limit)


def by_name(value: Any, what: str) -> dict[str, Any]:
    """Return a mapping as a dict, or raise ``InvalidPayload``: arguments are stored by name."""
    if not isinstance(value, Mapping):
        raise InvalidPayload(
            f"{what} takes its arguments by name, not as {type(value).__name__}: {show(value)}",
            hint="a mapping such as {'to': 'ada'}",
        )
    return dict(cast("Mapping[str, Any]", value))


def encode_each(items: Iterable[X], encode: Callable[[X], T], what: str) -> list[T]:
    """Return what ``encode`` makes of each; an error names the item: ``calls[3]``."""
    given: Any = items
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        kind = type(cast("object", given)).__name__
        raise InvalidPayload(
            f"{what} are many, one for each job, not {kind}: {show(given)}",
            hint="put it into a list",
        )
    encoded: list[T] = []
    for item in items:
        try:
            encoded.append(encode(item))
        except InvalidPayload as error:
            place = f"[{len(encoded)}]"
            path = f"{place}.{error.path}" if error.path else place
            raise InvalidPayload(
                f"{what}{place}: {error.message}", path=path, hint=error.hint
            ) from error.__cause__
    return encoded


class _Codec:
    """Encodes with the proof by round trip, decodes, and says what went wrong."""

    def __init__(
        self,
        name: str,
        load: Callable[[bytes | str], Any],
        comparable: bool,
        misnamed: Callable[[Collection[Any]], InvalidPayload | None] | None = None,
        surplus: Callable[[Any], None] | None = None,
    ) -> None:
        self._name = name
        self._load = load
        self._comparable = comparable
        self._misnamed = misnamed
        self._surplus = surplus

    def encode(self, value: Any, limit: int) -> str:
        try:
            raw = to_bytes(value)
            if len(raw) > limit:
                raise Misfit(
                    f"{len(raw):,} bytes of JSON, the limit is {limit:,}",
                    "store it elsewhere and pass where it is",
                )
            back = self._load(raw)
            if not (
                self._comparable
                and back == value
                and b'Infinity"' not in raw  # a Decimal
                and not is_deep(raw)
            ):
                self._refuse_surplus(value)
                check(value, back)
            return raw.decode()
        except Misfit as misfit:
            raise self._refused(misfit) from None
        except Exception as error:
            raise self._unencodable(value, error) from error

    def decode(self, text: str) -> Any:
        try:
            return self._load(text)
        except Exception as error:
            raise self._unreadable(text, error) from error

    def _unencodable(self, value: Any, error: Exception) -> InvalidPayload:
        if self._misnamed is not None and (misnamed := self._misnamed(value)):
            return misnamed
        try:
            check(value)
            self._refuse_surplus(value)
            data = msgspec.json.decode(to_bytes(value))
            return self._refused(explain(error, data, self._load, value))
        except Misfit as misfit:
            return self._refused(misfit)
        except Exception:  # a type of the caller's that does not encode twice in the same way
            return self._refused(explain(error, None, self._load))

    def _refuse_surplus(self, value: Any) -> None:
        if self._surplus is not None:
            self._surplus(value)

    def _unreadable(self, text: str, error: Exception) -> InvalidPayload:
        data: Any = None
        with suppress(Exception):
            data = msgspec.json.decode(text)
        if self._misnamed is not None and isinstance(data, dict):
            misnamed = self._misnamed(cast("dict[str, Any]", data))
            if misnamed is not None:
                return misnamed
        misfit = explain(error, data, self._load)
        misfit.hint = "correct the stored data, or make the code accept it"
        return self._refused(misfit)

    def _refused(self, misfit: Misfit) -> InvalidPayload:
        place = f"{self._name}: {misfit.path}" if misfit.path else self._name
        return InvalidPayload(f"{place}: {misfit.problem}", path=misfit.path, hint=misfit.hint)


def _arguments(count: int, kind: str) -> str:
    return f"{count} {kind} argument{'' if count == 1 else 's'}"
