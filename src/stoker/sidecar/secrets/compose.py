"""What a variable is set to in a compose file, its secrets left to the operator. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from stoker.sidecar.interpolation import Parts, escape, parsed, required
from stoker.sidecar.secrets import is_secret


def without_secrets(name: str, text: str) -> str:
    """Return what a variable is set to, without what stands there and is secret.

    A default is one, too: ``${SECRET_KEY:-dev}``.
    """
    parts = parsed(text)
    if is_secret(name, _literal(parts)):
        return required(name)
    return "".join(_asked_for(name, parts, "", ""))


def _asked_for(name: str, parts: Parts, before: str, after: str) -> Iterator[str]:
    """Yield parts as they are written, between literals: asked for where a default is secret."""
    for at, part in enumerate(parts):
        if isinstance(part, str):
            yield escape(part)
        elif part.operator[-1:] not in ("-", "+") or not part.rest:
            yield part.text
        else:
            left, right = before + _literal(parts[:at]), _literal(parts[at + 1 :]) + after
            default = _literal(part.rest)
            own = part.operator[-1:] == "-" and is_secret(part.name, default)
            if own or is_secret(name, left + default + right):
                yield required(part.name)
            else:
                inner = "".join(_asked_for(name, part.rest, left, right))
                yield f"${{{part.name}{part.operator}{inner}}}"


def _literal(parts: Parts) -> str:
    """Return what stands in a text itself; what Compose would not understand does."""
    return "".join(
        part if isinstance(part, str) else "" if part.name else part.text for part in parts
    )
