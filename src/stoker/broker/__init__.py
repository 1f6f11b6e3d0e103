"""Stores of jobs: the contract in ``base`` and the brokers that keep it."""

from __future__ import annotations

import difflib

from stoker.broker.base import Broker, Clock, system_clock
from stoker.config import BrokerURL
from stoker.errors import ConfigError, missing, unfit

CLIENT = ("redis", "hiredis")
"""The packages of the extra ``redis``."""


def make_broker(url: str | BrokerURL, *, clock: Clock = system_clock) -> Broker:
    """Return the broker that ``url`` names, not yet opened.

    ``clock`` is for tests. Raises ``ConfigError`` for a URL no broker takes.
    """
    parsed = BrokerURL.parse(url) if isinstance(url, str) else url
    if parsed.scheme == "sqlite":
        from stoker.broker.sqlite import SQLiteBroker

        return SQLiteBroker(parsed.path, clock=clock)
    if parsed.server is None:
        # Valkey's clients know its own name for the same protocol.
        scheme = parsed.scheme.replace("valkey", "redis")
        close = difflib.get_close_matches(scheme, ("sqlite", "redis", "rediss"), 1)
        raise ConfigError(
            f"no broker for {parsed.described}: jobs are kept in SQLite, Redis or Valkey",
            hint=f"did you mean {close[0]}://?"
            if close
            else "set STOKER_URL=sqlite:///path/to/file.db or redis://host:6379/0, "
            "or pass such a URL to Stoker()",
        )
    try:
        from stoker.broker.redis import RedisBroker
    except ImportError as error:
        package, _, part = (error.name or "").partition(".")
        if package not in CLIENT:
            raise
        what = f"a broker at {parsed.described}"
        if isinstance(error, ModuleNotFoundError) and not part:
            raise missing(what, package, "redis") from error
        raise unfit(what, package, "redis", error.msg) from error
    return RedisBroker(parsed, parsed.server, clock=clock)
