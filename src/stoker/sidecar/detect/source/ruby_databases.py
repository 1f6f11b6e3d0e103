"""The other databases of a Rails application, and the variables that lead to them.

Rails takes ``QUEUE_DATABASE_URL`` for the database ``queue`` of ``config/database.yml``, and puts
it over what stands there; ``DATABASE_URL`` is for the first one only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stoker.sidecar.detect.manifests import Manifests
from stoker.sidecar.detect.yaml import Table, table
from stoker.sidecar.project import Project

_FILE = r"database\.yml(\.erb)?"
_ENVIRONMENTS = ("production", "development")
_STATEMENT = re.compile(r"^[ \t]*<%(?!=)[^\n]*%>[ \t]*$", re.MULTILINE)
_PUT_IN = re.compile(r"<%=([^\n]*?)%>")
_ASKED = re.compile(r"""\bENV(?:\.fetch\(|\[)\s*["'](\w{1,80})["']""")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,79}")
_FIRST = "primary"
_OF_THE_FIRST = ("PRIMARY_DATABASE_URL", "DATABASE_URL")
_MOST = 8
"""More than any application has."""


def other_databases(project: Project, manifests: Manifests) -> dict[str, str]:
    """Return the variables of those in PostgreSQL, each with what it holds.

    ``server``: an address without a name, which the file has itself; ``other``: with another name
    than that of the first; ``url``: the same as of the first.
    """
    if not manifests.has("pg", language="ruby") or not manifests.has("rails", language="ruby"):
        return {}
    paths = [path for path in project.matching(_FILE) if "config/" in path]
    found: dict[str, str] = {}
    for path in paths:
        if not project.is_aside(path):
            for variable, part in _of_file(project.text(path)):
                if _VARIABLE.fullmatch(variable):
                    found.setdefault(variable, part)
    return dict(list(found.items())[:_MOST])


def _of_file(text: str) -> Iterator[tuple[str, str]]:
    settings = table(_PUT_IN.sub(_variables, _STATEMENT.sub("", text)))
    for environment in _ENVIRONMENTS:
        databases = settings.table(environment)
        if not all(isinstance(each, Table) for each in databases.values()):
            continue  # it has one, and these are its settings
        for name in databases:
            about = databases.table(name)
            if name != _FIRST and "postg" in str(about.get("adapter") or "postgresql"):
                yield from _told(name, about, databases.lines[name])


def _variables(put_in: re.Match[str]) -> str:
    """Return the variables of an expression, as a text that is none of YAML's own."""
    return f"$ {' '.join(_ASKED.findall(put_in[1]))}"


def _told(name: str, about: Table, line: int) -> Iterator[tuple[str, str]]:
    """Yield the variable that a database is told by, and what it is to hold."""
    own = {key: value for key, value in about.items() if about.lines[key] > line}
    usual = f"{name.upper()}_DATABASE_URL"
    asked = str(own.get("url", "")).split()[1:2]
    if asked:
        yield from ((variable, "other") for variable in asked if variable not in _OF_THE_FIRST)
    elif about.get("replica") == "true":
        yield usual, "url"
    elif "database" in own:
        yield usual, "server"
    else:
        yield usual, "other" if "migrations_paths" in own else "url"
