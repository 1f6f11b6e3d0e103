"""Ruby: what a line of a configuration depends on, and whether that holds in production."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

Given = Callable[[str], str]
"""What a deployment gives a variable; nothing if it gives none."""

_BRANCH = re.compile(r"(\s*)(if|unless|elsif|else|case|when)\b[ \t(]*(.*)")
_MODIFIER = re.compile(r".*?(?:^|\s)(if|unless)\s+(.*)")
_OF_ENVIRONMENT = re.compile(r"\bRails\.env\b|\b(?:RAILS|RACK|APP)_ENV\b")
_NAME = re.compile(r"\b(development|production|staging|test|local)\b")
_DEFAULT = r"""(?:\s*,\s*["':]?(\w*)|\s*[\])]\s*(?:\|\||\{)\s*["':]?(\w+))?"""
"""What is taken where a variable is not set: of ``fetch``, in a block, or after ``||``."""
_VARIABLE = re.compile(rf"""\bENV(?:\.fetch)?[\[(]\s*["'](\w+)["']{_DEFAULT}""")
_COMPARED = re.compile(r"""([=!])=\s*["']?(\w*)""")
_NEGATED = re.compile(r"^(?:!|not\b)|!=|\.(?:nil|blank)\?")
_OFF = ("", "false", "0", "off", "no")
_EITHER = re.compile(r"\(?([^?\n]+\??)\s+\?\s*+:(\w+)\s*+:\s*+:(\w+)")
_VALUE = re.compile(r"""\s*\(?\s*["':](\w+)""")


def counts(text: str, start: int, end: int, given: Given) -> bool:
    """Tell if what stands there counts in production, as far as what is around it says."""
    return all(holds(each, given) is not no for each, no in _around(text, start, end))


def value(text: str, given: Given) -> str:
    """Return the symbol or the string that an expression is in production; empty if unclear."""
    either = _EITHER.match(text.strip())
    if either is not None:
        first = holds(either[1], given)
        return "" if first is None else either[2] if first else either[3]
    asked = _VARIABLE.match(text.strip().lstrip("( "))
    if asked is not None:
        return given(asked[1]) or asked[2] or asked[3] or ""
    plain = _VALUE.match(text)
    return plain[1] if plain else ""


def holds(condition: str, given: Given) -> bool | None:
    """Tell if a condition holds where the application is deployed; nothing if nobody knows."""
    ways = re.split(r"\|\|(?![^\[(]*[\])])|\bor\b", _plain(condition))
    return _any(_all(_holds(part, given) for part in re.split(r"&&|\band\b", way)) for way in ways)


def _plain(condition: str) -> str:
    """Return a condition without what is said of a variable for the environment that is not set."""
    default = r"""["'](?:RAILS|RACK|APP)_ENV["']"""
    condition = re.sub(rf"""({default})\s*,\s*["']\w+["']""", r"\1", condition)
    return re.sub(rf"""({default}\s*[\])])\s*\|\|\s*["']\w+["']""", r"\1", condition)


def _holds(part: str, given: Given) -> bool | None:
    part = part.strip(" ()")
    negated = _NEGATED.search(part) is not None
    if _OF_ENVIRONMENT.search(part):
        names = _NAME.findall(part)
        return ("production" in names) is not negated if names else None
    asked = _VARIABLE.search(part)
    if asked is None:
        return None
    found = given(asked[1]) or (asked[2] or asked[3] or "").lower()
    compared = _COMPARED.search(part)
    if compared is not None:
        return (found == compared[2].lower()) is (compared[1] == "=")
    return (found not in _OFF) is not negated


def _all(parts: Iterator[bool | None]) -> bool | None:
    known = list(parts)
    return False if False in known else None if None in known else True


def _any(parts: Iterator[bool | None]) -> bool | None:
    known = list(parts)
    return True if True in known else None if None in known else False


def _around(text: str, start: int, end: int) -> Iterator[tuple[str, bool]]:
    """Yield each condition around a place, with what it may not be for it to be reached.

    That of its own line, and those of the blocks that it stands in, by how far they are indented.
    """
    modifier = _MODIFIER.match(text[end:].partition("\n")[0])
    if modifier is not None:
        yield modifier[2], modifier[1] == "unless"
    begin = text.rfind("\n", 0, start) + 1
    line = text[begin:end]
    own = re.match(r"\s*(if|unless)\s+(.+?)\s*(?:;|\bthen\b)", line)
    if own is not None:
        yield own[2], own[1] == "unless"
    yield from _blocks(text[:begin].split("\n"), len(line) - len(line.lstrip()))


def _blocks(above: list[str], indent: int) -> Iterator[tuple[str, bool]]:
    behind = taken = ""
    for line in reversed(above):
        found = _BRANCH.match(line)
        depth = len(line) - len(line.lstrip())
        if not line.strip() or depth > indent or (depth == indent and not behind):
            continue
        if found is None:
            behind, indent = ("", depth) if depth < indent else (behind, indent)
            continue
        word, condition = found[2], found[3]
        if depth < indent:
            behind, indent = word, depth
            if word in ("if", "unless", "elsif"):
                yield condition, word == "unless"
            taken = condition if word == "when" else ""
        elif behind == "when" and word == "case":
            yield f"{condition} == {taken}", False
        elif behind in ("else", "elsif") and word in ("if", "unless", "elsif"):
            yield condition, word != "unless"
        if word in ("if", "unless", "case"):
            behind = ""
