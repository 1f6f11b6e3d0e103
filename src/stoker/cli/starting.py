"""A worker's start: it waits for a server that is away, and can be stopped while it does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from stoker.app import Stoker
from stoker.errors import BrokerUnavailable
from stoker.worker import Worker
from stoker.worker.patience import Patience

_log = logging.getLogger("stoker.worker")


async def reach(app: Stoker, *, burst: bool) -> None:
    """Wait for a server that is away, as a worker does later; a burst has nothing to wait for."""
    patience = Patience()
    waiting = False
    while True:
        try:
            await app.client.broker()
            return
        except BrokerUnavailable as error:
            if app.url.server is None or burst:
                raise
            if not waiting:
                _log.warning("waiting for the server: %s", error)
            waiting = True
        await patience.wait()


class Stopping:
    """What SIGTERM and SIGINT do: they end a worker's start, or stop the worker once there is one.

    One listener for both: while handlers change hands, a signal that has arrived would be lost.
    """

    def __init__(self) -> None:
        self._told = 0
        self._starting: asyncio.Future[Worker] | None = None
        self._worker: Worker | None = None

    async def unless_stopped(self, start: Coroutine[Any, Any, Worker]) -> Worker | None:
        """Return the worker that ``start`` makes, or nothing where a signal came first.

        There is no job yet to wait for: that a server is away keeps nobody from stopping a worker.
        """
        self._starting = asyncio.ensure_future(start)
        try:
            worker = await self._starting
        except asyncio.CancelledError:
            if self._told:
                return None
            raise
        if self._told:  # when there was nothing left to cancel
            return None
        self._worker = worker
        return worker

    def tell(self, name: str) -> None:
        """Hear of a signal."""
        self._told += 1
        if self._worker is not None:
            if self._told == 1:
                _log.info("%s: claiming no more", name)
            else:
                _log.info("%s again: interrupting what runs", name)
            self._worker.stop()
            return
        if self._told == 1:
            _log.info("%s: stopped before any job was taken", name)
        if self._starting is not None:
            self._starting.cancel()
