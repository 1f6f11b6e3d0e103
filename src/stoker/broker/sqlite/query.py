"""Running one statement. SQLite's values are typed by the column, which no checker can see."""

from __future__ import annotations

from typing import Any

import apsw


def rows(connection: apsw.Connection, sql: str, bindings: Any = ()) -> list[Any]:
    """Return all rows, as tuples."""
    return connection.execute(sql, bindings).fetchall()


def value(connection: apsw.Connection, sql: str, bindings: Any = ()) -> Any:
    """Return the first value of the first row, or ``None``."""
    return connection.execute(sql, bindings).get
