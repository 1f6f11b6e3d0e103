"""What a task's annotations ask for, and whether values of such types can be stored as JSON."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any, cast, get_type_hints

import msgspec
from msgspec import inspect as types

from stoker.errors import ConfigError
from stoker.job.misfit import to_bytes


def typed_parameters(
    function: Callable[..., Any], name: str, skip: int
) -> list[tuple[inspect.Parameter, Any]]:
    """Return the parameters after the first ``skip``, each with its type; not annotated is ``Any``.

    Raises ``ConfigError`` for a parameter that cannot be stored by its name, or as JSON.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())[skip:]
    except (NameError, TypeError, ValueError) as error:
        raise ConfigError(f"{name}(): its parameters cannot be read: {error}") from error
    scope = getattr(inspect.unwrap(function), "__globals__", {})
    return [(parameter, _hint(parameter, name, scope)) for parameter in parameters]


def _hint(parameter: inspect.Parameter, function: str, scope: dict[str, Any]) -> Any:
    where = f"{function}(): parameter {parameter.name!r}"
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
        raise ConfigError(
            f"{where} cannot be passed by name, which is how a job's arguments are stored",
            hint="leave out the '/', and take a list instead of *args",
        )
    if parameter.annotation is parameter.empty:
        return Any
    holder = SimpleNamespace(__annotations__={"it": parameter.annotation})
    try:
        hint = get_type_hints(holder, scope, include_extras=True)["it"]
    except Exception as error:  # the annotation is an expression: it can raise anything
        raise ConfigError(
            f"{where}: its annotation {parameter.annotation!r} cannot be resolved: {error}",
            hint="define or import it at the top of the module, not under TYPE_CHECKING",
        ) from error
    verify(hint, where)
    return hint


_NO_TYPE = re.compile(r"Type '.*' is not supported")
_KINDS = "what JSON has, dates, UUIDs, enums, dataclasses, TypedDicts, or models of these"


def verify(type: Any, where: str) -> None:
    """Raise ``ConfigError`` unless values of the type can be stored as JSON."""
    try:
        for node in _tree([type]):
            _verify_node(node)
        decoder(type)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error.message}", hint=error.hint) from None
    except Exception as error:  # an annotation inside of the type is an expression, too
        hint = _KINDS if _NO_TYPE.fullmatch(str(error)) else None
        raise ConfigError(f"{where}: {error}", hint=hint) from error


def _verify_node(node: Any) -> None:
    match node:
        case types.BytesType() | types.ByteArrayType() | types.MemoryViewType():
            raise ConfigError(
                "bytes cannot be stored as JSON",
                hint="take base64 text, or the place where they are stored",
            )
        case types.CustomType(cls=cls) if cls is not object and not _is_pydantic(cls):
            raise ConfigError(
                f"{cls.__module__}.{cls.__qualname__} cannot be stored as JSON",
                hint="take an id and load it in the task, or take plain data",
            )
        case types.RawType() | types.ExtType():
            raise ConfigError(
                "msgspec's Raw and Ext cannot be stored as JSON", hint="take plain data"
            )
        case _:
            pass


def comparable(hints: Iterable[Any]) -> bool:
    """Return whether two values of these types that are equal are the same to a task.

    They may not be where a class compares in a way of its own. A float key can be infinite.
    """
    for node in _tree(hints):
        match node:
            case types.StructType(cls=cls):
                if cls.__eq__ is not msgspec.Struct.__eq__ or not cls.__struct_config__.eq:
                    return False
            case types.DataclassType(cls=cls):
                if not dataclasses.is_dataclass(cls) or not _compares_all_fields(cls):
                    return False
            case types.CustomType(cls=cls) if cls is not object:
                return False
            case types.DictType(key_type=types.FloatType() | types.UnionType()):
                return False
            case _:
                pass
    return True


def _compares_all_fields(cls: Any) -> bool:
    """Whether ``__eq__`` is the one that a dataclass of these fields is given by default."""
    usual: Any = dataclasses.make_dataclass(
        "Usual", [field.name for field in dataclasses.fields(cls)]
    )
    code, usual_code = getattr(cls.__eq__, "__code__", None), usual.__eq__.__code__
    return code is not None and (code.co_code, code.co_names) == (
        usual_code.co_code,
        usual_code.co_names,
    )


def _tree(hints: Iterable[Any]) -> Iterator[Any]:
    """Yield the types and all that they are made of, each once, as ``msgspec.inspect`` has them."""
    nodes: list[Any] = [types.type_info(hint) for hint in hints]
    seen = {id(node) for node in nodes}
    for node in nodes:
        yield node
        for value in msgspec.structs.astuple(node):
            for part in cast("tuple[Any, ...]", value) if isinstance(value, tuple) else (value,):
                inner = part.type if isinstance(part, types.Field) else part
                if isinstance(inner, types.Type) and id(inner) not in seen:
                    seen.add(id(inner))
                    nodes.append(inner)


def decoder(type: Any) -> Callable[[bytes | str], Any]:
    """Return a function from JSON text to a value of the type."""
    return msgspec.json.Decoder(type, dec_hook=_build).decode


def _build(type: Any, value: Any) -> Any:
    """Return the JSON ``value`` as a type that msgspec does not know."""
    return type.model_validate_json(to_bytes(value)) if _is_pydantic(type) else value


def _is_pydantic(cls: Any) -> bool:
    return hasattr(cls, "model_validate_json")
