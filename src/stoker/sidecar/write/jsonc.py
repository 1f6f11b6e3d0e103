"""JSON with comments, as editors write it: read, and strings put into a list of it.

The text is not written anew: what goes in is marked, and taken out again to the byte.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from stoker.errors import ConfigError

_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<text>"(?:[^"\\\n]|\\.)*")|(?P<sign>[\[\]{},:])"""
    r"""|(?P<space>\s+)|(?P<other>[^\s\[\]{},:"/]+|.)""",
    re.DOTALL,
)
_MARK = "/* stoker sidecar */"
_STRING = r'"(?:[^"\\\n]|\\.)*"'
_PUT = re.compile(f", {_STRING} {re.escape(_MARK)}| {re.escape(_MARK)} {_STRING}")


class Token(NamedTuple):
    """A part of a text, and where it is."""

    kind: str
    text: str
    start: int


def read(path: str, text: str) -> Any:
    """Return what it says. Raises ``ConfigError`` with the line of what is wrong."""
    plain: list[str] = []
    waiting, allowed = "", False  # a comma, until it is no last one
    for token in _tokens(text):
        if token.kind in ("comment", "space"):
            plain.append("\n" * token.text.count("\n") or " ")
            continue
        ends, begins = token.text in ("]", "}"), token.text in ("[", "{")
        plain.append("" if ends else waiting)
        waiting = "," if token.text == "," and allowed else ""
        plain.append("" if waiting else token.text)
        allowed = not begins and token.text != ","
    try:
        return json.loads("".join(plain))
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        hint = "repair it first, or move it aside"
        raise ConfigError(f"{path}, line {line}: not JSON: {error}", hint=hint) from None


def put(text: str, key: str, values: Sequence[str]) -> str:
    """Return the text with strings at the end of a list at the top; as it is without the list."""
    place = _end_of_list(text, key)
    if place is None or not values:
        return text
    at, follows = place
    first, *rest = map(json.dumps, values)
    made = f", {first} {_MARK}" if follows else f" {_MARK} {first}"
    return text[:at] + made + "".join(f", {value} {_MARK}" for value in rest) + text[at:]


def take(text: str) -> str:
    """Return the text without what was put into it."""
    return _PUT.sub("", text)


def line_of(text: str, key: str) -> int:
    """Return the line of a key at the top, 1 for the first; 1 if it is not there."""
    start = next((token.start for token in keys(text) if token.text == json.dumps(key)), 0)
    return text.count("\n", 0, start) + 1


def _tokens(text: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(text.removeprefix("\ufeff")):
        yield Token(found.lastgroup or "other", found[0], found.start() + text.startswith("\ufeff"))


def said(text: str) -> list[Token]:
    """Return what is neither space nor a comment."""
    return [token for token in _tokens(text) if token.kind not in ("comment", "space")]


def keys(text: str) -> Iterator[Token]:
    """Yield the keys of the outermost object."""
    depth = 0
    for token, following in pairwise(said(text)):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token.text, 0)
        if depth == 1 and token.kind == "text" and following.text == ":":
            yield token


def _end_of_list(text: str, key: str) -> tuple[int, bool] | None:
    """Return where a list of strings goes on, and whether that is behind one of them."""
    start = next((token.start for token in keys(text) if token.text == json.dumps(key)), None)
    if start is None:
        return None
    _, _, *value = (token for token in said(text) if token.start >= start)
    if not value or value[0].text != "[":
        return None
    end = next((at for at, token in enumerate(value) if token.text == "]"), 0)
    last = value[end - 1]
    return (last.start + len(last.text), last.kind == "text") if end else None
