"""Servers that all tests of a process share: started once, emptied for each who asks."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from tests.servers.kinds import DEFAULT, Kind
from tests.servers.server import Server


@functools.cache
def shared(kind: Kind = DEFAULT) -> Server:
    """Return this process's server of a kind. Whoever kills or configures one starts their own."""
    folder = Path(tempfile.mkdtemp(prefix=f"stoker-{kind}-"))
    server = Server(folder, kind)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.stop)
    return server.start()


def emptied(kind: Kind = DEFAULT) -> Server:
    """Return the shared server of a kind with nothing in it, its scripts forgotten too."""
    server = shared(kind)
    with server.connect() as client:
        client.flushall()
        client.script_flush()
    return server
