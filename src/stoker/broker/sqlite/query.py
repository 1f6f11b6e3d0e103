"""Running one statement. SQLite's values are typed by the column, which no checker can see."""

from __future__ import annotations

from typing import Any, TypeVar

import apsw
import msgspec

T = TypeVar("T")


def rows(connection: apsw.Connection, sql: str, bindings: Any = ()) -> list[Any]:
    """Return all rows, as tuples."""
    return connection.execute(sql, bindings).fetchall()


def value(connection: apsw.Connection, sql: str, bindings: Any = ()) -> Any:
    """Return the first value of the first row, or ``None``."""
    return connection.execute(sql, bindings).get


def readable(text: bytes, type: type[T]) -> T:
    """Decode JSON made of stored text, even of a row that somebody wrote in another encoding."""
    try:
        return msgspec.json.decode(text, type=type)
    except msgspec.DecodeError:
        return msgspec.json.decode(text.decode("utf-8", "replace"), type=type)


def id_text(id: bytes) -> str:
    """Return an id that was read as bytes."""
    return id.decode("utf-8", "replace")
