"""Members put into a ``package.json``, which stays to the letter as its people have it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from stoker.sidecar.write.jsonc import Token, keys, said

_OPENS = {"[": 1, "{": 1, "]": -1, "}": -1}


def with_members(text: str, key: str, members: Mapping[str, str]) -> str:
    """Return the text with members at the end of an object at the top, which is made if need be.

    Each is on a line of its own where the others are.
    """
    lines = [f"{_shown(name)}: {_shown(value)}" for name, value in members.items()]
    inner = _object(text, key)
    if inner:
        return _with_last(text, inner, lines)
    top = said(text)
    indent = _indent(text, top)
    made = (
        f"{{{', '.join(lines)}}}"
        if indent is None
        else "{" + ",".join(f"\n{indent * 2}{line}" for line in lines) + f"\n{indent}}}"
    )
    return _with_last(text, top, [f"{_shown(key)}: {made}"])


def _shown(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _object(text: str, key: str) -> list[Token]:
    """Return what the object of a key is written as, from one bracket to the other."""
    start = next((token.start for token in keys(text) if token.text == _shown(key)), None)
    value = [token for token in said(text) if start is not None and token.start >= start][2:]
    depth = 0
    for at, token in enumerate(value if value and value[0].text == "{" else ()):
        depth += _OPENS.get(token.text, 0)
        if depth == 0:
            return value[: at + 1]
    return []


def _with_last(text: str, inner: Sequence[Token], lines: Sequence[str]) -> str:
    """Return the text with more at the end of an object."""
    last = inner[-2]  # its last member's end; of an empty one the bracket
    at = last.start + len(last.text)
    if last is inner[0]:
        return f"{text[:at]}{', '.join(lines)}{text[at:]}"
    indent = _indent(text, inner)
    before = " " if indent is None else f"\n{indent}"
    return text[:at] + "".join(f",{before}{line}" for line in lines) + text[at:]


def _indent(text: str, inner: Sequence[Token]) -> str | None:
    """Return what stands before an object's first member, if that is on a line of its own."""
    _, found, line = text[: inner[1].start].rpartition("\n")
    return line if found and not line.strip() and inner[2:] else None
