"""Connections to a server, a Sentinel's primary or a cluster: one set for each event loop.

A connection belongs to the loop it was made in. Its set is closed when the loop ends, or with the
broker, whichever comes first.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import weakref
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis import exceptions as redis_errors
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from stoker.broker.redis.bell import Bell
from stoker.broker.redis.scripts import script
from stoker.config import BrokerURL

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
"""How long an answer is waited for before the connection is given up as dead."""
SILENCE_SECONDS = 4
"""How long the other machine's network may be silent, where the system can watch that. A server
that is only slow is not silent: its system acknowledges what we send, and answers probes."""
BLOCK_SECONDS = 5.0
"""How long a blocking command waits in the server at the most. What it waits for may be lost with
somebody else's connection: then this is how late it is noticed."""
ABREAST = 8
"""Commands of one loop under way at once; others wait for their turn."""

Client = Any
"""A ``Redis`` or a ``RedisCluster``: of both, ``execute_command`` and ``aclose`` are used."""


def make_client(url: BrokerURL, *, name: str | None = None, patience: float = 0.0) -> Client:
    """Return a client that is not connected yet; ``patience`` is added to every answer's time."""
    options: dict[str, Any] = {
        "decode_responses": True,
        "encoding_errors": "surrogateescape",
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS + patience,
        "socket_keepalive": True,
        "socket_keepalive_options": _watch_for_silence(),
        "client_name": name,
        # A script whose answer was lost may have run: whether to call it again is for us to say.
        "retry": Retry(NoBackoff(), 0),
    }
    if url.scheme.endswith("+cluster"):
        return _cluster(url, options)
    if url.scheme.endswith("+sentinel"):
        return _behind_sentinels(url, options)
    if url.scheme == "unix":
        del options["socket_keepalive"], options["socket_keepalive_options"]
    return cast(Any, Redis).from_url(_without(url.text, "prefix"), **options)


def _watch_for_silence() -> dict[int, int]:
    """Return what makes the system end a connection whose network was cut.

    Without it a packet that was lost is sent again after twice the time, and again: when a network
    comes back after a minute, the next try may be a minute away.
    """
    settings = {
        "TCP_USER_TIMEOUT": SILENCE_SECONDS * 1_000,
        "TCP_KEEPIDLE": 1,
        "TCP_KEEPINTVL": 1,
        "TCP_KEEPCNT": SILENCE_SECONDS - 1,
    }
    return {
        getattr(socket, name): value for name, value in settings.items() if hasattr(socket, name)
    }


def _cluster(url: BrokerURL, options: dict[str, Any]) -> Client:
    from redis.asyncio.cluster import ClusterNode

    first, *others = url.hosts
    given = parse_url(_of_one_host(url, first))
    given.pop("db", None)
    nodes = [ClusterNode(host, port) for host, port in (first, *others)]
    tls = {"ssl": True} if url.scheme == "rediss+cluster" else {}
    given = {key: value for key, value in given.items() if key not in ("host", "port")}
    given.pop("connection_class", None)
    return cast(Any, RedisCluster)(startup_nodes=nodes, **{**options, **given, **tls})


def _behind_sentinels(url: BrokerURL, options: dict[str, Any]) -> Client:
    given = parse_url(_of_one_host(url, url.hosts[0]))
    given = {key: value for key, value in given.items() if key not in ("host", "port")}
    given.pop("connection_class", None)
    password = given.pop("sentinel_password", None)
    tls = {"ssl": True} if url.scheme == "rediss+sentinel" else {}
    sentinel_options = {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": CONNECT_SECONDS,
        **({"password": password} if password else {}),
        **tls,
    }
    sentinel = cast(Any, Sentinel)(url.hosts, sentinel_kwargs=sentinel_options, **tls)
    return sentinel.master_for(url.service, **{**options, **given})


def _of_one_host(url: BrokerURL, host: tuple[str, int]) -> str:
    """Return the URL as if it were of this one server, for its login, database and options."""
    scheme = "rediss" if url.scheme.startswith("rediss") else "redis"
    parts = urlsplit(_without(url.text, "prefix"))
    login, at, _ = parts.netloc.rpartition("@")
    path = parts.path.removeprefix(f"/{url.service}") if url.service else parts.path
    return urlunsplit((scheme, f"{login}{at}{host[0]}:{host[1]}", path, parts.query, ""))


def _without(text: str, option: str) -> str:
    parts = urlsplit(text)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != option]
    return urlunsplit(parts._replace(query=urlencode(query)))


class Line:
    """One loop's connections."""

    def __init__(self, url: BrokerURL) -> None:
        self.loop = asyncio.get_running_loop()
        self.client = make_client(url)
        self.patient = make_client(url, patience=BLOCK_SECONDS)
        self.bells: dict[str, Bell] = {}
        self._url = url
        self._turns = asyncio.Semaphore(ABREAST)
        self._farewell = self._until_the_loop_ends()

    async def run(self, name: str, flags: bool, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Run a script; one that the server has forgotten, or never knew, is sent again."""
        one = script(name, flags)
        async with self._turns:
            try:
                return await self.client.execute_command(
                    "EVALSHA", one.digest, len(keys), *keys, *args
                )
            except redis_errors.NoScriptError:
                return await self.client.execute_command("EVAL", one.text, len(keys), *keys, *args)

    async def command(self, *words: Any) -> Any:
        """Run a command that answers at once."""
        async with self._turns:
            return await self.client.execute_command(*words)

    async def info(self) -> dict[str, Any]:
        """Return what a server says of itself; in a cluster, one of them."""
        if isinstance(self.client, RedisCluster):
            await self.client.initialize()
            node = cast(Any, self.client).get_random_node()
            return await cast(Any, self.client).info(target_nodes=node)
        return await self.client.info()

    def bell(self, key: str, name: str) -> Bell:
        """Return what rings when there is something in the set ``key``."""
        if key not in self.bells:
            client = make_client(self._url, name=name, patience=BLOCK_SECONDS)
            self.bells[key] = Bell(client, key, BLOCK_SECONDS)
        return self.bells[key]

    async def open(self) -> None:
        await anext(self._farewell)

    async def _until_the_loop_ends(self) -> AsyncGenerator[None, None]:
        # A loop that ends closes its asynchronous generators: there is no other word of its end.
        try:
            yield
        finally:
            await self.close()

    async def close(self) -> None:
        bells, self.bells = self.bells, {}
        for bell in bells.values():
            await bell.close()
        for client in (self.client, self.patient):
            with contextlib.suppress(redis_errors.RedisError, OSError, RuntimeError):
                await client.aclose()


class Lines:
    """The lines of all loops that use one broker."""

    def __init__(self, make: Callable[[], Line]) -> None:
        self._make = make
        self._lines: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Line] = (
            weakref.WeakKeyDictionary()
        )

    async def here(self) -> Line:
        """Return the running loop's line."""
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            line = self._lines[loop] = self._make()
            await line.open()
        return line

    async def close(self) -> None:
        """Close them all, each in its own loop."""
        here = asyncio.get_running_loop()
        for loop, line in list(self._lines.items()):
            if loop is here:
                await line.close()
            elif loop.is_running():
                with contextlib.suppress(RuntimeError, TimeoutError):
                    async with asyncio.timeout(CONNECT_SECONDS):
                        closing = asyncio.run_coroutine_threadsafe(line.close(), loop)
                        await asyncio.wrap_future(closing)
        self._lines.clear()
