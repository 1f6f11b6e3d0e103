"""An entry of a section, put between the lines of a YAML file or taken out of them.

Only block style is understood; who calls has to read the result again and compare.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise


def put(lines: Sequence[str], section: str, name: str, body: Sequence[str]) -> list[str]:
    """Return the lines with an entry, in the place that it has or else as the section's last."""
    start = _find_section(lines, section)
    if start is None:
        last = len(lines) - (1 if lines and not lines[-1] else 0)
        return [*lines[:last], f"{section}:", *_indented(body, "  "), *lines[last:]]
    end = _end(lines, start)
    at, stop = _find(lines, start, end, name) or (end, end)
    return [
        *lines[:at],
        *_indented(body, _indent_of_entries(lines[start + 1 : end])),
        *lines[stop:],
    ]


def take(lines: Sequence[str], section: str, name: str) -> list[str]:
    """Return the lines without an entry; without its section, if that had nothing else."""
    start = _find_section(lines, section)
    found = None if start is None else _find(lines, start, _end(lines, start), name)
    if start is None or found is None:
        return list(lines)
    at, stop = found
    others = (*lines[start + 1 : at], *lines[stop : _end(lines, start)])
    return [*lines[: at if any(line.strip() for line in others) else start], *lines[stop:]]


def comments(lines: Sequence[str], section: str, name: str) -> dict[str, str]:
    """Return the comments above the keys of an entry, by key."""
    start = _find_section(lines, section)
    found = None if start is None else _find(lines, start, _end(lines, start), name)
    at, stop = found or (0, 0)
    above = ((line.strip(), _key(following)) for line, following in pairwise(lines[at:stop]))
    return {key: line.removeprefix("# ") for line, key in above if line[:2] == "# " and key}


_KEY = re.compile(r"""\s*(?P<quote>["']?)(?P<name>[^\s"'#][^"'#]*?)(?P=quote)\s*:(?:\s|\Z)""")


def _key(line: str) -> str | None:
    found = _KEY.match(line)
    return found["name"] if found else None


def _find_section(lines: Sequence[str], section: str) -> int | None:
    found = (n for n, line in enumerate(lines) if line[:1].strip() and _key(line) == section)
    return next(found, None)


def _find(lines: Sequence[str], start: int, end: int, name: str) -> tuple[int, int] | None:
    """Return where an entry begins and ends."""
    indent = len(_indent_of_entries(lines[start + 1 : end]))
    for at in range(start + 1, end):
        if _indent(lines[at]) == indent and _key(lines[at]) == name:
            return at, _end(lines, at)
    return None


def _end(lines: Sequence[str], start: int) -> int:
    """Return where the block below ``lines[start]`` ends: after its last line with something."""
    indent = _indent(lines[start])
    end = start + 1
    for at in range(start + 1, len(lines)):
        line = lines[at]
        if not line.strip() or (line.lstrip().startswith("#") and _indent(line) <= indent):
            continue
        if _indent(line) <= indent:
            break
        end = at + 1
    return end


def _indent_of_entries(lines: Sequence[str]) -> str:
    first = next((line for line in lines if _key(line) is not None), "  ")
    return first[: _indent(first)]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _indented(lines: Sequence[str], indent: str) -> list[str]:
    return [f"{indent}{line}" if line else line for line in lines]
