"""Which compose files are only read on top of another one: ``-f base.yml -f base.prod.yml``."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

from stoker.sidecar.detect.written.compose import Service
from stoker.sidecar.plan import is_beneath, own_files


def layers(services: Sequence[Service]) -> dict[str, tuple[str, ...]]:
    """Return those files, each with what comes before it.

    Of two in one folder one has a service that only the other one says how to start. It is read
    last, unless it is called a base.
    """
    paths = own_files(dict.fromkeys(each.path for each in services), production=False)
    paths += own_files(dict.fromkeys(each.path for each in services), production=True)
    parts = {path: _named(services, path, whole=False) for path in paths}
    names = {path: parts[path] | _named(services, path, whole=True) for path in paths}
    found: dict[str, tuple[str, ...]] = {}
    for path in paths:
        beside = [each for each in paths if posixpath.dirname(each) == posixpath.dirname(path)]
        beneath = [
            (len(names[path] & names[each]), -at, each)
            for at, each in enumerate(beside)
            if _is_on(path, each, parts, names)
        ]
        if beneath:
            found[path] = (max(beneath)[2],)
    return {path: on for path, on in found.items() if not set(on) & found.keys()}


def _is_on(
    path: str, other: str, parts: Mapping[str, set[str]], names: Mapping[str, set[str]]
) -> bool:
    """Tell if a file is put on another one."""
    if path == other or is_beneath(path):
        return False
    if is_beneath(other):
        return bool((parts[path] & names[other]) | (parts[other] & names[path]))
    return bool(parts[path] & (names[other] - parts[other]))


def near(path: str, on: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the files that one is put on, and those that are put on it."""
    return {*on.get(path, ()), *(each for each, beneath in on.items() if path in beneath)}


def _named(services: Sequence[Service], path: str, *, whole: bool) -> set[str]:
    return {each.name for each in services if each.path == path and each.is_whole == whole}
