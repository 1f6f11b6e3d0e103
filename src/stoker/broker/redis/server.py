"""The server, as every operation reaches it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from stoker.broker.base import Clock
from stoker.broker.redis import checks, rights, scripts
from stoker.broker.redis.calls import Call
from stoker.broker.redis.connection import Line, Lines
from stoker.broker.redis.faults import CLIENT_FAULTS, in_our_words, translated
from stoker.config import BrokerURL, ServerAddress
from stoker.errors import BrokerUnavailable


class Server:
    """One broker's server while it is open: connections of its own for every event loop."""

    def __init__(self, url: BrokerURL, address: ServerAddress, clock: Clock) -> None:
        self.prefix = address.prefix
        self.clock = clock
        self._url = url
        self._lines = Lines(lambda: Line(url, address))
        self._info: Mapping[str, Any] = {}
        self._unchecked = set(scripts.names() if address.user else ())
        """Scripts of which it is not known yet whether the server's user may run them."""
        self._state = "new"

    async def open(self) -> None:
        """Connect. Raises ``ConfigError`` for a server that cannot do what is needed."""
        if self._state != "new":
            return
        try:
            with in_our_words(self._url):
                info = await (await self._lines.here()).info()
            checks.refuse(info, self._url)
        except BaseException:
            await self._lines.close()
            raise
        self._info = info
        self._state = "open"

    def warnings(self) -> Sequence[str]:
        """Return what is wrong with the server's settings."""
        return checks.warnings(self._info, self._url)

    async def close(self) -> None:
        """Disconnect in every loop."""
        self._state = "closed"
        await self._lines.close()

    def check_open(self) -> None:
        """Raise ``BrokerUnavailable`` if it is not."""
        if self._state != "open":
            raise BrokerUnavailable(f"the broker on {self._url} is closed")

    def new_call(self) -> Call:
        """Return a call of a script, to be filled and run."""
        return Call(self.prefix, self.clock)

    async def run(self, name: str, call: Call) -> Any:
        """Run an operation's script. Return its answer."""
        self.check_open()
        try:
            line = await self._lines.here()
            if name in self._unchecked and call.keys:
                await rights.check(line, name, call.keys[0], self._url)
                self._unchecked.discard(name)
            return await line.run(name, call.keys, call.args)
        except CLIENT_FAULTS as error:
            raise translated(error, self._url) from error

    @asynccontextmanager
    async def line(self) -> AsyncGenerator[Line]:
        """Provide the running loop's connections, for what is no script."""
        self.check_open()
        with in_our_words(self._url):
            yield await self._lines.here()
