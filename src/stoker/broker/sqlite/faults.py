"""What SQLite's errors mean to whoever called the broker."""

from __future__ import annotations

import apsw

from stoker.errors import BrokerCorrupt, BrokerError, BrokerFull, BrokerUnavailable


def translate(error: apsw.Error, path: str) -> BrokerError:
    """Return ``error`` as one of ours, saying what to do about it."""
    match error:
        case apsw.FullError():
            return BrokerFull(
                f"no space left to write {path}",
                hint="free disk space; what was acknowledged is safe, this write was not made",
            )
        case apsw.NotADBError() | apsw.CorruptError():
            return BrokerCorrupt(
                f"{path} is damaged or not a SQLite file: {error}",
                hint="check that it is the right file; if so, restore it from a backup, or "
                "salvage it with: sqlite3 FILE .recover",
            )
        case apsw.BusyError():
            return BrokerUnavailable(
                f"{path} stayed locked by another process",
                hint="look for a process that holds a transaction open on the file",
            )
        case apsw.ReadOnlyError() | apsw.PermissionsError():
            return BrokerUnavailable(
                f"{path} cannot be written", hint="check the owner and mode of file and folder"
            )
        case apsw.CantOpenError():
            return BrokerUnavailable(
                f"{path} cannot be opened",
                hint="its folder has to exist, and be one in which you may write",
            )
        case _:
            return BrokerUnavailable(f"{path}: {error}", hint="see the message of SQLite above")
