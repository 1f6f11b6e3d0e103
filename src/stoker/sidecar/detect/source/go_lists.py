"""The lists in which urfave/cli's sub-commands stand, and where a literal of Go ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

_TOKEN = re.compile(
    r'"(?:\\.|[^"\\\n])*"|`[^`]*`|' r"'(?:\\.|[^'\\\n])*'|//[^\n]*|/\*.*?\*/|[{}]", re.DOTALL
)
_LIST = re.compile(r"(?:\b(Subc|C)ommands\s*[:=]\s*)?\[\]\s*\*?(?:\w+\.)?Command\s*\{")
_ENTRY = re.compile(r"(?:^|,)\s*(?://[^\n]*\s+)*&?(?:\w+\.)*(\w+)", re.MULTILINE)


class Listing(msgspec.Struct, frozen=True):
    """One list of commands."""

    start: int
    end: int
    names: tuple[str, ...]
    """What it has that is declared elsewhere: functions that make one, or variables."""
    of_sub: bool
    """It is that of a sub-command for sure, not of the program."""


def listings(text: str) -> list[Listing]:
    """Return the lists of commands in a file, an outer one before those inside of it."""
    found: list[Listing] = []
    for at in _LIST.finditer(text) if "Command" in text else ():
        end = closing(text, at.end() - 1)
        inside = without_braces(text[at.end() : end - 1])
        names = tuple(_ENTRY.findall(inside))
        found.append(Listing(at.end(), end, names, at[1] == "Subc"))
    return found


def closing(text: str, at: int) -> int:
    """Return the end of what begins with the brace at a place; that of the text if it has none."""
    depth = 0
    for token in _TOKEN.finditer(text, at):
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        if depth == 0:
            return token.end()
    return len(text)


def without_braces(text: str) -> str:
    """Return a text without what stands in braces."""
    return "".join(_outside(text))


def _outside(text: str) -> Iterator[str]:
    begun = 0
    while (at := next((t for t in _TOKEN.finditer(text, begun) if t[0] == "{"), None)) is not None:
        yield text[begun : at.start()]
        begun = closing(text, at.start())
    yield text[begun:]
