"""What a ``setup.py`` asks for, by its text: nothing is run, and nothing is gone through twice.

Its strings and brackets are told apart, and no more is understood: one for Python 2, which no
parser of today's reads, has its lists, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r'''(?P<long>""".*?"""|\'\'\'.*?\'\'\')'''
    r"""|"(?P<double>(?:[^"\\\n]|\\.)*)"?|\'(?P<single>(?:[^\'\\\n]|\\.)*)\'?"""
    r"""|(?P<comment>\#[^\n]*)"""
    r"""|(?P<begin>(?:install_requires|(?<!\w)\w{0,80}REQUIRE\w{0,80})\s*=\s*\[|extras_require\s*=\s*\{)"""
    r"""|(?P<opens>[\[{(])|(?P<closes>[\]})])""",
    re.DOTALL,
)
"""A text that nothing ends goes to the end of its line, and is not gone through again."""
_REQUIREMENT = re.compile(r"[A-Za-z][^\"'\n]{0,100}")


def asked_for(text: str) -> Iterator[tuple[int, str]]:
    """Yield the requirements in its lists, each with its line."""
    depth, counted, line = 0, 0, 1
    for token in _TOKEN.finditer(text):
        match token.lastgroup:
            case "begin":
                depth += 1
            case "opens" if depth:
                depth += 1
            case "closes" if depth:
                depth -= 1
            case "double" | "single" if depth and _REQUIREMENT.fullmatch(
                asked := token[token.lastgroup]
            ):
                line += text.count("\n", counted, token.start())
                counted = token.start()
                yield line, asked
            case _:
                pass
