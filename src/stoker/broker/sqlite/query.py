"""Running one statement. SQLite's values are typed by the column, which no checker can see."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import apsw
import msgspec

T = TypeVar("T")

_NOT_UTF8 = re.compile("[\udc80-\udcff]")


def rows(connection: apsw.Connection, sql: str, bindings: Any = ()) -> list[Any]:
    """Return all rows, as tuples."""
    return connection.execute(sql, bindings).fetchall()


def value(connection: apsw.Connection, sql: str, bindings: Any = ()) -> Any:
    """Return the first value of the first row, or ``None``."""
    return connection.execute(sql, bindings).get


def readable(text: bytes, type: type[T]) -> T:
    """Decode JSON that SQLite made of stored text.

    A row that somebody wrote by hand may hold bytes that are not UTF-8. A NUL takes their place,
    which no JSON may hold: such data is shown, and its job becomes a dead letter, but it cannot
    run with other data instead.
    """
    try:
        return msgspec.json.decode(text, type=type)
    except (msgspec.DecodeError, UnicodeDecodeError):
        shown = _NOT_UTF8.sub(r"\\u0000", text.decode("utf-8", "surrogateescape"))
        return msgspec.json.decode(shown, type=type)


def id_text(id: bytes) -> str:
    """Return an id that was read as bytes."""
    return id.decode("utf-8", "replace")
