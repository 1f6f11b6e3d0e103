"""The stores the suite runs for: one line each, and the only place that knows them by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from stoker.config import BrokerURL

CROSS_PROCESS = "cross_process"
"""Two brokers opened on the same URL share their jobs, also between processes and restarts."""
CAPABILITIES = frozenset({CROSS_PROCESS})
"""What a test may need that not every store can give."""


class Store(NamedTuple):
    """A kind of store, and what it can do that others cannot."""

    name: str
    url: Callable[[Path], str]
    """Return the URL of a new, empty store; the folder is empty and the test's own."""
    capabilities: frozenset[str] = frozenset()


STORES = (
    Store(
        "sqlite-file", lambda at: str(BrokerURL.of_file(at / "jobs.db")), frozenset({CROSS_PROCESS})
    ),
    Store("sqlite-memory", lambda _: "sqlite://:memory:"),
)
