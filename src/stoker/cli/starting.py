"""A worker's start: it waits for a server that is away, and can be stopped while it does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from stoker.app import Stoker
from stoker.errors import BrokerUnavailable
from stoker.worker import signals
from stoker.worker.patience import Patience

T = TypeVar("T")

_log = logging.getLogger("stoker.worker")


async def reach(app: Stoker, *, burst: bool) -> bool:
    """Wait for a server that is away, as a worker does later; a burst has nothing to wait for."""
    patience = Patience()
    waiting = False
    while True:
        try:
            await app.client.broker()
            return True
        except BrokerUnavailable as error:
            if app.url.server is None or burst:
                raise
            if not waiting:
                _log.warning("waiting for the server: %s", error)
            waiting = True
        await patience.wait()


async def unless_stopped(start: Coroutine[Any, Any, T]) -> T | None:
    """Return what ``start`` does, or nothing where SIGTERM or SIGINT came first.

    There is no job yet to wait for: that a server is away keeps nobody from stopping a worker.
    """
    starting = asyncio.ensure_future(start)
    told: list[str] = []

    def stop(name: str) -> None:
        if not told:
            _log.info("%s: stopped before any job was taken", name)
        told.append(name)
        starting.cancel()

    with signals.caught(stop):
        try:
            return await starting
        except asyncio.CancelledError:
            if told:
                return None
            raise
