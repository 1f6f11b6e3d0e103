"""The other databases of a Rails application, and the variables that lead to them.

Rails takes ``QUEUE_DATABASE_URL`` for the database ``queue`` of ``config/database.yml``, and puts
it over what stands there; ``DATABASE_URL`` is for the first one only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from stoker.sidecar.detect.manifests import Manifests
from stoker.sidecar.detect.yaml import Table, table
from stoker.sidecar.project import Project

_FILE = r"database\.yml(\.erb)?"
_ENVIRONMENTS = ("production", "development")
_STATEMENT = re.compile(r"^[ \t]*<%(?!=)[^\n]*%>[ \t]*$", re.MULTILINE)
_PUT_IN = re.compile(r"<%=([^\n]*?)%>")
_ASKED = re.compile(r"""\bENV(?:\.fetch\(|\[)\s*["'](\w{1,80})["']""")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,79}")
_CALLED = re.compile(r"[\w-]{1,63}")
_CONNECTS = re.compile(
    r"^[^#\n]*\bsolid_queue\.connects_to\s*=\s*\{\s*database:\s*\{\s*writing:\s*:(\w+)",
    re.MULTILINE,
)
_FIRST = "primary"
_OF_THE_FIRST = ("PRIMARY_DATABASE_URL", "DATABASE_URL")
_MOST = 8
"""More than any application has."""


class Database(NamedTuple):
    """One of them."""

    name: str
    """As Rails calls it: ``queue``."""
    variable: str
    part: str
    """``server``: an address without a name, which the file has itself; ``other``: with another
    name than that of the first; ``url``: the same as of the first."""
    path: str
    line: int
    called: str = ""
    """What it is called on its server in production, where the file plainly says it."""


def other_databases(project: Project, manifests: Manifests) -> list[Database]:
    """Return those in PostgreSQL; of several that one variable leads to, the first."""
    if not manifests.has("pg", language="ruby") or not manifests.has("rails", language="ruby"):
        return []
    paths = [path for path in project.matching(_FILE) if "config/" in path]
    found: dict[str, Database] = {}
    for path in paths:
        if not project.is_aside(path):
            for each in _of_file(path, project.text(path)):
                if _VARIABLE.fullmatch(each.variable):
                    found.setdefault(each.variable, each)
    return list(found.values())[:_MOST]


def first_database(project: Project, manifests: Manifests) -> str:
    """Return what the first one is called in production, where ``database.yml`` plainly says it."""
    if not manifests.has("rails", language="ruby"):
        return ""
    for path in (each for each in project.matching(_FILE) if "config/" in each):
        settings = _settings(project.text(path)).table(_ENVIRONMENTS[0])
        several = settings.values() and all(isinstance(each, Table) for each in settings.values())
        about = settings.table(next(iter(settings))) if several else settings
        name = str(about.get("database") or "")
        if not project.is_aside(path) and _CALLED.fullmatch(name):
            return name
    return ""


def with_jobs(project: Project, databases: list[Database]) -> Database | None:
    """Return that in which Solid Queue is told to keep its jobs; else they are in the first."""
    for path in project.suffixed("rb"):
        told = _CONNECTS.search(project.text(path)) if "config/" in path else None
        if told and not project.is_aside(path):
            return next((each for each in databases if each.name == told[1]), None)
    return None


def _of_file(path: str, text: str) -> Iterator[Database]:
    settings = _settings(text)
    for environment in _ENVIRONMENTS:
        databases = settings.table(environment)
        if not all(isinstance(each, Table) for each in databases.values()):
            continue  # it has one, and these are its settings
        for name in databases:
            about = databases.table(name)
            if name != _FIRST and "postg" in str(about.get("adapter") or "postgresql"):
                line = databases.lines[name]
                own = str(about.get("database") or "") if environment == _ENVIRONMENTS[0] else ""
                for variable, part in _told(name, about, line):
                    plain = own if part == "server" and _CALLED.fullmatch(own) else ""
                    yield Database(name, variable, part, path, line, plain)


def _settings(text: str) -> Table:
    return table(_PUT_IN.sub(_variables, _STATEMENT.sub("", text)))


def _variables(put_in: re.Match[str]) -> str:
    """Return the variables of an expression, as a text that is none of YAML's own."""
    return f"$ {' '.join(_ASKED.findall(put_in[1]))}"


def _told(name: str, about: Table, line: int) -> Iterator[tuple[str, str]]:
    """Yield the variable that a database is told by, and what it is to hold."""
    own = {key: value for key, value in about.items() if about.lines[key] > line}
    usual = f"{name.upper()}_DATABASE_URL"
    asked = str(own.get("url", "")).split()[1:2]
    replica = about.get("replica") == "true"  # the same once more, wherever that is
    if asked:
        part = "url" if replica else "other"
        yield from ((variable, part) for variable in asked if variable not in _OF_THE_FIRST)
    elif replica:
        yield usual, "url"
    elif "database" in own:
        yield usual, "server"
    else:
        yield usual, "other" if "migrations_paths" in own else "url"
