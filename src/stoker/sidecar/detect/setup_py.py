"""What a ``setup.py`` asks for, by its text: nothing is run, and nothing is gone through twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

_BEGINS = re.compile(
    r"(?:install_requires|(?<!\w)\w{0,80}REQUIRE\w{0,80})\s*=\s*\[|extras_require\s*=\s*\{"
)
_REQUIREMENT = re.compile(r"""["']([A-Za-z][^"'\n]{0,100})["']""")
_ENDS = {"[": "]", "{": "}"}


def asked_for(text: str) -> Iterator[tuple[int, str]]:
    """Yield the requirements in its lists, each with its line."""
    ends = dict(_ENDS)
    end, counted, line = 0, 0, 1
    for begun in _BEGINS.finditer(text):
        bracket = begun[0][-1]
        if begun.start() < end or bracket not in ends:
            continue
        found = text.find(ends[bracket], begun.end())
        if found < 0:
            del ends[bracket]  # none follows any later list, either
            continue
        end = found + 1
        for each in _REQUIREMENT.finditer(text, begun.end(), end):
            line += text.count("\n", counted, each.start())
            counted = each.start()
            yield line, each[1]
