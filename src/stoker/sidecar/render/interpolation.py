"""What Compose replaces in its files, and what it has to leave alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from stoker.sidecar.detect.shell import defaults
from stoker.sidecar.secrets import is_secret

_DEFAULTED = re.compile(r"\$\{([A-Za-z_]\w*):?[-+]([^{}]*)\}")
_REFERENCE = re.compile(r"\$\{[^{}]*\}|\$[A-Za-z_]\w*")
_REQUIRED = re.compile(r"(?<!\$)(?:\$\$)*\$\{([A-Za-z_]\w*):\?")


def escape(text: str) -> str:
    """Return text that Compose leaves as it is."""
    return text.replace("$", "$$")


def settled(text: str) -> str | None:
    """Return what Compose makes of a text of its file, if nobody else has a say in it."""
    parts = [defaults(part) for part in text.split("$$")]
    return None if any("$" in part for part in parts) else "$".join(parts)


def without_secrets(name: str, text: str) -> str:
    """Return what a variable is set to in a file of Compose's, its secrets left to the operator.

    A default is one, too: ``${SECRET_KEY:-dev}``.
    """

    def asked_for(found: re.Match[str]) -> str:
        alone = _literal(text[: found.start()]) + found[2] + _literal(text[found.end() :])
        return required(found[1]) if found[2] and is_secret(name, alone) else found[0]

    if is_secret(name, _literal(text)):
        return required(name)
    return _DEFAULTED.sub(asked_for, text)


def _literal(text: str) -> str:
    """Return what stands in a text itself."""
    return "$".join(_REFERENCE.sub("", part) for part in text.split("$$"))


def required(variable: str) -> str:
    """Return what Compose replaces by the operator's value, or refuses to start without."""
    return f"${{{variable}:?set it in .env}}"


def asked(value: Any) -> Iterator[str]:
    """Yield the variables that Compose refuses to start without."""
    if isinstance(value, str):
        yield from _REQUIRED.findall(value)
    elif isinstance(value, Mapping):
        yield from asked(cast(Mapping[str, Any], value).values())
    elif isinstance(value, Iterable):
        for each in cast(Iterable[Any], value):
            yield from asked(each)
