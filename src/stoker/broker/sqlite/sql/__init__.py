"""The statements of the SQLite broker: one file per operation, one ``-- :name`` per statement."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


def script(name: str) -> str:
    """Return the text of ``<name>.sql``."""
    return (files(__package__) / f"{name}.sql").read_text(encoding="utf-8")


@cache
def statement(operation: str, name: str) -> str:
    """Return one statement of ``<operation>.sql``, without its comments.

    Comments go because SQLite's statement cache is keyed by the text.
    """
    for section in script(operation).split("\n-- :")[1:]:
        title, _, body = section.partition("\n")
        if title.strip() == name:
            lines = (line for line in body.splitlines() if not line.startswith("--"))
            return "\n".join(lines).strip()
    raise LookupError(f"{operation}.sql has no statement {name!r}")
