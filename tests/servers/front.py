"""A way to a server on which answers get lost, or come changed, or behind others."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Self

from tests.servers.server import HOST, Server

_MOST_BYTES = 1 << 20


@dataclass
class _Link:
    """One connection."""

    command: bytes = b""
    """What was asked last. Where one thing is asked at a time, what comes next is its answer."""
    is_silent: bool = False


class Front:
    """A port that passes everything on to ``server``. An asynchronous context manager."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._marks: list[bytes] = []
        self._changes: dict[bytes, bytes] = {}
        self._first: list[bytes] = []
        self._last: bytes | None = None
        self._links: list[_Link] = []
        self.connected = 0
        """How often somebody has connected."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._serve, HOST, 0)
        self.port: int = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def lose_answer_to(self, mark: str) -> None:
        """End the connection in place of the answer to the next command that has this in it.

        The command has run, and who sent it never learns.
        """
        self._marks.append(mark.encode())

    def change(self, said: str, to: str) -> None:
        """Change these words in every answer to others that are as long."""
        assert len(said) == len(to), "an answer says its length before it"
        self._changes[said.encode()] = to.encode()

    def say_first(self, said: bytes) -> None:
        """Send this before the next answer."""
        self._first.append(said)

    def hang_up_behind(self, mark: str) -> None:
        """From now on end each connection with the answer to a command that has this in it."""
        self._last = mark.encode()

    def fall_silent(self) -> None:
        """From now on pass nothing on that comes over the connections there are."""
        for link in self._links:
            link.is_silent = True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connected += 1
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            inner_reader, inner_writer = await asyncio.open_connection(*self._server.address)
            with contextlib.closing(writer), contextlib.closing(inner_writer):
                link = _Link()
                self._links.append(link)
                await _first_to_end(
                    self._pass_commands(link, reader, inner_writer),
                    self._pass_answers(link, inner_reader, writer),
                )
        self._tasks.discard(task)

    async def _pass_commands(
        self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while command := await reader.read(_MOST_BYTES):
            if not link.is_silent:
                link.command = command
                writer.write(command)

    async def _pass_answers(
        self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while answer := await reader.read(_MOST_BYTES):
            if link.is_silent:
                continue
            if lost := [mark for mark in self._marks if mark in link.command]:
                self._marks.remove(lost[0])
                return
            for said, to in self._changes.items():
                answer = answer.replace(said, to)
            writer.write(b"".join(self._first) + answer)
            self._first.clear()
            await writer.drain()
            if self._last is not None and self._last in link.command:
                return


async def _first_to_end(*passing: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.ensure_future(one) for one in passing]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
