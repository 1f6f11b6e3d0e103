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
no value: a call, a name of the source's, ``$PASSWORD``. What a compose file gives its services may
be put in by Compose, and have a default there (``compose``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from stoker.sidecar.secrets.named import is_called_secret, is_script, pairs, set_in
from stoker.sidecar.secrets.names import is_secret_name
from stoker.sidecar.secrets.shapes import Span, is_random, is_token, of_programs, shapes

__all__ = [
    "MASK", "Span", "holds_secret", "is_secret", "is_secret_name", "is_token", "masked",
    "masked_line", "masked_value", "masked_words", "secrets_in", "shown",
]  # fmt: skip

MASK = "***"
"""Stands where a secret was: whatever has it in it is the operator's to say."""
LONGEST = 200
"""Characters of a line that are shown."""
_MOST = 4_096
"""Characters of a line that are looked at: no person wrote a longer one."""

_REFERENCE = re.compile(
    r"\$\{?\w+(?::?\?[^{}]*)?\}?|\$\(.*\)|`.*`|%\(?\w*\)?s|\{+[^{}]*\}+|<%.*%>|<[\w -]+>|#\{.*\}"
)
_CALL = re.compile(
    r"(?:await\s+|new\s+|&)?[A-Za-z_][\w.!]*(?:::\w+)*[(\[{].*[)\]}]"
    r"(?:\.\w+|\s*[;:,\\])*(?:\s+(?:or|if|and|\|\||\?\?|\?|#|//|%>|--)\s.*)?\s*\Z"
)
_CODE = re.compile(
    r"(?:self|cls|this|os|process|settings|config|conf|cfg|env|ENV|app|current_app|options|opts"
    r"|args|import)\.[\w.!]+[;,)]*"
    r"|(?:str|string|int|bool|bytes|any|undefined|SecretStr|Optional\S*)[,;)]*",
    re.IGNORECASE,
)
"""What stands in source where a value is not: what settings say, a type."""


def is_secret(name: str, value: str) -> bool:
    """Tell if the value of a variable is nothing for a file that is kept."""
    return is_called_secret(name, value) or is_random(value) or holds_secret(value)


def holds_secret(text: str) -> bool:
    """Tell if a secret is somewhere in a text: one of two addresses, a password in JSON."""
    return MASK in text or _is_unreadable(text) or any(True for _ in (*shapes(text), *pairs(text)))


def masked(text: str, *, known: Collection[str] = ()) -> str:
    """Return a line for people to read, without the secrets in it.

    ``known``: words that are nobody's secret.
    """
    found = (*_shapes(text), *_literals(text, (*pairs(text), *set_in(text))))
    return _without(text, [each for each in found if text[slice(*each)] not in known])


def masked_value(name: str, value: str) -> str:
    """Return the value of a variable without its secrets."""
    if is_called_secret(name, value) or is_random(value):
        return MASK
    without = _without(value, (*shapes(value), *pairs(value)))
    return MASK if without == value and _is_unreadable(value) else without


def masked_words(words: Sequence[str]) -> tuple[str, ...]:
    """Return a command without the secrets in it: an option's value may be a word of its own."""
    found = zip(words, secrets_in(words), strict=True)
    return tuple(_without(word, spans) for word, spans in found)


def masked_line(words: Sequence[str]) -> str:
    """Return a command as a line for people to read."""
    return " ".join(masked_words(words))


def shown(text: str) -> str:
    """Return as much of a line as is shown: half a password would not be known for one."""
    text = text.strip()
    if len(text) > _MOST:
        text = text[:_MOST].rsplit(maxsplit=1)[0]
    return masked(text)[:LONGEST]


def secrets_in(words: Sequence[str]) -> list[list[Span]]:
    """Return where secrets are in each word of a command, or were before they were masked."""
    told = list(of_programs(" ".join(words)))
    found: list[list[Span]] = []
    at = 0
    for number, word in enumerate(words):
        end = at + len(word)
        own = [(a - at, b - at) for a, b in told if at <= a and b <= end]
        found.append(_in_word(words[number - 1] if number else "", word, own))
        at = end + 1
    return found


def _in_word(before: str, word: str, told: Sequence[Span]) -> list[Span]:
    """Return where secrets are in a word; ``told``: where its program says that one is."""
    option = before.lstrip("-") if before.startswith("--") and "=" not in before else ""
    whole = (0, len(word))
    if option and not word.startswith("-") and is_called_secret(option, word):
        return list(_literals(word, [whole]))
    found = [
        *(each.span() for each in re.finditer(re.escape(MASK), word)),
        *_shapes(word),
        *_literals(word, () if is_script(before, word) else pairs(word)),
        *(each for each in told if not _REFERENCE.fullmatch(word[slice(*each)])),
    ]
    return _apart(found)


def _is_unreadable(text: str) -> bool:
    """Tell if a text is an address that nobody can read: rather too careful."""
    try:
        return "://" in text and bool(urlsplit(text).password)
    except ValueError:
        return True


def _shapes(text: str) -> Iterator[Span]:
    """Yield what looks like a secret, but for what is put in there."""
    yield from (each for each in shapes(text) if not _REFERENCE.fullmatch(text[slice(*each)]))


def _literals(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Yield those where a value stands: no call, no name, nothing that is put in."""
    for start, end in spans:
        value = text[start:end]
        # In quotes, or as in a file of variables, it is one whatever it looks like.
        sure = text[start - 1 : start] in ("'", '"') or re.match(
            "[A-Z]=", text[max(0, start - 2) : start]
        )
        code = not sure and (_CODE.fullmatch(value) or _CALL.match(text, start))
        if not code and not _REFERENCE.fullmatch(value):
            yield start, end


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
