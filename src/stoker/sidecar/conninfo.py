"""Connection strings of libpq's keywords, ``host=db user=shop dbname=shop``, and the URLs they are.

A URL may have its account behind the ``?``, too; before the host it means the same.

Whoever reads one form reads the other: libpq, and so psycopg and pg; pgx and lib/pq, and so GORM.
https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING has the rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, unquote

from stoker.sidecar.interpolation import Variable, parsed
from stoker.sidecar.schemes import BY_ITSELF

_LONGEST = 2_048
_PUT_IN = r"\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}"
"""What Compose puts in may have spaces in it: ``${DB_PASSWORD:?set it}``."""
_PAIR = re.compile(
    rf"\s*([a-zA-Z][a-zA-Z_]*)\s*=\s*('(?:[^'\\]|\\.)*'|(?:{_PUT_IN}|\\.|[^\s'\\])*)(?=\s|\Z)"
)
_ESCAPED = re.compile(r"\\(.)")
_OF_POSTGRES = re.compile(BY_ITSELF["postgres"])
_ASKED = re.compile(rf"(?:{_PUT_IN}|[^&])+")
_ACCOUNT = ("user", "password")
_OWN = ("host", "port", "user", "password", "dbname")
"""What has a place of its own in a URL; all else is asked for behind its ``?``."""


def as_url(text: str) -> str:
    """Return the URL that a text of keywords is, with its account before the host; others as is.

    What Compose puts in stays as it is written. A socket's directory has no URL that others read.
    """
    if "://" in text:
        return _in_place(text) if "?" in text else text
    found = _keywords(text) if "host" in text else {}
    host = found.get("host", "")
    if not host or "/" in host or "," in host or len(found) < 2:
        return text
    login = _quoted(found.get("user", ""))
    if password := found.get("password"):
        login += f":{_quoted(password)}"
    port = f":{found['port']}" if found.get("port") else ""
    path = f"/{_quoted(found['dbname'])}" if found.get("dbname") else ""
    asked = "&".join(
        f"{name}={_quoted(value)}" for name, value in found.items() if name not in _OWN
    )
    place = f"{login}@{host}{port}" if login else f"{host}{port}"
    return f"postgresql://{place}{path}{'?' if asked else ''}{asked}"


def _in_place(url: str) -> str:
    """Return a URL of PostgreSQL's with the account before its host that is behind its ``?``."""
    scheme, _, rest = url.partition("://")
    before, _, query = rest.partition("?")
    asked = [each.partition("=") for each in _ASKED.findall(query)]
    account = {name: value for name, _, value in asked if name in _ACCOUNT and value}
    place = before.partition("/")[0]
    if not account or "$" in before or _OF_POSTGRES.fullmatch(scheme) is None:
        return url  # what Compose puts in may have a ``?`` or ``@`` of its own
    login, _, host = place.rpartition("@")
    user, _, password = login.partition(":")
    if "user" in account:
        user = _quoted(account["user"], read=unquote)
    if "password" in account:
        password = _quoted(account["password"], read=unquote)
    kept = "&".join("".join(each) for each in asked if each[0] not in account)
    login = f"{user}:{password}" if password else user
    return f"{scheme}://{login}@{host}{before[len(place) :]}{'?' if kept else ''}{kept}"


def _keywords(text: str) -> dict[str, str]:
    """Return what each keyword is set to, if a text is nothing but such pairs."""
    found: dict[str, str] = {}
    at = 0
    text = text.strip()
    while at < len(text) <= _LONGEST:
        pair = _PAIR.match(text, at)
        if pair is None:
            return {}
        value = pair[2][1:-1] if pair[2][:1] == "'" else pair[2]
        found[pair[1]] = _ESCAPED.sub(r"\1", value)
        at = pair.end()
    return found


def _quoted(text: str, *, read: Callable[[str], str] = str) -> str:
    """Return a text as an address has it, but for what Compose puts in; ``read``: what it says."""
    return "".join(
        each.text if isinstance(each, Variable) else quote(read(each).replace("$", "$$"), safe="$")
        for each in parsed(text)
    )
