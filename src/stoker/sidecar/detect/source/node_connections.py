"""Where Node's source itself says that the Redis of its workers is: by an address written there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stoker.sidecar.detect.source.node_files import NodeSource
from stoker.sidecar.detect.source.node_names import worker_names
from stoker.sidecar.detect.source.node_sites import is_maker
from stoker.sidecar.detect.source.stoker_urls import AppURL
from stoker.sidecar.detect.source.syntax import calls

_GIVEN = re.compile(r"\bconnection\s*(?:(?P<is>:)|(?=[,}]))")
_NAME = re.compile(r"\s*([A-Za-z_]\w*)\s*(?=[,;}\n]|\Z)")
_OBJECT = re.compile(r"\s*(?:new\s+[\w.]*Redis\(\s*)?\{([^{}]*)\}")
_CLIENT = re.compile(r"""\s*new\s+[\w.]*Redis\(\s*["'`](rediss?://[^"'`$\s]+)["'`]""")
_URL = re.compile(r"""\burl\s*:\s*["'`](rediss?://[^"'`$\s]+)["'`]""")
_HOST = re.compile(r"""\bhost\s*:\s*["'`]([\w.-]+)["'`]""")
_PORT = re.compile(r"\bport\s*:\s*(\d+)")
_HERE = "redis://localhost"
_LONGEST = 1_000
"""Characters of what a constant is set to."""


def told(source: NodeSource) -> list[AppURL]:
    """Return where the workers of BullMQ have their Redis, if the source says so of every one."""
    found: list[AppURL] = []
    for each in (each for path in source.sites for each in _of_file(source, path)):
        if not each.url:
            return []
        found.append(each)
    return found


def _of_file(source: NodeSource, path: str) -> Iterator[AppURL]:
    text = source.project.text(path)
    names = worker_names(text)
    for call in calls(text, path.rpartition(".")[2]):
        if is_maker(call, names):
            options = call.arguments[-1] if call.arguments[2:] else ""
            url = _of_options(options, text)
            place = re.search(re.escape(_host(url)), text) if url else None
            line = text.count("\n", 0, place.start()) + 1 if place else call.line
            yield AppURL(path, line, False, url, "BullMQ")


def _host(url: str) -> str:
    return re.split(r"[:/]", url.partition("://")[2].rpartition("@")[2])[0]


def _of_options(options: str, text: str) -> str:
    """Return the address in a worker's options; without any it is on this machine."""
    if not options.startswith("{"):
        return "" if options else _HERE
    given = _GIVEN.search(options)
    if given is None:
        return "" if "..." in options else _HERE
    value = options[given.end() :] if given["is"] else "connection"
    named = _NAME.match(value)
    return _address(_constant(named[1], text) if named else value)


def _constant(name: str, text: str) -> str:
    """Return what a constant of a file is set to, if there is one of this name."""
    found = list(re.finditer(rf"\b(?:const|let|var)\s+{name}\b[^=\n]*=", text))
    return text[found[0].end() : found[0].end() + _LONGEST] if len(found) == 1 else ""


def _address(value: str) -> str:
    if client := _CLIENT.match(value):
        return client[1]
    parts = _OBJECT.match(value)
    if parts is None or "..." in parts[1]:
        return ""
    if url := _URL.search(parts[1]):
        return url[1]
    host, port = _HOST.search(parts[1]), _PORT.search(parts[1])
    return f"redis://{host[1]}{f':{port[1]}' if port else ''}" if host else ""
