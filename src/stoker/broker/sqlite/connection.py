"""Opening a database: pragmas, schema, checks. Every connection of the broker starts here."""

from __future__ import annotations

import itertools
import os
import random
import stat
import time
from collections.abc import Callable
from pathlib import Path

import apsw

from stoker.broker.sqlite.query import value
from stoker.broker.sqlite.sql import script
from stoker.config import MEMORY
from stoker.errors import BrokerCorrupt, BrokerUnavailable

SCHEMA_VERSION = 1
APPLICATION_ID = 0x53544B52
"""``STKR``: marks the file as ours, so that another program's database is never migrated."""

BUSY_SECONDS = 30.0
_NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "ceph"}


def connect(path: str, *, busy_seconds: float = BUSY_SECONDS) -> apsw.Connection:
    """Open the database for writing, creating and migrating it if need be.

    Raises ``apsw.Error``, ``BrokerCorrupt`` or ``BrokerUnavailable``.
    """
    if path != MEMORY:
        _prepare_file(Path(path))
    connection = apsw.Connection(path, statementcachesize=200)
    connection.set_busy_handler(_patience(busy_seconds))
    _plan_once(connection)
    _refuse_others(connection, path)
    _write_ahead(connection, busy_seconds)
    # For the schema; later it is chosen for each group of calls, by what it promises (session.py).
    connection.execute("PRAGMA synchronous = FULL").fetchall()
    # Fewer, larger checkpoints: each one syncs the database file, in the way of the next commit.
    connection.execute("PRAGMA wal_autocheckpoint = 4000").fetchall()
    connection.execute("PRAGMA journal_size_limit = 67108864").fetchall()
    connection.execute("PRAGMA cache_size = -16000").fetchall()
    connection.execute("PRAGMA temp_store = MEMORY").fetchall()
    _migrate(connection, path)
    return connection


def connect_for_reading(path: str) -> apsw.Connection:
    """Open a database that exists, so that readers never wait for the writer."""
    connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=50)
    connection.set_busy_handler(_patience(BUSY_SECONDS))
    _plan_once(connection)
    connection.execute("PRAGMA query_only = ON").fetchall()
    # SQLite opens the -wal file, by its name, at the first look: now, while it is this database's.
    _version(connection)
    return connection


def _plan_once(connection: apsw.Connection) -> None:
    """Keep statements prepared.

    Without the guarantee of stable plans SQLite, built with STAT4 as apsw's is, plans a statement
    anew whenever a value is bound that a better plan might depend on: at every call, 30 µs each.
    """
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)


def _patience(seconds: float) -> Callable[[int], bool]:
    """Wait for a lock in short, growing, random naps.

    SQLite's own handler naps up to 100 ms, so that under contention some process always starves.
    """
    started = 0.0

    def again(tries: int) -> bool:
        nonlocal started
        now = time.monotonic()
        if tries == 0:
            started = now
        if now - started > seconds:
            return False
        time.sleep(random.uniform(0.0001, min(0.0005 * (tries + 1), 0.01)))
        return True

    return again


def _write_ahead(connection: apsw.Connection, seconds: float) -> None:
    """Switch to the write-ahead log, also while other processes do the same on a new file.

    Each of them reads the file before it locks it, so that SQLite, for fear of a deadlock, refuses
    all but one at once and without asking the busy handler.
    """
    again = _patience(seconds)
    for tries in itertools.count():
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
        except apsw.BusyError:
            if not again(tries):
                raise
        else:
            return


def _prepare_file(path: Path) -> None:
    if not path.parent.is_dir():
        raise BrokerUnavailable(
            f"the folder of {path} does not exist", hint=f"create it: mkdir -p {path.parent}"
        )
    if path.is_dir():
        raise BrokerUnavailable(
            f"{path} is a folder, and jobs are kept in a file",
            hint=f"for example {path}/stoker.db",
        )
    if path.is_symlink() and not path.exists():
        raise BrokerUnavailable(f"{path} is a link to nothing", hint="create its target or drop it")
    if (kind := _file_system(path.parent)) in _NETWORK_FILE_SYSTEMS:
        raise BrokerUnavailable(
            f"{path} is on a network file system ({kind}), where SQLite's locks are not safe",
            hint="put it on a local disk, or use Redis for workers on several machines",
        )
    # Jobs hold people's data: created for the owner alone, whatever the umask says. SQLite gives
    # the -wal and -shm files the same mode. A file that exists is not even opened: closing it would
    # drop the locks that this process' other connections hold on it, as POSIX has it.
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        os.close(os.open(path, flags, stat.S_IRUSR | stat.S_IWUSR))
    except FileExistsError:
        return
    except OSError as error:
        raise BrokerUnavailable(
            f"{path} cannot be created: {error.strerror}",
            hint="check the owner and mode of its folder, or choose another place",
        ) from None


def _file_system(folder: Path) -> str:
    """Return the type of the file system that holds ``folder``, or ``""`` where unknown."""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    real, best, kind = str(folder.resolve()), "", ""
    for line in lines:
        _, mount, found, *_ = line.split(" ")
        inside = real == mount or real.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best):
            best, kind = mount, found
    return kind


def _refuse_others(connection: apsw.Connection, path: str) -> None:
    """Leave another program's database as it is: asked before anything is changed."""
    # In this order: another process may be creating it, and commits its mark with its tables.
    used = value(connection, "SELECT count(*) FROM sqlite_schema")
    if used and value(connection, "PRAGMA application_id") != APPLICATION_ID:
        raise BrokerCorrupt(
            f"{path} is another program's database", hint="choose another file name"
        )


def _migrate(connection: apsw.Connection, path: str) -> None:
    """Create the schema; refuse a file that is not ours or is newer than this code."""
    if _version(connection) == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)
        if version > SCHEMA_VERSION:
            raise BrokerCorrupt(
                f"{path} was written by a newer Stoker (schema {version})", hint="upgrade stoker"
            )
        if version == 0:
            connection.execute(script("schema"))
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _version(connection: apsw.Connection) -> int:
    return value(connection, "PRAGMA user_version")
