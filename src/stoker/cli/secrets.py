"""Hides in data what looks like a secret, before people see it on a screen they share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

import msgspec

MASK = "***"

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_WORDS = {"token", "pwd", "passphrase", "cookie", "bearer"}
_PARTS = (
    "password",
    "passwd",
    "secret",
    "authorization",
    "credential",
    "apikey",
    "accesskey",
    "privatekey",
    "authtoken",
    "accesstoken",
    "refreshtoken",
    "sessionid",
)
_LOGIN = re.compile(r"(?<=://)([^\s/:@]*):([^\s/@]+)(?=@)")
SHORTEST = 4
"""Characters of a secret that is hidden outside of its field: less would hide half of a text."""


def is_secret(key: str) -> bool:
    """Whether a key's name says that its value is nobody's business."""
    words = {word.lower() for word in _WORD.findall(key)}
    joined = re.sub(r"[^a-z]", "", key.lower())
    return joined == "auth" or bool(words & _WORDS) or any(part in joined for part in _PARTS)


def masked(value: Any) -> Any:
    """Return JSON data with secrets replaced, those in URLs too."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {
            key: MASK if inner not in (None, "") and is_secret(key) else masked(inner)
            for key, inner in items
        }
    if isinstance(value, list):
        return [masked(inner) for inner in cast("list[Any]", value)]
    return _LOGIN.sub(rf"\1:{MASK}", value) if isinstance(value, str) else value


class Redaction:
    """Hides the secrets of a job's data wherever else they stand: in its failure, its log.

    A handler that raises ``ValueError(f"wrong password {password}")`` writes them there.
    """

    def __init__(self, *texts: str | None) -> None:
        found: set[str] = set()
        for text in filter(None, texts):
            with suppress(msgspec.DecodeError):
                found.update(_secrets(msgspec.json.decode(text)))
        # The longest first: one may be the beginning of another.
        self._secrets = sorted(found, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return ``text`` without them, and without the passwords of URLs."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return _LOGIN.sub(rf"\1:{MASK}", text)


def _secrets(value: Any, *, secret: bool = False) -> Iterator[str]:
    """Yield what ``masked`` hides of JSON data, as text, and as Python would quote it."""
    if isinstance(value, dict):
        for key, inner in cast("dict[str, Any]", value).items():
            yield from _secrets(inner, secret=secret or is_secret(key))
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _secrets(inner, secret=secret)
    elif isinstance(value, str):
        found = [value] if secret else [password for _, password in _LOGIN.findall(value)]
        for text in found:
            if len(text) >= SHORTEST:
                yield from (text, repr(text)[1:-1], msgspec.json.encode(text).decode()[1:-1])
    elif secret and type(value) in (int, float) and len(str(value)) >= SHORTEST:
        yield str(value)
