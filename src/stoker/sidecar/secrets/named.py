"""Where a text sets what is called secret: in any language, a command, a connection's text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stoker.sidecar.secrets.names import is_place_of_secret, is_secret_name, may_be_secret
from stoker.sidecar.secrets.shapes import Span, is_random

_NOTHING = frozenset({"", "true", "false", "yes", "no", "on", "off", "none", "null", "nil"})
_OF_A_FILE = re.compile(r"(?i)(key|cert|pem|pwd|credentials)$")
"""How what is called whose value may be the path of a file, or of a directory."""
_WEAK = frozenset({"key", "keys"})
"""Among other words these are what maps and sorting have, too."""
_IS_HOOK = re.compile(r"(?i)webhooks?$")
_NAMES_HOOK = re.compile(r"(?i)(?=.*webhook)[a-z_./: -]+")
"""Of such a thing the address is the secret; what is called a hook itself is the name of one."""
_TYPE = r"\s*:\s*[A-Za-z_][\w.\[\], |]{0,60}\s=\s"
_VALUE = re.compile(r"""[bru]?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|[^\s"',;&)}\]]+""")
_WORD = re.compile(r""""[^"]*"|'[^']*'|\S+""")
_NAMED = (
    (re.compile(
        r"""(?<!\w)["']?([A-Za-z_][\w.-]{0,127})["']?\s*(?:=>|:=|=(?!=)|:(?!:)(?=[^/?+-]|/(?!/)))\s*"""
    ), _VALUE),
    (re.compile(rf"(?<!\w)([A-Za-z_]\w{{0,127}}){_TYPE}\s*"), _VALUE),
    (re.compile(r"(?<!\S)--([A-Za-z][\w-]*)\s+(?!-)"), _WORD),
    (re.compile(r"""(?<![\w-])--([A-Za-z][\w-]*)["']?\s*,\s*(?!["']?-|\w+=)"""), _VALUE),
    (re.compile(r"\$\{(\w+):?[-=+]"), re.compile(r"[^{}]+")),
    (re.compile(r"""\(\s*["'](\w+)["']\s*,\s*(?:\w+\s*=\s*)?(?=["'])"""), _WORD),
    (re.compile(
        r"""(?<!\w)([A-Za-z_]\w{0,127})["']?[)\]]?\s{0,9}(?:\|\||\?\?|\bor\b)=?\s{0,9}(?=["'])"""
    ), _WORD),
)  # fmt: skip
"""A name, and behind it what it is set to: in any language and in a connection's text, with what
it may be (``password: str = "x"``), as an option, on a line and in a list of words, and what is
taken where nothing is said, by Compose and shells or by source (``getenv("PASSWORD", "x")``,
``env.PASSWORD || "x"``)."""
_RUNNERS = frozenset({
    "npm", "pnpm", "yarn", "bun", "run", "rake", "rails", "task", "just", "make", "nx", "turbo",
    "invoke",
})  # fmt: skip
_SCRIPT = re.compile(rf"""(?:\A|[\s"'`&|;(])(?:{"|".join(sorted(_RUNNERS))})\s+\Z""")
"""What the name of a script follows: ``npm run token:refresh`` sets nothing."""
_PROGRAM = re.compile(
    r"""["']?(?:[A-Z_]+=\S* +)*(?:"""
    r"(?:node|nodemon|npx|tsx|ts-node|python\d?(?:\.\d+)?) +[\w./@$-]|"
    r"(?:npm|pnpm|yarn|bun|deno|uv|poetry|pipenv|bundle|go|cargo|docker|pm2|nest|rails|rake) +"
    r"(?:run|exec|start|test|build|install|compose)\b|"
    r"(?:sh|bash|exec|ruby|rake|rails|yarn|bunx?|dotenv|cross-env) +[\w@$-]*[./:-])"
)
"""How a line begins that starts a program: where scripts are listed, it is one of them."""
_LISTED = re.compile(r"(?!.*(?:pass|pwd))[a-z][a-z0-9.-]*")
"""What a script is called, and no password is."""
_ELSE = re.compile(r"""(?:\bor|\|\||\?\?)\s*["']([^"']+)["']""")
_LINE = re.compile(
    r"""\s*(?:(?:-|-e|export|ENV|ARG|set|const|let|var)\s+)*["']?([A-Za-z_][\w.-]{0,127})["']?"""
    rf"""(?:{_TYPE}|\s*(?::=|=(?![=>])|:(?![:/?])))\s*(\S.*)""",
    re.DOTALL,
)
"""A line that sets a variable: its value may hold what would end one elsewhere."""
_ENV = re.compile(r"\s*ENV\s+(\w+)\s+([^=\s].*)", re.DOTALL)
"""The same in the old form of a Dockerfile's."""


def is_called_secret(name: str, value: str) -> bool:
    """Tell if a value is secret for what it is called: no path of a key's file, nor ``true``."""
    if value.lower() in _NOTHING:
        return False
    if _IS_HOOK.search(name) and _NAMES_HOOK.fullmatch(value):
        return False
    if value.startswith(("/", "./", "~/")) and _OF_A_FILE.search(name):
        return False
    if "://" in value and name.upper().endswith("DSN"):
        return False  # an address, whose login is seen by its looks
    placed = is_place_of_secret(name) or name.upper() == "PWD"
    return is_secret_name(name) or (placed and "/" not in value)


def pairs(text: str) -> Iterator[Span]:
    """Yield the values that are called secret within a text."""
    for named, to in _NAMED:
        for each in named.finditer(text):
            if each[1].lower() in _WEAK or not may_be_secret(each[1]):
                continue  # most are none, and their values need not be looked for
            if _is_script(text, each) or _lists_script(text, each, each.end()):
                continue
            found = to.match(text, each.end())
            start, end = _unquoted(text, found.span()) if found else (0, 0)
            value = text[start:end]
            if is_called_secret(each[1], value):
                yield start, end


def is_script(before: str, word: str) -> bool:
    """Tell if a word of a command is the name of a script, for the word that is before it."""
    return before in _RUNNERS and re.fullmatch(r"[\w-]+(?::[\w-]+)+", word) is not None


def _is_script(text: str, found: re.Match[str]) -> bool:
    before = text[max(0, found.start() - 40) : found.start()]
    return text[found.end() - 1] == ":" and _SCRIPT.search(before) is not None


def _lists_script(text: str, found: re.Match[str], start: int) -> bool:
    """Tell if a line is one of a list of scripts: ``"refresh-token": "node refresh.js"``."""
    between = text[found.end(1) : start]
    if ":" not in between or "=" in between:
        return False
    return bool(_LISTED.fullmatch(found[1]) and _PROGRAM.match(text, start))


def set_in(text: str) -> Iterator[Span]:
    """Yield the value of a line that sets a variable, if it is secret as a whole."""
    found = _ENV.match(text) or _LINE.match(text)
    if found is None or _lists_script(text, found, found.start(2)):
        return
    start, end = _unquoted(text, found.span(2))
    value = text[start:end]
    called = is_called_secret(found[1], value)
    if called or is_random(value):
        yield start, end
    if called:
        yield from (each.span(1) for each in _ELSE.finditer(text, start))


def _unquoted(text: str, span: Span) -> Span:
    """Return the span within its quotes, if nothing but an end is after them."""
    start, end = span
    at = start + (re.match("[bru][\"']", text[start:end]) is not None)
    quote = text[at : at + 1]
    if quote not in ("'", '"') or (closed := text.find(quote, at + 1, end)) < 0:
        return span
    rest = text[closed + 1 : end]
    return (at + 1, closed) if re.fullmatch(r"[\s,;)\]}\\]*(#.*)?", rest) else span
