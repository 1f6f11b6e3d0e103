"""The stores the suite runs for: one line each, and the only place that knows them by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from stoker.config import BrokerURL
from tests.contract.clocks import Clock, ServerClock
from tests.servers.kinds import OFFERED, Kind
from tests.servers.shared import emptied, shared

CROSS_PROCESS = "cross_process"
"""Two brokers opened on the same URL share their jobs, also between processes and restarts."""
EVENTS_BY_CLOCK = "events_by_clock"
"""An event's time is the caller's, not the server's."""
CAPABILITIES = frozenset({CROSS_PROCESS, EVENTS_BY_CLOCK})
"""What a test may need that not every store can give."""


class Store(NamedTuple):
    """A kind of store, and what it can do that others cannot."""

    name: str
    url: Callable[[Path], str]
    """Return the URL of a new, empty store; the folder is empty and the test's own."""
    capabilities: frozenset[str] = frozenset()
    clock: Callable[[], Clock] = Clock
    """Return the time that the store's brokers go by."""


def _on_server(kind: Kind) -> Store:
    return Store(
        str(kind),
        lambda _: emptied(kind).url,
        frozenset({CROSS_PROCESS}),
        lambda: ServerClock(shared(kind)),
    )


STORES = (
    Store("sqlite-file", lambda at: str(BrokerURL.of_file(at / "jobs.db")), CAPABILITIES),
    Store("sqlite-memory", lambda _: "sqlite://:memory:", frozenset({EVENTS_BY_CLOCK})),
    *map(_on_server, OFFERED),
)
