"""Hides in data what looks like a secret, before people see it on a screen they share."""

from __future__ import annotations

import re
from typing import Any, cast

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
_LOGIN = re.compile(r"(?<=://)([^\s/:@]*):[^\s/@]+(?=@)")


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
