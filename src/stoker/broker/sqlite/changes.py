"""Waking those who wait for something to change: in this process at once, in others soon.

Another process's commit writes to the ``-wal`` file. On Linux the kernel tells us (inotify), so an
idle worker costs nothing and wakes within a millisecond; elsewhere, and as a safety net, SQLite's
``data_version`` is asked from time to time. Nobody is watched for while nobody waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import select
import sys
import threading
import time
from collections.abc import Callable

import apsw

from stoker.broker.sqlite.connection import connect_for_reading
from stoker.broker.sqlite.files import Files
from stoker.broker.sqlite.query import value
from stoker.config import MEMORY
from stoker.errors import BrokerError

ASKED_EVERY = 0.002
"""Seconds between two questions where the kernel does not tell us."""
SAFETY_NET = 0.25
"""Seconds between two questions where it does."""
SYNC_SECONDS = 0.1
"""How long after the kernel's word a commit is waited for."""
SYNCING_EVERY = 0.0003
"""Seconds between two questions in that time."""


class Changes:
    """A number that grows with every change of the store, and a way to wait until it has grown."""

    def __init__(self, path: str) -> None:
        self.version = 0
        self._path = path
        self._waiting: set[_Waiter] = set()
        self._lock = threading.Lock()
        self._watch = None if path == MEMORY else _Watch(path, self.note)
        self._started = False

    def note(self) -> None:
        """Something changed. From any thread."""
        with self._lock:
            self.version += 1
            waiting, self._waiting = self._waiting, set()
        for waiter in waiting:
            waiter.wake()

    async def wait(self, seen: int, seconds: float) -> None:
        """Return when the version is no longer ``seen``, or after ``seconds``."""
        waiter = _Waiter()
        with self._lock:
            if self.version != seen:
                return
            self._waiting.add(waiter)
        if self._watch is not None:
            self._watch.needed.set()
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await waiter.future
        except TimeoutError:
            pass
        finally:
            with self._lock:
                self._waiting.discard(waiter)
                if self._watch is not None and not self._waiting:
                    self._watch.needed.clear()

    def start(self) -> None:
        """Begin to look for other processes; the database must be open by now."""
        if self._watch is not None:
            self._started = True
            self._watch.start()

    def rest(self) -> None:
        """Stop watching until ``resume``, and wait until the file is closed."""
        if self._watch is not None:
            self._watch.join()

    def resume(self) -> None:
        """Watch again; who waits looks anew, since nobody watched meanwhile."""
        if self._watch is not None:
            self._watch = _Watch(self._path, self.note)
            if self._started:
                self._watch.start()
            self.note()

    async def close(self) -> None:
        """Stop watching, and wake everyone."""
        self._started = False  # a fork meanwhile must not have it begun again
        if self._watch is not None:
            await self._watch.stop()
        self.note()


class _Waiter:
    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()

    def wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # its loop was closed
            self.loop.call_soon_threadsafe(self._set)

    def _set(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


class _Watch:
    """A thread that looks for other processes' commits while ``needed`` is set."""

    def __init__(self, path: str, noted: Callable[[], None]) -> None:
        self.needed = threading.Event()
        self._path = path
        self._noted = noted
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="stoker-watch", daemon=True)

    async def stop(self) -> None:
        await asyncio.to_thread(self.join)

    def join(self) -> None:
        """Stop, and wait for it. Told again and again: who stops waiting clears ``needed``."""
        self._stopped = True
        while self._thread.is_alive():
            self.needed.set()
            self._thread.join(0.01)

    def start(self) -> None:
        """Begin to watch; the file must exist and be in WAL mode by now."""
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped:
            try:
                self._look()
            except (apsw.Error, OSError, BrokerError):
                # The file is in trouble or gone, or no descriptor is left. The lanes will say so;
                # here it is enough to go on, and not to be silent meanwhile.
                self._noted()
                time.sleep(SAFETY_NET)

    def _look(self) -> None:
        with (
            contextlib.closing(connect_for_reading(self._path)) as connection,
            contextlib.closing(Files(self._path)) as files,
            contextlib.closing(_bell(f"{self._path}-wal")) as bell,
        ):
            self._compare(connection, files, bell)

    def _compare(self, connection: apsw.Connection, files: Files, bell: _Nap | _Inotify) -> None:
        seen = _data_version(connection)
        # What was committed while nobody looked is not known: better one look too many.
        self._noted()
        expected_until = 0.0
        check_at = time.monotonic() + SAFETY_NET
        while True:
            self.needed.wait()
            if self._stopped:
                return
            if time.monotonic() >= check_at:
                files.check()
                check_at = time.monotonic() + SAFETY_NET
            version = _data_version(connection)
            if version != seen:
                seen = version
                expected_until = 0.0
                self._noted()
            elif time.monotonic() < expected_until:
                time.sleep(SYNCING_EVERY)
            elif bell.wait():
                # It rings when a commit is written; to be seen is one that the disk has.
                expected_until = time.monotonic() + SYNC_SECONDS


def _data_version(connection: apsw.Connection) -> int:
    return value(connection, "PRAGMA data_version")


class _Nap:
    """Where the kernel tells us nothing: a short sleep."""

    def wait(self) -> bool:
        time.sleep(ASKED_EVERY)
        return False

    def close(self) -> None:
        pass


class _Inotify:
    """The kernel's word that a file was written to."""

    _MODIFY = 0x00000002

    def __init__(self, path: str) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        if libc.inotify_add_watch(self._fd, os.fsencode(path), self._MODIFY) < 0:
            error = OSError(ctypes.get_errno(), "inotify_add_watch")
            os.close(self._fd)
            raise error
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)

    def wait(self) -> bool:
        """Wait for it to ring; ``False`` if it is only time to look all the same."""
        rung = bool(self._poll.poll(SAFETY_NET * 1_000))
        if rung:
            with contextlib.suppress(BlockingIOError):
                os.read(self._fd, 65_536)
        return rung

    def close(self) -> None:
        os.close(self._fd)


def _bell(path: str) -> _Nap | _Inotify:
    if sys.platform != "linux":
        return _Nap()
    try:
        return _Inotify(path)
    except (OSError, AttributeError):  # out of watches, or a libc without inotify
        return _Nap()
