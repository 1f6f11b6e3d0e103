"""The database: one engine for each process, made when it is first needed."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session

from depot.models import Base
from depot.settings import settings


def session() -> Session:
    """Return a session, for a ``with`` block."""
    return Session(_engine(), expire_on_commit=False)


def create_tables() -> None:
    """Create what is missing."""
    Base.metadata.create_all(_engine())


@cache
def _engine() -> Engine:
    engine = create_engine(settings.database_url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Let several processes read and write at once, and wait for each other."""
    connection.execute("PRAGMA busy_timeout = 30000")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
