"""Which field of given data the type that it is for does not have.

A decoder passes over it, and has to: what is stored may be from a newer release, or an older one.
Who adds a job is told: there it is a slip of the pen.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from typing import Any

from msgspec import inspect as types

from stoker.job.misfit import Misfit, show

Found = Iterator[tuple[list[Any], list[str]]]
"""The keys that lead to an unknown field, and the names of those there are."""


class Surplus:
    """Knows the fields of all that a value of a type may be made of."""

    def __init__(self, type: Any) -> None:
        self._node: Any = types.type_info(type)

    def refuse(self, given: Any, *before: Any) -> None:
        """Raise ``Misfit`` for the first field in a mapping that its type does not have.

        ``before`` are the keys that led to what is given. What a pydantic model takes is for its
        own decoder, and its ``extra``, to say.
        """
        for keys, known in _unknown(self._node, given):
            close = difflib.get_close_matches(show(keys[-1]).strip("'"), known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"it has: {', '.join(known)}"
            raise Misfit("there is no such field", hint, [*before, *keys])


def _unknown(node: Any, given: Any) -> Found:
    match node:
        case types.Metadata():
            yield from _unknown(node.type, given)
        case types.UnionType():
            yield from _unknown(_member(node.types, given), given)
        case types.StructType(array_like=True) | types.NamedTupleType():
            yield from _in_items((field.type for field in node.fields), given)
        case types.StructType() | types.DataclassType() | types.TypedDictType():
            yield from _in_fields(node, given)
        case types.CollectionType():
            yield from _in_items(repeat(node.item_type), given)
        case types.TupleType():
            yield from _in_items(node.item_types, given)
        case types.DictType() if _is_mapping(given):
            for key, value in given.items():
                yield from _behind(key, _unknown(node.value_type, value))
        case _:
            pass


def _in_fields(node: Any, given: Any) -> Found:
    if not _is_mapping(given):  # an object has the fields it has; what is in them?
        for field in node.fields:
            inner = getattr(given, field.name, None)
            yield from _behind(field.encode_name, _unknown(field.type, inner))
        return
    known = {field.encode_name: field.type for field in node.fields}
    for key, value in given.items():
        if key in known:
            yield from _behind(key, _unknown(known[key], value))
        elif key != getattr(node, "tag_field", None):
            yield [key], list(known)


def _in_items(nodes: Iterable[Any], given: Any) -> Found:
    if _is_array(given):
        for place, (node, value) in enumerate(zip(nodes, given, strict=False)):
            yield from _behind(place, _unknown(node, value))


def _behind(key: Any, found: Found) -> Found:
    for keys, known in found:
        yield [key, *keys], known


def _member(members: Iterable[Any], given: Any) -> Any:
    """Return the type of a union that a value is for: the only one of its kind, or of its tag."""
    fitting: list[Any]
    if _is_mapping(given):
        fitting = [member for member in members if isinstance(member, _OBJECTS)]
        if len(fitting) > 1:
            fitting = [m for m in fitting if m.tag is not None and given.get(m.tag_field) == m.tag]
    elif _is_array(given):
        fitting = [member for member in members if isinstance(member, _ARRAYS)]
    else:
        fitting = [m for m in members if getattr(m, "cls", None) is type(given)]
    return fitting[0] if len(fitting) == 1 else None


# Not `isinstance`: to a type checker what is in `Any` would become unknown.
def _is_mapping(given: Any) -> bool:
    return isinstance(given, Mapping)


def _is_array(given: Any) -> bool:
    return isinstance(given, list | tuple)


_OBJECTS = (types.StructType, types.DataclassType, types.TypedDictType, types.DictType)
_ARRAYS = (types.CollectionType, types.TupleType, types.NamedTupleType)
