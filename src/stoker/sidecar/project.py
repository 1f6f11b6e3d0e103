"""One read-only view of a project's tree: walked once, each file read at most once.

The way of a file: its *name* decides who asks for it; of what it has, the bytes are looked through
first (``telling``), and only what tells something is decoded (``text``), and then perhaps parsed.
Of ten thousand files most go no further than their bytes.

Nothing is executed, and nothing outside the tree is looked at but what says which files git has:
the ``.gitignore`` files of the folders that it lies in, and git's index. A link to a directory is
not followed (its target is walked where it lies, and a cycle cannot arise), a link to a file only
if the file is in the tree.

Files of variables that git leaves out are none of the tree's: others have other ones, or none, and
would be told something else.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar

from stoker.errors import ConfigError
from stoker.sidecar import ignored
from stoker.sidecar.secrets import masked

T = TypeVar("T")
MOST_FILES = 200_000
MOST_DEPTH = 40
LARGEST = 1024 * 1024
"""Bytes of a file that is read: what is larger is data, not something written by hand."""
_USUAL = 65_536
"""Bytes that nearly all files fit in: memory for the largest takes longer to get than to fill."""

IGNORED = frozenset({
    ".git", ".hg", ".svn", ".bundle", ".cargo", ".eggs", ".gradle", ".history", ".idea",
    ".mypy_cache", ".next", ".nox", ".nuxt", ".output", ".parcel-cache", ".pnpm-store",
    ".pytest_cache", ".ruff_cache", ".svelte-kit", ".terraform", ".tox", ".turbo", ".venv",
    ".virtualenv", ".yarn", "__pycache__", "bower_components", "coverage", "dist", "htmlcov",
    "node_modules", "site-packages", "target", "vendor", "venv", "virtualenv",
})  # fmt: skip
_LISTS = {"vendor": "modules.txt"}
"""What is seen of a directory that is passed over: Go's list of what was copied there."""

_ASIDE = re.compile(
    r"^dummy/|(^|/)(examples?([-_]\w+)?|samples?|demos?|tests?|specs?|fixtures|benchmarks?|testdata|__tests__|e2e|"
    r"cypress|playground|tutorials?|testing|test[-_]?(app|project|site)s?|load[-_]?tests?|"
    r"__mocks__|[^/]*-mocks?|cookbook|(?:[^/]*[-_])?bench|[^/]*-benchmarks?|third[-_]party|templates?|"
    r"boilerplates?|archived?|deprecated|legacy|old|scaffolds?)/",
    re.IGNORECASE,
)
"""Directories about something else than the project itself: its tests, its examples."""
_COPY = re.compile(r"(.+?)[-_. ](?:backup|bak|old|copy|orig)(?:[-_. ]?v?\d+)?", re.IGNORECASE)
"""What a directory is called that is put away beside the one that it was copied from."""
_MANY = re.compile(r"(examples|samples|tests|specs|fixtures|benchmarks|templates)/", re.IGNORECASE)
_CODE = ("py", "js", "ts", "tsx", "mjs", "cjs", "rb", "go", "rs")

_VARIABLES = re.compile(r"\.?env(\.[\w.-]*)?|[\w.-]*\.env")
"""What files of variables are called."""
_EXAMPLE = re.compile(r"(^|[._-])(example|sample|template|dist)($|[._-])", re.IGNORECASE)
"""Those that are written for everybody: people add them to git, whatever it leaves out."""

_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)
_MARKED = tuple(mark for mark, _ in _MARKS)


class Project:
    """The files below a directory, by their path relative to it (with ``/``)."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        """Walk ``root``. Raises ``ConfigError`` if it is no directory that can be read."""
        self.root = Path(root).resolve()
        if not self.root.is_dir():
            raise ConfigError(
                f"{os.fspath(root)!r} is no directory", hint="name the root of a project"
            )
        self.notes: dict[str, None] = {}
        self._data: dict[str, bytes] = {}
        self._texts: dict[str, str] = {}
        self._split: dict[str, list[str]] = {}
        """The lines of the files of which some were asked for one by one."""
        self._made: dict[str, dict[Any, Any]] = {}
        """What readers made of files."""
        self.files = frozenset(self._walk())
        self._index(self.files - {path for path in self.files if self._is_left_out(path)})

    def _index(self, files: frozenset[str]) -> None:
        self.files = files
        self._asides: dict[str, bool] = {}
        self.ordered = tuple(sorted(self.files, key=lambda path: (path.count("/"), path)))
        self.dirs = frozenset(_directories(self.files))
        self._copies = _copies(self.files, self.dirs)
        self._by_name: dict[str, list[str]] = {}
        self._by_suffix: dict[str, list[str]] = {}
        for path in self.ordered:
            name = path.rpartition("/")[2]
            self._by_name.setdefault(name.lower(), []).append(path)
            self._by_suffix.setdefault(name.rpartition(".")[2].lower(), []).append(path)
        lined = (name for name in self._by_name if "\n" not in name)
        self._names = "\n".join(("", *lined, ""))
        """Each on a line: one search goes through all, in a fifth of the time of one for each."""
        self._whole = self._find_whole()

    def named(self, *names: str) -> list[str]:
        """Return the files of these names, in any case, nearest to the root first."""
        found = [path for name in names for path in self._by_name.get(name.lower(), ())]
        return sorted(found, key=lambda path: (path.count("/"), path))

    def matching(self, pattern: str) -> list[str]:
        """Return the files whose names match a regular expression, in any case."""
        name = re.compile(rf"\n({pattern})(?=\n)", re.IGNORECASE)
        return [path for each in name.finditer(self._names) for path in self._by_name[each[1]]]

    def suffixed(self, *suffixes: str) -> list[str]:
        """Return the files with one of these suffixes (without the dot)."""
        return [path for suffix in suffixes for path in self._by_suffix.get(suffix, ())]

    def is_aside(self, path: str) -> bool:
        """Tell if a path is about something else than the project itself: tests, examples.

        Where all code lies in one ``demo/``, this is the project.
        """
        dir = path[: path.rfind("/") + 1]
        if dir not in self._asides:
            inside = dir
            if self._whole and dir.startswith(self._whole):  # Django's demo/demo, too
                own = self._whole.rstrip("/").rpartition("/")[2]
                inside = "/".join(part for part in dir.split("/") if part != own)
            copied = bool(self._copies) and not self._copies.isdisjoint(_parents(dir))
            self._asides[dir] = copied or _ASIDE.search(inside) is not None
        return self._asides[dir] or "{{" in path or "{%" in path

    def is_ignored(self, path: str) -> bool:
        """Tell if git leaves a file out, whether it is there or not."""
        return self._repository.leaves_out(path)

    @cached_property
    def _repository(self) -> ignored.Repository:
        names = [path.rpartition("/") for path in self.files if path.endswith(ignored.NAME)]
        folders = [folder + slash for folder, slash, name in names if name == ignored.NAME]
        texts = ((each, self.text(f"{each}{ignored.NAME}")) for each in folders)
        return ignored.Repository(self.root, texts)

    def _is_left_out(self, path: str) -> bool:
        if "env" not in path:
            return False
        name = path.rpartition("/")[2]
        is_one = _VARIABLES.fullmatch(name) is not None and not _EXAMPLE.search(name)
        return is_one and self.is_ignored(path)

    def _find_whole(self) -> str:
        found: set[str] = set()
        for path in self.suffixed(*_CODE):
            aside = _ASIDE.search(path)
            if aside is None or _MANY.search(aside[0]):
                return ""
            found.add(path[: aside.end()])
        return found.pop() if len(found) == 1 else ""

    def note(self, path: str, problem: str, hint: str, line: int = 0) -> None:
        """Remember what was wrong with a file, and what to do about it."""
        where = f"{path}:{line}" if line else path
        shown = "".join(letter if letter.isprintable() else "�" for letter in f"{where}: {problem}")
        self.notes[f"{masked(shown[:4_096])[:500]}; {hint}"] = None

    def data(self, path: str) -> bytes:
        """Return what a file has, in UTF-8; nothing if it is missing, binary or too large.

        Only what is neither ASCII nor UTF-8 stays as it is.
        """
        if path not in self._data:
            self._data[path] = self._read(path) if path in self.files else b""
        return self._data[path]

    def telling(self, paths: Iterable[str], pattern: re.Pattern[bytes]) -> Iterator[str]:
        """Yield those of some files in which a pattern finds something."""
        return (path for path in paths if pattern.search(self.data(path)))

    def speaking(self, paths: Iterable[str], names: Iterable[str]) -> Iterator[tuple[str, int]]:
        """Yield those of some files in which one of some names stands, each with its line.

        Most have none, and a plain search tells it in a tenth of the time of a pattern.
        """
        words = [name.encode() for name in names]
        pattern = re.compile(rb"\b(?:%b)\b" % b"|".join(map(re.escape, words)))
        for path in paths:
            data = self.data(path)
            if any(word in data for word in words) and (found := pattern.search(data)):
                yield path, data.count(b"\n", 0, found.start()) + 1

    def text(self, path: str) -> str:
        """Return what a file says; empty if it is missing, binary or too large."""
        if path not in self._texts:
            self._texts[path] = decoded(self.data(path))
        return self._texts[path]

    def pretend(self, texts: Mapping[str, str | None]) -> None:
        """Look at the project as if these files said something else, were there, or were not."""
        for path, text in texts.items():
            self._data[path] = (text or "").encode()
            self._texts.pop(path, None)
            self._split.pop(path, None)
            self._made.pop(path, None)
        gone = {path for path, text in texts.items() if text is None}
        files = (self.files | texts.keys()) - gone
        if files != self.files:
            self._index(files)

    def lines(self, path: str) -> list[str]:
        """Return a file's lines."""
        return self.text(path).splitlines()

    def line(self, path: str, number: int) -> str:
        """Return one line without the spaces around it; empty if the file has not as many."""
        if path not in self._split:
            self._split[path] = self.lines(path)
        lines = self._split[path]
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""

    def once(self, path: str, reader: Callable[[Project, str], T]) -> T:
        """Return what a reader makes of a file, which it is asked for once."""
        made = self._made.setdefault(path, {})
        if reader not in made:
            made[reader] = reader(self, path)
        return made[reader]

    def _walk(self) -> Iterator[str]:
        count = 0
        waiting = [(str(self.root), "", 0)]
        while waiting:
            directory, prefix, depth = waiting.pop()
            for entry in _entries(directory):
                path = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in IGNORED and depth < MOST_DEPTH and not _is_venv(entry):
                        waiting.append((entry.path, f"{path}/", depth + 1))
                    elif (name := _LISTS.get(entry.name)) and _has_file(entry, name):
                        yield f"{path}/{name}"
                elif self._is_own_file(entry):
                    count += 1
                    if count > MOST_FILES:
                        self.note(".", f"more than {MOST_FILES:,} files", "name a directory in it")
                        return
                    yield path

    def _is_own_file(self, entry: os.DirEntry[str]) -> bool:
        """Tell if it is a file of the tree, and its name one that can be printed."""
        try:
            entry.name.encode()
            if not entry.is_symlink():
                return entry.is_file(follow_symlinks=False)
            target = Path(entry.path).resolve()
            return target.is_relative_to(self.root) and stat.S_ISREG(target.stat().st_mode)
        except (OSError, RuntimeError, UnicodeError):
            return False

    def _read(self, path: str) -> bytes:
        try:
            file = os.open(f"{self.root}/{path}", os.O_RDONLY)
            try:
                data = os.read(file, _USUAL)
                if len(data) == _USUAL:
                    data += os.read(file, LARGEST + 1 - _USUAL)
            finally:
                os.close(file)
        except OSError as error:
            self.note(path, f"cannot be read: {error.strerror}", "make it readable")
            return b""
        return _in_utf8(data) if len(data) <= LARGEST else b""


def _directories(files: Iterable[str]) -> set[str]:
    """Return every directory that a file lies in, and the root."""
    found = {"."}
    for path in files:
        parent = path.rpartition("/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return found


def _parents(path: str) -> Iterator[str]:
    """Yield the directories that a path lies in, the innermost first."""
    while path:
        path = path.rpartition("/")[0]
        yield path


def _copies(files: frozenset[str], dirs: frozenset[str]) -> frozenset[str]:
    """Return the directories that were copied from those beside them, and put away.

    A name alone tells of no copy: of the files of one, most are called as those of the other.
    """
    named = ((dir, _COPY.fullmatch(dir)) for dir in dirs)
    originals = {dir: found[1] for dir, found in named if found and found[1] in dirs}
    inside: dict[str, set[str]] = {dir: set() for pair in originals.items() for dir in pair}
    for path in files if inside else ():
        for parent in _parents(path):
            if parent in inside:
                inside[parent].add(path[len(parent) :])
    return frozenset(
        dir for dir, original in originals.items()
        if 4 * len(inside[dir] & inside[original]) >= 3 * len(inside[dir])
    )  # fmt: skip


def _entries(directory: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return sorted(entries, key=attrgetter("name"))
    except OSError:
        return []


def _has_file(directory: os.DirEntry[str], name: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(f"{directory.path}/{name}").st_mode)
    except OSError:
        return False


def _is_venv(entry: os.DirEntry[str]) -> bool:
    return entry.name in ("env", ".env") and Path(entry.path, "pyvenv.cfg").exists()


def _in_utf8(data: bytes) -> bytes:
    """Return what an editor wrote as UTF-8, by its byte order mark; of what is binary nothing."""
    for mark, encoding in _MARKS if data.startswith(_MARKED) else ():
        if data.startswith(mark):
            return data.decode(encoding, "replace").encode()
    return data if data.find(b"\0", 0, 8_192) < 0 else b""


def decoded(data: bytes) -> str:
    """Return what a file says: UTF-8, or else Latin-1."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
