"""What Compose replaces in the texts of its files, by the rules of its specification.

========================  ===================================================================
``$A``, ``${A}``          the value; without one nothing
``${A:-x}``, ``${A-x}``   ``x`` where there is no value; with ``:`` also for an empty one
``${A:?x}``, ``${A?x}``   likewise, but Compose says ``x`` and does not start
``${A:+x}``, ``${A+x}``   ``x`` where there is a value; with ``:`` only if it is not empty
``$$``                    one ``$``
========================  ===================================================================

``x`` may hold the same again. A variable that nothing here says stays as it is written, unless it
has a default: the operator's shell may still say it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, cast

LONGEST = 8_192
"""Characters of a text, and of what it becomes: variables may hold each other."""
_DEEPEST = 20
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_TOKEN = re.compile(
    rf"\$(?:(?P<escaped>\$)|(?P<plain>{_NAME})|\{{(?P<name>{_NAME})(?P<operator>\}}|:?[-?+]))?"
    r"|[{}]"
)


class Variable(NamedTuple):
    """What is put in, and what where it has no value."""

    text: str
    """As it is written."""
    name: str = ""
    """Nothing where Compose sees an error: ``${A``, or a ``$`` alone."""
    operator: str = ""
    rest: tuple[str | Variable, ...] = ()


Parts = tuple[str | Variable, ...]
"""A text: what stands in it, every ``$$`` as one ``$``, and what is put in."""


def parsed(text: str) -> Parts:
    """Return the parts of a text of a compose file."""
    found = _parse(text, 0, 0)
    return found[0] if found else ()


def filled(text: str, known: Mapping[str, str]) -> str:
    """Return a text with the variables that are known, and the defaults of others."""
    if "$" not in text or len(text) > LONGEST:
        return text
    made = _joined(parsed(text), known)
    return made if len(made) <= LONGEST else text


def settled(text: str) -> str | None:
    """Return what Compose makes of a text of its file, if nobody else has a say in it."""
    parts = parsed(text)
    return None if any(map(_is_open, parts)) else _joined(parts, {})


def otherwise(text: str, default: str) -> str:
    """Return a text of Compose's that is this, unless somebody chooses as its first one lets them.

    A choice is ``${A:-x}``, and nothing beside it.
    """
    parts = parsed(text)
    only = parts[1] if parts[:1] == ("",) and parts[2:] == ("",) else None
    if isinstance(only, Variable) and only.name and only.operator[-1:] == "-":
        return f"${{{only.name}{only.operator}{escape(default)}}}"
    return escape(default)


def asked(value: Any) -> Iterator[str]:
    """Yield the variables in a file's values that somebody has to say.

    Without some Compose does not start; where others were meant, nothing would stand.
    """
    if isinstance(value, str):
        yield from _asked(parsed(value))
    elif isinstance(value, Mapping):
        yield from asked(cast(Mapping[str, Any], value).values())
    elif isinstance(value, Iterable):
        for each in cast(Iterable[Any], value):
            yield from asked(each)


def escape(text: str) -> str:
    """Return text that Compose leaves as it is."""
    return text.replace("$", "$$")


def required(variable: str) -> str:
    """Return what Compose replaces by the operator's value, or refuses to start without."""
    return f"${{{variable}:?set it in .env}}"


def _joined(parts: Parts, known: Mapping[str, str]) -> str:
    return "".join(each if isinstance(each, str) else _value(each, known) for each in parts)


def _value(variable: Variable, known: Mapping[str, str]) -> str:
    value, what = known.get(variable.name), variable.operator[-1:]
    there = bool(value) if variable.operator[:1] == ":" else value is not None
    if what == "+":
        return _joined(variable.rest, known) if there else ""
    if value is not None and there:
        return value
    return _joined(variable.rest, known) if what == "-" else variable.text


def _is_open(part: str | Variable) -> bool:
    """Tell if somebody else has to say something."""
    if isinstance(part, str) or part.operator[-1:] == "+":
        return False
    return part.operator[-1:] != "-" or any(map(_is_open, part.rest))


def _asked(parts: Parts) -> Iterator[str]:
    for each in parts:
        if isinstance(each, Variable):
            if each.name and each.operator[-1:] in ("", "}", "?"):
                yield each.name
            yield from _asked(each.rest)


def _parse(text: str, at: int, depth: int) -> tuple[Parts, int] | None:
    """Return the parts from a place on, and where they end; nothing if their brace is missing.

    Braces count in a default, as they do for Compose: ``${SETTINGS:-{"a": {}}}``.
    """
    parts: list[str | Variable] = []
    braces = 0
    while found := _TOKEN.search(text, at):
        parts.append(text[at : found.start()])
        at, token, operator = found.end(), found[0], found["operator"]
        if token in ("{", "}"):
            if token == "}" and depth and not braces:
                return tuple(parts), at
            braces += 1 if token == "{" else -1
            parts.append(token)
        elif found["escaped"]:
            parts.append("$")
        elif operator is None or operator == "}":
            parts.append(Variable(token, found["plain"] or found["name"] or ""))
        else:
            inner = _parse(text, at, depth + 1) if depth < _DEEPEST else None
            if inner is None:  # what the rest was meant to be, nobody knows
                return None if depth else ((*parts, Variable(text[found.start() :])), len(text))
            rest, at = inner
            parts.append(Variable(text[found.start() : at], found["name"], operator, rest))
    return None if depth else ((*parts, text[at:]), len(text))
