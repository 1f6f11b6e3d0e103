"""Variables of shell scripts, Makefiles and justfiles: what the file itself says is put in.

What comes from outside (``$PORT``) stays as it is. What the file finds out only when it is run
(``$(nproc)``, ``read``, a missing ``$1``) becomes ``UNKNOWN``; ``known`` leaves such words out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from stoker.sidecar.detect.shell import ROOT, UNKNOWN, defaults

Lines = Sequence[tuple[int, str]]
ENTERS = re.compile(r"""\s*(?:cd|pushd)\s+["']?([^\s"';&|]+)["']?\s*(?:$|\|\||;|>)""")
"""A line after which the others are run elsewhere."""
_LONGEST = 4_096
"""Characters of a line with its variables: they may hold each other."""

_ASSIGNED = re.compile(
    r"\s*(?:(?:export|local|readonly|declare|typeset)\s+(?:-\w+\s+)*)?([A-Za-z_]\w*)(\+?)=(.*)$"
)
_VALUE = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'[^']*'|\((?:[^()]*)\)|[^\s;&|"']*)"""
    r"""\s*([;&].*)?(?:#.*)?$"""
)
_IF = re.compile(r"\s*if\b")
_FI = re.compile(r"(?:^|;)\s*fi\b")
_DEFAULT = re.compile(r"""\s*:\s*["']?\$\{(\w+):?=([^}]*)\}""")
_READ = re.compile(r"\s*(?:while\s+)?read\s+((?:-\w+\s+)*)([\w\s]+)")
_LOOP = re.compile(r"\s*for\s+(\w+)\s+in\b")
_ARRAY = re.compile(r'"?\$\{(\w+)\[[@*]\]\}"?')
_USED = re.compile(r"\$(?:\{(\w+|@|\*)(?::\?[^}]*|\?[^}]*)?\}|([A-Za-z_]\w*|[0-9@*]))")
_OWN_PLACE = re.compile(
    r"""\$\(\s*dirname\s+(?:--\s+)?["']?\$(?:0|\{0\}|\{BASH_SOURCE(?:\[0\])?\}|BASH_SOURCE)["']?\s*\)|"""
    r"\$\{(?:0|BASH_SOURCE(?:\[0\])?)%/\*\}"
)
_ENTERED = re.compile(
    rf"""\$\(\s*(?:cd|realpath|readlink\s+-f)\s+(?:--\s+)?"?({ROOT}[^"\s)]*)"?[^()]*\)"""
)
_CUT = re.compile(r"\$\{\w+(?::\d*:|[%#/^,]|:[\s\d-])[^}]*\}")
"""What only bash puts in: a part of a variable."""
_WHICH = re.compile(r"\$\(\s*(?:which|command\s+-v)\s+([\w.-]+)\s*\)")
_RUN = re.compile(r"\$\([^()]*\)|`[^`]*`")
_VENV = re.compile(
    r"""(?:\bpython3?(?:\.exe)?\s+)?[^\s"'=]*(?:(?<![\w-])\.?(?:venv|env|virtualenv)/bin/|\\Scripts\\)(?=[\w.-]+)"""
)
"""Where a virtual environment has its programs, the last is Windows', and what runs such a one."""
_MADE = re.compile(
    r"(?:export\s+)?([A-Za-z_]\w*)\s*(?:::?|\?|\+)?=\s*(.*)$|\s+([A-Z][A-Z0-9_]*):\s+([^{}\s].*)$"
)
_ASKED = re.compile(r"\$\((\w+)\)|(?<!\$)\$\{(\w+)\}|\{\{\s*\.?(\w+)\s*\}\}")
_OR = re.compile(r"(?<!\$)\$\(or\s([^()]*)\)")
"""The first of several that says anything."""
_ELSE = re.compile(r"(?<!\$)\$\([^()]*\)|\{\{[^{}]*\}\}")


def put_in(lines: Lines, place: str, arguments: Sequence[str] = ()) -> Iterator[tuple[int, str]]:
    """Yield the lines of a shell script with its variables; ``place`` is its directory."""
    values: dict[str, str] = {}
    given = list(arguments)
    depth = 0
    for number, line in lines:
        text = _placed(line, place) if "$" in line else line
        if text.strip() == "shift":
            given = given[1:]
        elif not _learn(text, values, given, maybe=depth > 0):
            yield number, without_venv(_filled(text, values, given))
        depth += (_IF.match(text) is not None) - (_FI.search(text) is not None)


def _placed(line: str, place: str) -> str:
    text = _OWN_PLACE.sub(f"{ROOT}/{place}", line)
    text = _WHICH.sub(lambda found: found[1], text)
    return _ENTERED.sub(lambda found: found[1], text)


def put_in_recipes(lines: Lines) -> Iterator[tuple[int, str]]:
    """Yield the lines of a Makefile, justfile or Taskfile with its variables."""
    values = {"MAKE": "make"}
    for number, line in lines:
        found = _MADE.match(line)
        name, value = (found[1] or found[3], found[2] or found[4] or "") if found else ("", "")
        if name and not line.startswith("\t"):
            values.setdefault(name, _made(_unquoted(value.strip()), values))
        yield number, without_venv(_made(line, values)).replace("$$", "$")


def _made(text: str, values: dict[str, str]) -> str:
    text = _ASKED.sub(
        lambda found: values.get(found[1] or found[2] or found[3], UNKNOWN), text[:_LONGEST]
    )
    text = _OR.sub(lambda found: _first(found[1].split(",")), text)
    text = _ELSE.sub(UNKNOWN, text)
    return text if len(text) <= _LONGEST else UNKNOWN


def _first(values: Sequence[str]) -> str:
    """Return the first that says anything; of what nobody says here, Make has nothing."""
    return next((each.strip() for each in values if each.strip() and UNKNOWN not in each), UNKNOWN)


def without_venv(text: str) -> str:
    """Name a program of a virtual environment alone: in an image there is no such directory."""
    there = "env/bin/" in text or "\\Scripts\\" in text
    return _VENV.sub("", text) if there else text


def _learn(text: str, values: dict[str, str], given: Sequence[str], *, maybe: bool) -> bool:
    """Remember what a line assigns; tell if it does nothing else.

    ``maybe``: it is run under a condition. What it makes of a variable from outside then is not
    what there is without that.
    """
    if found := _DEFAULT.match(text):
        values.setdefault(found[1], found[2])
        return True
    if found := _READ.match(text):
        values |= dict.fromkeys(found[2].split(), UNKNOWN)
        return True
    if found := _LOOP.match(text):
        values[found[1]] = UNKNOWN
        return False
    found = _ASSIGNED.match(text)
    value = _VALUE.match(found[3]) if found else None
    if found is None or value is None:
        return False
    name = found[1]
    plain = _filled(_unquoted(value[1]), values, given)
    if name not in values or (UNKNOWN not in plain and not (maybe and "$" in plain)):
        values[name] = f"{values.get(name, '')} {plain}" if found[2] else plain
    # Else it is an option of the script's own; what it is by default is known.
    return not value[2]


def _unquoted(text: str) -> str:
    return text[1:-1].strip() if text[:1] in ("'", '"', "(") and len(text) > 1 else text


def _filled(text: str, values: dict[str, str], given: Sequence[str]) -> str:
    """Put in what is known; a default only where nothing is."""
    if "$" not in text and "`" not in text:
        return text if len(text) <= _LONGEST else UNKNOWN

    def value(name: str) -> str | None:
        if name in ("@", "*"):
            return " ".join(given)
        if re.fullmatch(r"[0-9]{1,9}", name):
            at = int(name) - 1
            return given[at] if 0 <= at < len(given) else UNKNOWN
        return values.get(name)

    text = _ARRAY.sub(lambda found: value(found[1]) or found[0], text)
    text = re.sub(
        r"\$\{(\w+)(?=:?[-=])",
        lambda found: found[0] if value(found[1]) in (None, "", UNKNOWN) else f"${{{found[1]}:?",
        text,
    )
    text = defaults(text)
    text = re.sub(r'"\$[@*]"', "$@", text)
    text = _USED.sub(
        lambda found: found[0] if (known := value(found[1] or found[2])) is None else known, text
    )
    text = _CUT.sub(UNKNOWN, _RUN.sub(UNKNOWN, text))
    return text if len(text) <= _LONGEST else UNKNOWN
