"""Connection strings of libpq's keywords, ``host=db user=shop dbname=shop``, and the URLs they are.

Whoever reads one form reads the other: libpq, and so psycopg and pg; pgx and lib/pq, and so GORM.
https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING has the rules.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from stoker.sidecar.interpolation import Variable, parsed

_LONGEST = 2_048
_PUT_IN = r"\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}"
"""What Compose puts in may have spaces in it: ``${DB_PASSWORD:?set it}``."""
_PAIR = re.compile(
    rf"\s*([a-zA-Z][a-zA-Z_]*)\s*=\s*('(?:[^'\\]|\\.)*'|(?:{_PUT_IN}|\\.|[^\s'\\])*)(?=\s|\Z)"
)
_ESCAPED = re.compile(r"\\(.)")
_OWN = ("host", "port", "user", "password", "dbname")
"""What has a place of its own in a URL; all else is asked for behind its ``?``."""


def as_url(text: str) -> str:
    """Return the URL that a text of keywords is; any other text as it is.

    What Compose puts in stays as it is written. A socket's directory has no URL that others read.
    """
    found = _keywords(text) if "host" in text and "://" not in text else {}
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


def _quoted(text: str) -> str:
    """Return a text as an address has it, but for what Compose puts in."""
    return "".join(
        each.text if isinstance(each, Variable) else quote(each.replace("$", "$$"), safe="$")
        for each in parsed(text)
    )
