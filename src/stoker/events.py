"""What happens inside this process, for whoever wants to know: logs, metrics, tests, the demo.

One seam: the parts that do the work ``emit``, everybody else subscribes. Events are batches, since
at tens of thousands of jobs a second even an empty call per job would be felt.

| event             | fields                                                        |
|-------------------|---------------------------------------------------------------|
| worker.started    | settings (with what was filled in)                            |
| worker.stopping   | running (jobs that have not ended yet), settings              |
| worker.stopped    | settings                                                      |
| jobs.claimed      | jobs (records)                                                |
| jobs.finished     | outcomes, lost (leases of those among them that were refused) |
| jobs.lost         | leases (whose outcome was refused, or that were broken)       |
| lease.broken      | job (the record that was claimed), now (as it is, or None)    |
| jobs.recovered    | queue, ids                                                    |
| job.failed        | job (record), failure, dead (no attempt is left)              |
| job.stuck         | job (record): its thread overran and cannot be stopped        |
| broker.failed     | error, doing (what was tried; it is tried again)              |
| broker.answers    | doing (what had failed, and has worked now)                   |
| loop.blocked      | seconds (without an answer), job (that holds it, or None)     |
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import Any

Subscriber = Callable[[str, dict[str, Any]], None]

_subscribers: list[Subscriber] = []
_log = logging.getLogger("stoker.events")


def subscribe(subscriber: Subscriber) -> Callable[[], None]:
    """Call ``subscriber(event, fields)`` at every event; return what ends that.

    It is called in whatever thread the event is from and must return at once; what it raises is
    logged and goes no further.
    """
    _subscribers.append(subscriber)

    def end() -> None:
        with contextlib.suppress(ValueError):  # ended already
            _subscribers.remove(subscriber)

    return end


def emit(event: str, **fields: Any) -> None:
    """Tell the subscribers."""
    for subscriber in tuple(_subscribers):
        try:
            subscriber(event, fields)
        except Exception:
            _log.exception("a subscriber failed at %s", event)
