"""What leads to a broker that is a service of a compose file, because of that service's name.

``QUEUE_HOST: queue`` does, whatever the variable is called. So does source that has the name in it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from stoker.sidecar.address_parts import part_of
from stoker.sidecar.conninfo import as_url
from stoker.sidecar.detect.environment import sources
from stoker.sidecar.detect.written.compose import Service
from stoker.sidecar.detection import BrokerKind
from stoker.sidecar.interpolation import filled
from stoker.sidecar.project import Project
from stoker.sidecar.schemes import ON_A_SERVER

_BESIDE = ("port", "password", "user")
"""What stands beside a host, in variables that begin as its own does."""
_SETTINGS = ("yml", "yaml", "json", "toml", "ini", "cfg", "conf", "properties")


def variables(
    kind: BrokerKind, service: str, services: Sequence[Service], read: Collection[str]
) -> dict[str, str]:
    """Return the variables that lead to a broker's own service, each with what it holds.

    The source reads them, or what is given them is built of it: another's image is none of it.
    """
    names = {
        service,
        *(alias for each in services if each.name == service for alias in each.aliases),
    }
    found: dict[str, str] = {}
    for each in services if service else ():
        given = {
            n: as_url(filled(text, {}))
            for n, text in each.environment.items()
            if each.built or n in read
        }
        for name, text in given.items():
            if part := _part(kind, name, text, names):
                found.setdefault(name, part)
                if part == "host":
                    found |= {n: p for n, p in _beside(name, given) if n not in found}
    return found


def target(names: Collection[str], services: Sequence[Service]) -> Service | None:
    """Return the service that some variables lead to, as compose files give them to others."""
    there = {(each.path, name): each for each in services for name in (each.name, *each.aliases)}
    for name in names:
        for each in services:
            host = _host(as_url(filled(each.environment.get(name, ""), {})))
            if found := there.get((each.path, host)):
                return found
    return None


def _host(text: str) -> str:
    """Return the host of an address, with or without its scheme."""
    return re.split(r"[:/?,]", text.rpartition("://")[2].rpartition("@")[2])[0]


def _part(kind: BrokerKind, name: str, text: str, hosts: Collection[str]) -> str:
    if "://" in text:
        scheme = text.partition("://")[0]
        fits = re.fullmatch(ON_A_SERVER.get(kind, ""), scheme) is not None
        return "url" if fits and _host(text) in hosts else ""
    if part_of(name) not in ("host", "address", "url"):
        return ""  # a queue, a user or a database may be called as the service is
    host, colon, port = text.partition(":")
    return "" if host not in hosts else "address" if colon and port.isdecimal() else "host"


def _beside(host: str, given: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the other parts of an address, by the word that its host's variable begins with."""
    stem = host.rpartition("_")[0]
    for name in given:
        part = part_of(name)
        if stem and part in _BESIDE and name.rpartition("_")[0] == stem:
            yield name, part


def is_named(project: Project, service: str, services: Sequence[Service]) -> bool:
    """Tell if the source, or what it is set up by, says the name of a service as a host."""
    word = re.escape(service).encode()
    pattern = re.compile(
        rb"""(?<!require\()(?<!from )(?<!import )(?:["'`]|://|@)%b(?::\d+)?(?=["'`/\s,]|$)"""
        % word,
        re.MULTILINE,
    )
    compose = {each.path for each in services}
    settings = (
        path
        for path in project.suffixed(*_SETTINGS)
        if path not in compose and not project.is_aside(path)
    )
    return any(project.telling((*sources(project), *settings), pattern))
