"""What a server has to be, and what it costs if it is otherwise."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from stoker.config import BrokerURL
from stoker.errors import ConfigError

OLDEST = (6, 2)

_warned: set[tuple[str, str]] = set()
_log = logging.getLogger("stoker.broker")


def version_of(info: Mapping[str, Any]) -> tuple[int, ...]:
    """Return a server's version; Valkey's is the Redis version it is compatible with."""
    return tuple(int(part) for part in str(info.get("redis_version", "0")).split(".")[:2])


def refuse(info: Mapping[str, Any], url: BrokerURL) -> None:
    """Raise ``ConfigError`` for a server that cannot do what is needed."""
    if version_of(info) < OLDEST:
        raise ConfigError(
            f"{url} is Redis {info.get('redis_version')}: too old", hint="6.2 or later, or Valkey"
        )


def warn(info: Mapping[str, Any], url: BrokerURL) -> list[str]:
    """Log, once a process, what is wrong with a server's settings and what it costs; return it."""
    found: list[str] = []
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        found.append(
            f"maxmemory-policy is {policy}: when memory is full the server throws jobs away; "
            "set it to noeviction"
        )
    if not int(info.get("aof_enabled", 1)):
        found.append(
            "appendonly is off: jobs since the last snapshot are lost when the server dies; "
            "set appendonly to yes"
        )
    for warning in found:
        if (url.text, warning) not in _warned:
            _warned.add((url.text, warning))
            _log.warning("%s: %s", url, warning)
    return found
