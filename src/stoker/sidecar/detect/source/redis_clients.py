"""The variables that a client of Redis is made with, whatever they are called.

``redis.Redis(host=os.environ["QUEUE_HOST"])``: its name does not say which server is there, but
what it is given to does.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from stoker.sidecar.address_parts import part_of
from stoker.sidecar.detect.environment import sources
from stoker.sidecar.project import Project

_MAY_TELL = {
    b"edis": re.compile(rb"edis(?:ClientOpt|Settings|\.\w{1,40}){0,3}\s{0,20}[({:=]"),
}
"""By the word that each begins with: most files have none, and that is found out in no time."""
_MADE = re.compile(
    r"\b(?:(?:IO|Strict)?Redis(?:ClientOpt|Settings)?|redis\.Options|[Rr]edis(?:\.asyncio)?\.from_url)"
    r"\s*(?P<opens>[({])|\bredis\s*[:=]\s*\{"
)
_KEY = re.compile(r"\b(host|port|password|url|addr)\b\s*[:=](?!=)\s*([^,\n]*)", re.IGNORECASE)
_NAME = re.compile(r"(?<![A-Za-z0-9_])[A-Z][A-Z0-9]*_[A-Z0-9_]{1,77}(?![A-Za-z0-9_])")
"""One of several words: ``HOST`` and ``PORT`` are the app's own, too."""
_OTHERS = re.compile(r"AMQP|RABBIT|(?:^|_)NATS|(?:^|_)(?:DB|DATABASE|PG|MONGO|MYSQL|POSTGRES)_")
_PARTS = {"addr": "address"}
_FINDS_IT = ("url", "host", "address")
_BY_PLACE = ("url", "host", "port")
_ABOUT_IT = re.compile(r"REDIS|VALKEY|KEYDB|DRAGONFLY|QUEUE|BROKER|JOBS?_|BULL|CELERY|SIDEKIQ|_IP$")
"""What such a server is called after: the rest of the name need not say which part it is."""
_KEPT_SECRET = re.compile(r"AUTH|KEY|SECRET|TOKEN")
_PUT_IN = re.compile(r"""[$#]\{([^{}]*)\}|\{([\w.()\["'\]]*)\}""")
_BUILT = re.compile(r"://|[$#]\(")
"""A value that is made of several: none of them is all of it."""
_INNER = re.compile(r"""(?:(?P<key>\w+)["']?\s*:\s*|(?P<body>=>)\s*)?\{(?P<all>[^{}]*)\}""")
_HAS_IT = re.compile(r"redis|connection|client|socket|default|options|config|node", re.IGNORECASE)
"""What holds the parts of the address inside of what a client, or settings of one, are made of."""
_LONGEST = 600
"""Characters of what a client is made with."""


def told(project: Project, read: Collection[str]) -> dict[str, str]:
    """Return the variables that are read for a client of Redis, each with what it holds."""
    names = of_redis(read)
    found: dict[str, str] = {}
    for path in sources(project) if names else ():
        data = project.data(path)
        if any(word in data and pattern.search(data) for word, pattern in _MAY_TELL.items()):
            of_file = _of_file(project.text(path))
            found = {name: part for name, part in of_file if name in names} | found
    return found


def of_redis(read: Collection[str]) -> frozenset[str]:
    """Return the variables that may be about one: none is plainly another server's."""
    return frozenset(name for name in read if not _OTHERS.search(name))


def _of_file(text: str) -> Iterator[tuple[str, str]]:
    for made in _MADE.finditer(text):
        yield from given(inside(text, made.end()), is_call=bool(made["opens"]))


def inside(text: str, start: int) -> str:
    """Return what stands between a bracket before a place and the one that closes it."""
    depth = 1
    for at, letter in enumerate(text[start : start + _LONGEST], start):
        depth += (letter in "({[") - (letter in ")}]")
        if not depth:
            return text[start:at]
    return ""


def given(inside: str, *, is_call: bool = False) -> Iterator[tuple[str, str]]:
    """Yield the variables of named values; of a call, also of those that have none.

    A client is given much else: what is done when it fails, other servers that it stands beside.
    """
    own = _own(inside)
    named = list(_KEY.finditer(own))
    for each in named:
        key = _PARTS.get(each[1].lower(), each[1].lower())
        built = _BUILT.search(each[2]) is not None
        for name in _NAME.findall(each[2]):
            if part := part_of(name) if built else _held(key, name):
                yield name, part
    if is_call and not named:
        for name in _NAME.findall(own):
            if (part := part_of(name)) in _BY_PLACE:
                yield name, part


def _held(key: str, name: str) -> str:
    """Return the part that a variable is given as, if its name does not say something else."""
    part = part_of(name)
    fits = part in _FINDS_IT if key in _FINDS_IT else part == key
    secret = key == "password" and _KEPT_SECRET.search(name)
    return key if fits or secret or (part is None and _ABOUT_IT.search(name)) else ""


def _own(inside: str) -> str:
    """Return what stands between brackets, without what is about something else there."""
    text = _PUT_IN.sub(lambda found: f"$({found[1] or found[2] or ''})", inside)
    while (shorter := _INNER.sub(_opened, text)) != text:
        text = shorter
    return text


def _opened(inner: re.Match[str]) -> str:
    about = inner["key"] is None or _HAS_IT.search(inner["key"])
    return f"\n{inner['all']}\n" if about and not inner["body"] else " "
