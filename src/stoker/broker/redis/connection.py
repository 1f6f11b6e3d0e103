"""Connections to a server, a Sentinel's primary or a cluster: one set for each event loop.

A connection belongs to the loop it was made in. Its set is closed when the loop ends, or with the
broker, whichever comes first.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

from redis import exceptions as redis_errors
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from stoker.broker.redis.answers import answer
from stoker.broker.redis.bell import Bell
from stoker.broker.redis.faults import CLIENT_FAULTS
from stoker.broker.redis.scripts import script, words
from stoker.broker.redis.wire import CLOSED_HERE, Wire, in_time
from stoker.config import BrokerURL, ServerAddress
from stoker.errors import ConfigError

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 5.0
"""How long an answer is waited for before the connection is given up as dead."""
BLOCK_SECONDS = 5.0
"""How long a blocking command waits in the server at the most. What it waits for may be lost with
somebody else's connection: then this is how late it is noticed."""
ABREAST = 8
"""Commands to a cluster that one loop has under way at once; others wait for their turn."""

_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_UNKNOWN = re.compile(r"unexpected keyword argument '(\w+)'")

Client = Any
"""A ``Redis`` or a ``RedisCluster``: of both, ``execute_command`` and ``aclose`` are used."""


def make_client(
    url: BrokerURL, server: ServerAddress, *, name: str | None = None, patience: float | None = 0.0
) -> Client:
    """Return a client that is not connected yet.

    ``patience`` is added to every answer's time; ``None``: whoever asks sees to the time himself.
    Raises ``ConfigError`` for an option in the URL that the client does not know, and for a file
    that is named there and does not exist.
    """
    for option, path in server.options:
        if option in _FILES and not Path(path).exists():
            raise ConfigError(
                f"{url}: {option} names {path}, which does not exist", hint="check the path"
            )
    options: dict[str, Any] = {
        **_given(server),
        "decode_responses": True,
        "encoding_errors": "surrogateescape",
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": None if patience is None else ANSWER_SECONDS + patience,
        "client_name": name,
        # A script whose answer was lost may have run: whether to call it again is for us to say.
        "retry": Retry(NoBackoff(), 0),
    }
    try:
        return _made(url, server, options)
    except TypeError as error:
        unknown = _UNKNOWN.search(str(error))
        if unknown is None or unknown[1] not in dict(server.options):
            raise
        raise ConfigError(
            f"{url}: there is no option {unknown[1]!r}",
            hint="prefix, and what redis-py takes, such as ssl_ca_certs",
        ) from None


def _made(url: BrokerURL, server: ServerAddress, options: dict[str, Any]) -> Client:
    if server.socket:
        return Redis(unix_socket_path=server.socket, db=server.database, **options)
    options["socket_keepalive"] = True
    if url.scheme.startswith("rediss"):
        options["ssl"] = True
    if url.scheme.endswith("+cluster"):
        nodes = [ClusterNode(host, port) for host, port in server.hosts]
        return cast(Any, RedisCluster)(startup_nodes=nodes, **options)
    if url.scheme.endswith("+sentinel"):
        return _behind_sentinels(server, options)
    [(host, port)] = server.hosts
    return Redis(host=host, port=port, db=server.database, **options)


def _given(server: ServerAddress) -> dict[str, Any]:
    """Return what the URL says besides the place, in the types that the client takes."""
    query = urlencode([pair for pair in server.options if pair[0] != "sentinel_password"])
    given = {**parse_url(f"redis://localhost/?{query}")}
    for name in ("host", "port", "db", "connection_class"):
        given.pop(name, None)
    login = {"username": server.user, "password": server.password}
    return given | {name: value for name, value in login.items() if value}


def _behind_sentinels(server: ServerAddress, options: dict[str, Any]) -> Client:
    tls = {name: value for name, value in options.items() if name.startswith("ssl")}
    patience = {
        **dict.fromkeys(("socket_connect_timeout", "socket_timeout"), CONNECT_SECONDS),
        "retry": options["retry"],  # its own: three times, with seconds in between
    }
    login: dict[str, Any] = {}
    if password := dict(server.options).get("sentinel_password"):
        login["password"] = password
    sentinel = Sentinel(
        list(server.hosts), sentinel_kwargs={**patience, **login, **tls}, **cast(Any, options)
    )
    return cast(Any, sentinel).master_for(server.service, db=server.database)


async def let_go(client: Client) -> None:
    """Close a client's connections, those to its sentinels too."""
    manager = getattr(getattr(client, "connection_pool", None), "sentinel_manager", None)
    for one in (client, *(manager.sentinels if manager is not None else ())):
        with contextlib.suppress(*CLIENT_FAULTS, RuntimeError):
            await one.aclose()


class Line:
    """One loop's connections."""

    def __init__(self, url: BrokerURL, server: ServerAddress) -> None:
        self._cluster = url.scheme.endswith("+cluster")
        self.client = make_client(url, server, patience=0.0 if self._cluster else None)
        # Each sentinel that does not answer takes its time.
        self._seconds = ANSWER_SECONDS + CONNECT_SECONDS * (len(server.hosts) - 1)
        self.patient = make_client(url, server, patience=BLOCK_SECONDS)
        self._clients = [self.client, self.patient]
        self._wire = None if self._cluster else Wire(self.client, self._seconds)
        self._bells: dict[str, Bell] = {}
        self._url = url
        self._server = server
        self._turns = asyncio.Semaphore(ABREAST)
        self._asking: set[asyncio.Task[Any]] = set()
        """Commands to a cluster."""
        self._is_closed = False

    async def run(self, name: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Run a script; one that the server has forgotten, or never knew, is sent again."""
        try:
            return await self.command(*words(name, keys, args))
        except redis_errors.NoScriptError:
            return await self.command("EVAL", script(name).text, len(keys), *keys, *args)

    async def command(self, *words: Any) -> Any:
        """Run a command that answers at once.

        Once sent, it is carried out though whoever asks is cancelled meanwhile.
        """
        if self._wire is not None:
            return await self._wire.ask(*words)
        await self._turns.acquire()  # who is cancelled here has asked nothing
        # A task of its own: a client that is cancelled while it looks for its nodes drops what it
        # has found, and all connections. Who has less time than that takes would never be served.
        asking = asyncio.ensure_future(self._ask_cluster(words))
        self._asking.add(asking)
        asking.add_done_callback(self._has_asked)
        await asyncio.wait([asking])
        if asking.cancelled():
            raise redis_errors.ConnectionError(CLOSED_HERE)
        return asking.result()

    async def _ask_cluster(self, words: Sequence[Any]) -> Any:
        if self._is_closed:  # else the client would connect once more
            raise redis_errors.ConnectionError(CLOSED_HERE)
        return await answer(self.client, *words)  # it knows which node to ask

    def _has_asked(self, asking: asyncio.Task[Any]) -> None:
        self._asking.discard(asking)
        self._turns.release()
        if not asking.cancelled():
            asking.exception()  # whoever asked may not be there any more to hear of it

    async def wait_for_answer(self, *words: Any) -> Any:
        """Run a command that waits in the server, for ``BLOCK_SECONDS`` at the most."""
        return await answer(self.patient, *words)

    async def info(self) -> dict[str, Any]:
        """Return what a server says of itself; in a cluster, one of them."""
        if self._cluster:
            await self.client.initialize()
            node = self.client.get_random_node()
            return await self.client.info(target_nodes=node)
        return await in_time(self.client.info(), self._seconds)

    def bell(self, queue: str, worker: str) -> Bell:
        """Return what rings when there may be something to do in a queue."""
        if queue not in self._bells:
            self._bells[queue] = self._new_bell(queue, worker)
        return self._bells[queue]

    def _new_bell(self, queue: str, worker: str) -> Bell:
        key = f"{self._server.prefix}:{queue}:marker"
        name = _worker_name(self._server.prefix, queue, worker)
        patience = BLOCK_SECONDS if self._cluster else None
        client = make_client(self._url, self._server, name=name, patience=patience)
        self._clients.append(client)
        if self._cluster:
            return Bell(key, BLOCK_SECONDS, partial(answer, client), self.command)
        wire = Wire(client, self._seconds + BLOCK_SECONDS)
        return Bell(key, BLOCK_SECONDS, wire.ask, self.command, wire)

    async def close(self) -> None:
        bells, self._bells = self._bells, {}
        await asyncio.gather(*(bell.close() for bell in bells.values()))
        self._is_closed = True
        if self._wire is not None:
            await self._wire.close()
        for client in self._clients:
            await let_go(client)
        for asking in list(self._asking):
            asking.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)


def _worker_name(prefix: str, queue: str, worker: str) -> str:
    """Return the name by which BullMQ and Bull Board list a queue's workers."""
    encoded = base64.b64encode(queue.encode()).decode()
    printable = "".join(c if c.isascii() and c.isprintable() and c != " " else "_" for c in worker)
    return f"{prefix}:{encoded}:w:{printable}"


class Lines:
    """The lines of all loops that use one broker."""

    def __init__(self, make: Callable[[], Line]) -> None:
        self._make = make
        self._lines: dict[asyncio.AbstractEventLoop, Line] = {}
        self._farewells: dict[asyncio.AbstractEventLoop, AsyncGenerator[None, None]] = {}

    async def here(self) -> Line:
        """Return the running loop's line."""
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            line = self._lines[loop] = self._make()
            farewell = self._farewells[loop] = self._until_the_end_of(loop, line)
            await anext(farewell)
        return line

    async def _until_the_end_of(
        self, loop: asyncio.AbstractEventLoop, line: Line
    ) -> AsyncGenerator[None, None]:
        # A loop that ends closes its asynchronous generators: there is no other word of its end.
        try:
            yield
        finally:
            # A line holds on to its loop: kept, every loop there ever was would stay.
            self._lines.pop(loop, None)
            self._farewells.pop(loop, None)
            await line.close()

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
