"""TLS in front of a server, as many deployments have it: ended by a program beside the server.

The packaged servers are built without TLS. To a client the difference does not show: the handshake,
the certificate and its checks are real.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import trustme

from tests.servers.server import HOST, Server

T = TypeVar("T")


class TLSFront:
    """A port that speaks TLS and passes everything on to ``server``. A context manager."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.ca_file = folder / "ca.pem"
        self.port = 0
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(HOST, "localhost").configure_cert(self._context)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tls", daemon=True)

    def __enter__(self) -> TLSFront:
        self._thread.start()
        self._listener = self._call(asyncio.start_server(self._serve, HOST, 0, ssl=self._context))
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        """``rediss://…``; a client has to be told of ``ca_file`` too."""
        secret = f":{self.server.password}@" if self.server.password else ""
        return f"rediss://{secret}{HOST}:{self.port}/0"

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            inner_reader, inner_writer = await asyncio.open_connection(*self.server.address)
            await asyncio.gather(_pass_on(reader, inner_writer), _pass_on(inner_reader, writer))

    async def _end(self) -> None:
        self._listener.close()  # here, on its loop: it may be letting a connection go just now
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
