"""The variables of the connection that Node's queues are given: ``connection: { host: … }``.

It may be written where a queue is made, or have a name: of a constant or a function, in the same
file or in one that it imports, also out of another package of the workspace. Other clients call
what they connect by the same, so what it stands in has to be a queue's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from stoker.sidecar import bull
from stoker.sidecar.detect.environment import sources
from stoker.sidecar.detect.source.node_files import NodeSource
from stoker.sidecar.detect.source.node_imports import SUFFIXES, Resolver, imported
from stoker.sidecar.detect.source.redis_clients import given, inside, of_redis
from stoker.sidecar.detect.spotting import sieve
from stoker.sidecar.project import Project

_PACKAGES = frozenset(
    {"bee-queue", "ioredis"}.union(*(each.names for each in bull.PACKAGES.values()))
)
_MAY_TELL = sieve("connection", "Redis(", followed={"redis": r"\s{0,20}:"})
"""Most files with queues only add jobs to one that has been made elsewhere."""
_TAKES_ONE = re.compile(r"(Worker|Queue|Flow|Bull|Redis|Scheduler|Job|super)")
"""What is called with the connection of a queue, or with options that have it."""
_WRITTEN = re.compile(r"\bconnection\s{0,20}[:=]\s{0,20}\{")
_HANDED = re.compile(
    r"\b(?:connection|redis)\s{0,20}:\s{0,20}(?P<named>[A-Za-z_$][\w$.]{0,79})\s{0,20}"
    r"(?:\(\s{0,20}\))?(?=\s{0,20}(?:[,}\n]|as\b))|"
    r"(?<=[{,])\s{0,200}(?P<short>connection)(?=\s{0,20}[,}])|"
    r"\bnew\s+[\w.]{0,20}Redis\(\s{0,20}(?P<client>[A-Za-z_$][\w$.]{0,79})\s{0,20}[,)]"
)
_CALLED = re.compile(r"([\w$.@]{1,79})\s{0,20}(?:<[^<>()]{0,200}>)?\s{0,20}\Z")
_ASSIGNED = re.compile(
    r"(?P<export>\bexport\s+)?\b(?:const|let|var)\s+(\w{1,79})[^=;\n]{0,80}=\s*\Z"
)
_OTHERS = re.compile(r"""\b(?:client|type|dialect|adapter|driver)\s{0,20}:\s{0,20}["'`]""")
"""What says that it is a database's: knex and TypeORM ask for it beside the connection."""
_INNER = re.compile(r"\{[^{}]*\}")
_DEFAULT = r"export\s+default|module\.exports\s*="
_SUFFIXES = tuple(f".{suffix}" for suffix in SUFFIXES)
_MOST = 40
"""Files that one imports: more than any that has a connection does."""
_FURTHEST = 600
"""Characters before a connection in which is looked for what it stands in."""


def told(source: NodeSource, read: Collection[str]) -> dict[str, str]:
    """Return the variables that are read for the connection of a queue, each with what it holds.

    ``queue.config.ts`` is no program's file, and may have it all the same.
    """
    project, names = source.project, of_redis(read)
    every = [path for path in sources(project) if path.endswith(_SUFFIXES)] if names else []
    about = [path for path in every if not _PACKAGES.isdisjoint(source.named_in(path))]
    found: dict[str, str] = {}
    reader: _Reader | None = None
    for path in project.telling(about, _MAY_TELL):
        reader = reader or _Reader(project, Resolver(project, source.manifests, every))
        for name, part in reader.of_file(path):
            if name in names:
                found.setdefault(name, part)
    return found


class _Reader:
    def __init__(self, project: Project, files: Resolver) -> None:
        self.project, self.files = project, files

    def of_file(self, path: str) -> Iterator[tuple[str, str]]:
        """Yield the variables of the connections in a file, each with what it holds."""
        text = self.project.text(path)
        for each in _WRITTEN.finditer(text):
            if _is_a_queues(text, each.start()):
                yield from given(inside(text, each.end()))
        for each in _HANDED.finditer(text):
            if each["client"] or _is_a_queues(text, each.start()):
                yield from self._named(path, each["named"] or each["short"] or each["client"])

    def _named(self, path: str, name: str) -> Iterator[tuple[str, str]]:
        """Yield the variables of what has a name, in its file or one that this imports."""
        text = self.project.text(path)
        first, _, last = name.rpartition(".")
        original = None if first else _renamed(last).search(text)
        made = _made((original[1] or original[2]) if original else last, whole=False)
        if own := made.search(text):
            yield from given(inside(text, own.end()))
            return
        whole = _made(last, whole=True)
        for near in self._near(path):
            there = self.project.text(near)
            if found := made.search(there) or (None if first else whole.search(there)):
                yield from given(inside(there, found.end()))
                return

    def _near(self, path: str) -> Iterator[str]:
        """Yield the files that one imports, and those that these pass on."""
        near = self._imported(path)
        yield from dict.fromkeys((*near, *(far for each in near for far in self._imported(each))))

    def _imported(self, path: str) -> list[str]:
        return self.files.resolved(path, imported(self.project.data(path)))[:_MOST]


def _renamed(name: str) -> re.Pattern[str]:
    """Return where a file takes something of another by a name of its own."""
    word = re.escape(name)
    return re.compile(
        rf"\b(\w+)\s+as\s+{word}\s*[,}}]|\b(\w+)\s*:\s*{word}\s*(?:,[^{{}}]*)?\}}\s*="
    )


def _made(name: str, *, whole: bool) -> re.Pattern[str]:
    """Return where an object begins that has a name, or a function that makes one.

    ``whole``: it is all that a file exports, so that whoever imports it gives it a name.
    """
    word = re.escape(name)
    begun = (
        _DEFAULT
        if whole
        else rf"\b{word}\b\s{{0,20}}(?::\s*[\w.<>\[\]| ]{{1,80}})?\s{{0,20}}[:=](?!=|>)"
    )
    arrow = r"(?:async\s*)?\([^()]{0,80}\)\s*(?::\s*[\w.<>]{1,80})?\s*=>\s*"
    function = r"function\s+" + (r"\w*" if whole else word) + r"\s*\([^()]{0,80}\)[^{}\n]{0,80}"
    return re.compile(
        rf"(?:{begun})\s*(?:{arrow})?\(?\s*(?:new\s+[\w.]{{0,20}}Redis\(\s*)?\{{|{function}\{{"
    )


def _is_a_queues(text: str, at: int) -> bool:
    """Tell if the connection at a place is one that a queue is given."""
    opened = _opened(text, at)
    if opened < 0 or text[opened] != "{":
        return True  # a constant of its own
    if _OTHERS.search(_flat(inside(text, opened + 1))):
        return False
    if called := _called(text, opened):
        return _TAKES_ONE.search(called) is not None
    assigned = _ASSIGNED.search(text[max(0, opened - 200) : opened])
    return assigned is None or bool(assigned["export"]) or _is_taken(text, assigned[2])


def _flat(text: str) -> str:
    """Return the keys of an object, without what is in objects inside of it."""
    while (shorter := _INNER.sub("", text)) != text:
        text = shorter
    return text


def _is_taken(text: str, name: str) -> bool:
    """Tell if options that have a name are given to a queue, as they are or among others."""
    for each in re.finditer(rf"(?<=[(,.\s]){re.escape(name)}\b(?=\s*[,)}}])", text):
        around = _opened(text, each.start())
        place = around if around >= 0 and text[around] == "{" else each.start()
        if _TAKES_ONE.search(_called(text, place)):
            return True
    return False


def _called(text: str, at: int) -> str:
    """Return what is called that has a place right among its arguments."""
    opened = _opened(text, at)
    if opened < 0 or text[opened] != "(":
        return ""
    found = _CALLED.search(text[max(0, opened - 200) : opened])
    return found[1] if found else ""


def _opened(text: str, at: int) -> int:
    """Return where the nearest bracket around a place opens; -1 if there is none near."""
    depth = 0
    for place in range(at - 1, max(-1, at - _FURTHEST), -1):
        depth += (text[place] in ")}]") - (text[place] in "({[")
        if depth < 0:
            return place
    return -1
