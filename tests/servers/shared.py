"""Servers that all tests of a process share: started once, emptied for each who asks."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from tests.servers.kinds import DEFAULT, Kind
from tests.servers.server import Server


def shared(kind: Kind = DEFAULT) -> Server:
    """Return this process's server of a kind. Whoever kills or configures one starts their own."""
    return _started(kind)


@functools.cache
def _started(kind: Kind) -> Server:
    folder = Path(tempfile.mkdtemp(prefix=f"stoker-{kind}-"))
    server = Server(folder, kind)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.stop)
    return server.start()


def emptied(kind: Kind = DEFAULT) -> Server:
    """Return the shared server of a kind with nothing in it.

    It remembers scripts: BullMQ's flows, which call theirs inside a transaction, never load them
    again.
    """
    server = shared(kind)
    with server.connect() as client:
        client.flushall()
    return server
