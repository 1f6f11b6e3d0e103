"""What a server has to be, and what it costs if it is otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stoker.config import BrokerURL
from stoker.errors import ConfigError

OLDEST = (6, 2)


def version_of(info: Mapping[str, Any]) -> tuple[int, ...]:
    """Return a server's version; Valkey's is the Redis version it is compatible with."""
    return tuple(int(part) for part in str(info.get("redis_version", "0")).split(".")[:2])


def refuse(info: Mapping[str, Any], url: BrokerURL) -> None:
    """Raise ``ConfigError`` for a server that cannot do what is needed."""
    if version_of(info) < OLDEST:
        raise ConfigError(
            f"{url} is Redis {info.get('redis_version')}: too old", hint="6.2 or later, or Valkey"
        )


def warnings(info: Mapping[str, Any], url: BrokerURL) -> list[str]:
    """Return what is wrong with a server's settings, what it costs, and what to set."""
    found: list[str] = []
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        found.append(
            f"{url}: maxmemory-policy is {policy}: when memory is full the server throws jobs "
            "away; set it to noeviction"
        )
    if not int(info.get("aof_enabled", 1)):
        found.append(
            f"{url}: appendonly is off: when the server dies, jobs since its last snapshot are "
            "lost, and all if it makes none; set appendonly to yes"
        )
    return found
