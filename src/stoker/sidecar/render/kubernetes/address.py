"""Where a store is, as far as its variables say, or what the project says of one elsewhere."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import SplitResult, parse_qs, urlsplit

from stoker.sidecar.plan import Store
from stoker.sidecar.schemes import ENCRYPTED


class Address(NamedTuple):
    """The parts of an address that are no secret."""

    host: str
    port: int | None
    database: str = "0"
    encrypted: bool = False
    verified: bool = True
    """Its certificate is looked at."""


def address(store: Store) -> Address:
    """Return where a store is: beside the workers under its own name, unless it is elsewhere."""
    found = [
        parts for value in (store.outside, *store.variables.values()) if (parts := _url(value))
    ]
    if not found:
        return Address(store.name, None)
    parts = found[0]
    query = parse_qs(parts.query)
    databases = (
        each
        for part in found
        for each in (part.path.strip("/"), *parse_qs(part.query).get("db", ()))
    )
    return Address(
        host=(parts.hostname or store.name) if store.outside else store.name,
        port=parts.port if store.outside else None,
        database=next((each for each in databases if each.isdecimal()), "0"),
        encrypted=parts.scheme in ENCRYPTED,
        verified=not any("none" in each.lower() for each in query.get("ssl_cert_reqs", ())),
    )


def _url(text: str) -> SplitResult | None:
    """Return the parts of a text that is a URL, and could be connected to."""
    try:
        parts = urlsplit(text)
        return parts if "://" in text and (parts.port is None or parts.port) else None
    except ValueError:
        return None
