"""The one place that touches the disk: below one folder, through no link, each file at once."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path

from stoker.errors import ConfigError
from stoker.sidecar.write.changes import Change

LARGEST = 1_048_576
"""Bytes that a compose file or the like may have."""
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Folder:
    """The project's root. Every path is relative to it, and stays below it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, paths: Iterable[str]) -> dict[str, str]:
        """Return the contents of the files that are there.

        Raises ``ConfigError`` for what could not be written: links, folders, other files, names
        that only differ in case, what is not UTF-8 or too large.
        """
        found: dict[str, str] = {}
        for path in paths:
            text = self._read(path)
            if text is not None:
                found[path] = text
        return found

    def apply(self, changes: Iterable[Change]) -> None:
        """Make the changes. After a crash each file is as before or as after."""
        for change in changes:
            match change.action:
                case "create" | "update":
                    self._write(change.path, change.after or "")
                case "delete":
                    self._delete(change.path)
                case "unchanged" | "keep":
                    pass

    def _read(self, path: str) -> str | None:
        try:
            with self._parent(path, create=False) as (parent, name):
                _refuse_collision(parent, name, path)
                return _contents(parent, name, path)
        except FileNotFoundError:
            return None

    def _write(self, path: str, text: str) -> None:
        with self._parent(path, create=True) as (parent, name):
            _refuse_collision(parent, name, path)
            mode = _mode(parent, name, path)
            new = f".{name}.{secrets.token_hex(4)}.new"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            try:
                with os.fdopen(os.open(new, flags, 0o666, dir_fd=parent), "wb") as file:
                    if mode is not None:
                        os.fchmod(file.fileno(), mode)
                    file.write(text.encode())
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(new, name, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(new, dir_fd=parent)
                raise

    def _delete(self, path: str) -> None:
        with self._parent(path, create=False) as (parent, name):
            _mode(parent, name, path)
            os.unlink(name, dir_fd=parent)
        folder = path.rpartition("/")[0]
        while folder:  # a folder that is empty now was made for this
            with self._parent(folder, create=False) as (parent, name):
                try:
                    os.rmdir(name, dir_fd=parent)
                except OSError:
                    return
            folder = folder.rpartition("/")[0]

    @contextmanager
    def _parent(self, path: str, *, create: bool) -> Generator[tuple[int, str]]:
        """Open the folder that a path is in, step by step, so that no link leads elsewhere."""
        *folders, name = _parts(path)
        parent = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for folder in folders:
                child = _enter(parent, folder, path, create=create)
                os.close(parent)
                parent = child
            yield parent, name
        finally:
            os.close(parent)


def _parts(path: str) -> list[str]:
    parts = path.split("/")
    if path.startswith("/") or any(part in ("", ".", "..") for part in parts) or "\0" in path:
        raise ConfigError(
            f"{path!r} is no path below the project",
            hint="paths are relative to the project, without '.' and '..'",
        )
    return parts


def _enter(parent: int, folder: str, path: str, *, create: bool) -> int:
    _refuse_collision(parent, folder, path)
    if create:
        with suppress(FileExistsError):
            os.mkdir(folder, dir_fd=parent)
    try:
        return os.open(folder, _DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        raise
    except OSError:  # ELOOP or ENOTDIR, as the system likes
        raise ConfigError(
            f"{path}: {folder!r} is a link or no folder, and Stoker writes through none",
            hint="make it a folder, or choose another project path",
        ) from None


def _refuse_collision(parent: int, name: str, path: str) -> None:
    with os.scandir(parent) as entries:
        names = [entry.name for entry in entries]
    for other in names:
        if other != name and other.casefold() == name.casefold() and name not in names:
            raise ConfigError(
                f"{path}: {other!r} is there already, the same name on some systems",
                hint=f"rename {other!r}, or remove it",
            )


def _mode(parent: int, name: str, path: str) -> int | None:
    """Return the permissions of a file that is there. Anything but a file is refused."""
    try:
        found = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        what = "a link" if stat.S_ISLNK(found.st_mode) else "no ordinary file"
        raise ConfigError(
            f"{path} is {what}, and Stoker neither reads nor replaces it",
            hint="remove it, or put a file in its place",
        )
    return stat.S_IMODE(found.st_mode)


def _contents(parent: int, name: str, path: str) -> str | None:
    if _mode(parent, name, path) is None:
        return None
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, dir_fd=parent), "rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ConfigError(
            f"{path} is larger than {LARGEST:,} bytes",
            hint="move it aside; Stoker reads no such file",
        )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"{path}, line {line}: not UTF-8", hint="save it as UTF-8, or move it aside"
        ) from None
