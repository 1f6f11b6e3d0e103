"""Stores of jobs: the contract in ``base`` and the brokers that keep it."""

from __future__ import annotations

from stoker.broker.base import Broker, Clock, system_clock
from stoker.config import BrokerURL
from stoker.errors import ConfigError


def make_broker(url: str | BrokerURL, *, clock: Clock = system_clock) -> Broker:
    """Return the broker that ``url`` names, not yet opened.

    ``clock`` is for tests. Raises ``ConfigError`` for a URL no broker takes.
    """
    parsed = BrokerURL.parse(url) if isinstance(url, str) else url
    match parsed.scheme:
        case "sqlite":
            from stoker.broker.sqlite import SQLiteBroker

            return SQLiteBroker(parsed.path, clock=clock)
        case _:
            raise ConfigError(
                f"no broker for {parsed.described}: this version keeps jobs in SQLite",
                hint="set STOKER_URL=sqlite:///path/to/file.db, or pass such a URL to Stoker()",
            )
