"""What of a project is secret, and the same without it. Nothing else decides that. Pure.

Two things tell a secret: what it is called (``names``) and what it looks like (``shapes``).

- *Called*: the value of ``API_KEY``, ``accessToken``, ``--redis-password`` is one, whatever it is;
  that of ``TOKEN_TTL``, ``MAX_TOKENS``, ``REDIS_KEY_PREFIX`` is none, nor is ``true``, nor the path
  in ``POSTGRES_PASSWORD_FILE``.
- *Looks*: the login of an address, a private key, a known token, an account in base64, wherever in
  a value; a value that is random as a whole.
- *A user without a password* is a name where accounts have names (PostgreSQL, MySQL, AMQP, SSH, …).
  Of every other address, such as NATS's and the web's, it is a token.

What is written (``is_secret``) is judged rather once too often: a value in the Secret costs the
operator a line, one in a ConfigMap the password. What is shown (``masked``) leaves in place what is
no value: a call, a name of the source's, ``$PASSWORD``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from stoker.sidecar.secrets.names import is_place_of_secret, is_secret_name
from stoker.sidecar.secrets.shapes import Span, is_random, is_token, shapes

__all__ = [
    "MASK", "Span", "holds_secret", "is_secret", "is_secret_name", "is_token", "masked",
    "masked_line", "masked_value", "masked_words", "secrets_in", "shown",
]  # fmt: skip

MASK = "***"
"""Stands where a secret was: whatever has it in it is the operator's to say."""
LONGEST = 200
"""Characters of a line that are shown."""

_NOTHING = frozenset({"", "true", "false", "yes", "no", "on", "off", "none", "null", "nil"})
_WEAK = frozenset({"key", "keys"})
"""Among other words these are what maps and sorting have, too."""
_VALUE = r"""\s*(?=([bru]?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|[^\s"',;&)}\]]+))"""
_PAIR = re.compile(
    r"""(?<!\w)(["']?)([A-Za-z_][\w.-]{0,127})\1\s*(?:=>|:=|=(?!=)|:(?!:)(?=[^/?+-]|/(?!/)))"""
    rf"{_VALUE}"
)
"""A name and what it is set to, in any language, as an option, or in a connection's text.

What it is set to may be such a pair itself: ``worker: PASSWORD=x celery``.
"""
_TYPE = r"\s*:\s*[A-Za-z_][\w.\[\], |]{0,60}\s=\s"
_TYPED = re.compile(rf"(?<!\w)([A-Za-z_]\w{{0,127}}){_TYPE}{_VALUE}")
"""The same in a language that says what it may be: ``password: str = "x"``."""
_OPTION = re.compile(r"""(?<!\S)--([A-Za-z][\w-]*)\s+(?!-)("[^"]*"|'[^']*'|\S+)""")
_DEFAULT = re.compile(r"\$\{(\w+):?[-=+]([^{}]*)\}")
"""What Compose and shells take where nothing is said."""
_NAMED = (_PAIR, _TYPED, _OPTION, _DEFAULT)
"""Each has a name and then a value for its last groups."""
_LINE = re.compile(
    r"""\s*(?:(?:-|-e|export|ENV|ARG|set|const|let|var)\s+)*["']?([A-Za-z_][\w.-]{0,127})["']?"""
    rf"""(?:{_TYPE}|\s*(?::=|=(?![=>])|:(?![:/?])))\s*(\S.*)""",
    re.DOTALL,
)
"""A line that sets a variable: its value may hold what would end one elsewhere."""
_ENV = re.compile(r"\s*ENV\s+(\w+)\s+([^=\s].*)", re.DOTALL)
"""The same in the old form of a Dockerfile's."""
_REFERENCE = re.compile(
    r"\$\{?\w+(?::?\?[^{}]*)?\}?|\$\(.*\)|`.*`|%\(?\w*\)?s|\{+[^{}]*\}+|<%.*%>|<[\w -]+>|#\{.*\}"
)
_CALL = re.compile(r"(?:await\s+|new\s+|&)?[A-Za-z_][\w.!]*(?:::\w+)*[(\[{].*[)\]}]")
_CODE = re.compile(
    r"(?:self|cls|this|os|process|settings|config|conf|cfg|env|ENV|app|current_app|options|opts"
    r"|args|import)\.[\w.!]+[;,)]*"
    r"|(?:str|string|int|bool|bytes|any|undefined|SecretStr|Optional\S*)[,;)]*",
    re.IGNORECASE,
)
"""What stands in source where a value is not: what settings say, a type."""


def is_secret(name: str, value: str) -> bool:
    """Tell if the value of a variable is nothing for a file that is kept."""
    return value.lower() not in _NOTHING and (
        _is_called_secret(name, value) or is_random(value) or holds_secret(value)
    )


def holds_secret(text: str) -> bool:
    """Tell if a secret is somewhere in a text: one of two addresses, a password in JSON."""
    return MASK in text or _is_unreadable(text) or any(True for _ in (*shapes(text), *_pairs(text)))


def masked(text: str) -> str:
    """Return a line for people to read, without the secrets in it."""
    spans = (*shapes(text), *_pairs(text), *_set_in(text))
    return _without(text, (each for each in spans if _is_literal(text, each)))


def masked_value(name: str, value: str) -> str:
    """Return the value of a variable without its secrets."""
    whole = _is_called_secret(name, value) or is_random(value) or _is_unreadable(value)
    without = _without(value, (*shapes(value), *_pairs(value)))
    return MASK if whole and value.lower() not in _NOTHING and without == value else without


def masked_words(words: Sequence[str]) -> tuple[str, ...]:
    """Return a command without the secrets in it: an option's value may be a word of its own."""
    found = zip(words, secrets_in(words), strict=True)
    return tuple(_without(word, spans) for word, spans in found)


def masked_line(words: Sequence[str]) -> str:
    """Return a command as a line for people to read."""
    return " ".join(masked_words(words))


def shown(text: str) -> str:
    """Return as much of a line as is shown: half a password would not be known for one."""
    return masked(text.strip())[:LONGEST]


def secrets_in(words: Sequence[str]) -> list[list[Span]]:
    """Return where secrets are in each word of a command, or were before they were masked."""
    return [_in_word(words[at - 1] if at else "", word) for at, word in enumerate(words)]


def _in_word(before: str, word: str) -> list[Span]:
    option = before.lstrip("-") if before.startswith("--") and "=" not in before else ""
    found = [
        *(each.span() for each in re.finditer(re.escape(MASK), word)),
        *(each for each in (*shapes(word), *_pairs(word)) if _is_literal(word, each)),
    ]
    whole = (0, len(word))
    called = option and not word.startswith("-") and _is_called_secret(option, word)
    if called and not found and word.lower() not in _NOTHING and _is_literal(word, whole):
        return [whole]
    return _apart(found)


def _is_called_secret(name: str, value: str) -> bool:
    if is_place_of_secret(name):
        return "/" not in value
    if value.startswith(("/", "./", "~/")) and _OF_A_FILE.search(name):
        return False
    if "://" in value and name.upper().endswith("DSN"):
        return False  # an address, whose login is seen by its looks
    return is_secret_name(name)


_OF_A_FILE = re.compile(r"(?i)(key|cert|pem|pwd|credentials)$")
"""How what is called whose value may be the path of a file, or of a directory."""


def _is_unreadable(text: str) -> bool:
    """Tell if a text is an address that nobody can read: rather too careful."""
    try:
        return "://" in text and bool(urlsplit(text).password)
    except ValueError:
        return True


def _is_literal(text: str, span: Span) -> bool:
    """Tell if a value stands there: no call, no name, nothing that is put in."""
    start, end = span
    value = text[start:end]
    if _REFERENCE.fullmatch(value):
        return False
    if text[start - 1 : start] in ("'", '"') or re.search(r"[A-Z]=\Z", text[:start]):
        return True  # as in a file of variables: whatever it looks like
    return not (_CODE.fullmatch(value) or _CALL.match(text, start))


def _pairs(text: str) -> Iterator[Span]:
    """Yield the values that are called secret within a text."""
    for each in (found for pattern in _NAMED for found in pattern.finditer(text)):
        name, value = each[each.re.groups - 1], each[each.re.groups]
        start, end = _unquoted(text, each.span(each.re.groups))
        value = text[start:end]
        if name.lower() in _WEAK or value.lower() in _NOTHING:
            continue
        if _is_called_secret(name, value):
            yield start, end


def _set_in(text: str) -> Iterator[Span]:
    """Yield the value of a line that sets a variable, if it is secret as a whole."""
    found = _ENV.match(text) or _LINE.match(text)
    if found is None:
        return
    start, end = _unquoted(text, found.span(2))
    value = text[start:end]
    if value.lower() not in _NOTHING and (_is_called_secret(found[1], value) or is_random(value)):
        yield start, end


def _unquoted(text: str, span: Span) -> Span:
    """Return the span within its quotes, if nothing but an end is after them."""
    start, end = span
    at = start + (re.match("[bru][\"']", text[start:end]) is not None)
    quote = text[at : at + 1]
    if quote not in ("'", '"') or (closed := text.find(quote, at + 1, end)) < 0:
        return span
    rest = text[closed + 1 : end]
    return (at + 1, closed) if re.fullmatch(r"[\s,;)\]}\\]*(#.*)?", rest) else span


def _without(text: str, spans: Iterable[Span]) -> str:
    """Return a text with every span replaced."""
    for start, end in reversed(_apart(spans)):
        text = f"{text[:start]}{MASK}{text[end:]}"
    return text


def _apart(spans: Iterable[Span]) -> list[Span]:
    """Return spans none of which is within another, in their order."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
