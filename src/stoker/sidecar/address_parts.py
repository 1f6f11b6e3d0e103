"""What of a server's address a variable holds, by its name."""

from __future__ import annotations

import re

_PARTS: tuple[tuple[str, str], ...] = (
    (r"(URL|URI|DSN|_BROKER|CONNECTION|CONNECTION_STRING|PROVIDER|TOGO|CLOUD)$|^BROKER$", "url"),
    (r"PORT$", "port"),
    (r"SSL_?MODE$", "sslmode"),
    (r"(PASS|PASSWORD|PASSWD|PWD)$", "password"),
    (r"(USER|USERNAME)$", "user"),
    (r"(_DB|(DATABASE|DB)(_?NAME)?|DB_INDEX|DB_NUMBER|VHOST)$", "database"),
    (r"(ADDR|ADDRESS|ENDPOINT|HOSTPORT)$", "address"),
    (r"(HOST|HOSTNAME|SERVER|RABBITMQ|^REDIS)$", "host"),
)


def part_of(name: str) -> str | None:
    """Return the part, such as ``url``, ``host`` or ``password``, if the name tells one."""
    return next((part for pattern, part in _PARTS if re.search(pattern, name)), None)
