"""What a variable is set to in a file that is kept: its secrets are left to the operator."""

from __future__ import annotations

import re

from stoker.sidecar.interpolation import required
from stoker.sidecar.secrets import is_secret

_DEFAULTED = re.compile(r"\$\{([A-Za-z_]\w*):?[-+]([^{}]*)\}")
_REFERENCE = re.compile(r"\$\{[^{}]*\}|\$[A-Za-z_]\w*")


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
